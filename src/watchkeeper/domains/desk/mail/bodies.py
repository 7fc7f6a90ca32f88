"""What one reads of a mail's parts, as Markdown: plain text as it is, of HTML what a reader sees. Pure."""

from __future__ import annotations

import html
import re

import markdownify
import nh3

from watchkeeper.domains.desk.mail.headers import decoded

LONGEST = 100_000  # characters of a mail's text that are kept
_HTML = 400_000  # bytes of HTML that are looked at
_DEEPEST, _MOST_TAGS, _WORK = (
    100,
    8000,
    150_000,
)  # elements within one another, tags, and their product: of what has more
# only the words are read, because parsers take quadratic time, or the stack, for it
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})\b")
_ANY_TAG = re.compile(r"<[^<>]*>")
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d)\b", re.IGNORECASE)
_SINGLE = frozenset(
    ("br", "img", "hr", "meta", "link", "input", "p", "li", "td", "tr", "th", "tbody", "o", "wbr", "col")
)
_KEPT = {"p", "br", "div", "a", "b", "strong", "i", "em", "ul", "ol", "li", "blockquote", "pre", "code", "table", "thead",
         "tbody", "tr", "th", "td", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "s", "del"}  # fmt: skip
_EMPTY_LINES = re.compile(r"\n[ \t\xa0]*(?:\n[ \t\xa0]*){2,}")


def plain(data: bytes, charset: str) -> str:
    """A text/plain part."""
    return tidy(decoded(data[: LONGEST * 4], charset))


def from_html(data: bytes, charset: str) -> str:
    """A text/html part as Markdown."""
    text = decoded(data[:_HTML], charset)
    deepest, tags = _weight(text)
    if deepest > _DEEPEST or tags > _MOST_TAGS or deepest * tags > _WORK:
        return tidy(_bare(text))
    clean = nh3.clean(
        text, tags=_KEPT, attributes={"a": {"href"}}, clean_content_tags={"script", "style", "head", "title"},
        url_schemes={"http", "https", "mailto"}, link_rel=None,
    )  # fmt: skip
    try:
        return tidy(markdownify.markdownify(clean, heading_style="atx", escape_misc=False))
    except (RecursionError, ValueError):
        return tidy(_bare(text))


def tidy(text: str) -> str:
    """Without what no database holds, with the ends of lines and the gaps that people write."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").replace("\xa0", " ")
    text = _EMPTY_LINES.sub("\n\n", text.encode("utf-8", "replace").decode()).strip()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _weight(text: str) -> tuple[int, int]:
    """How deep elements lie within one another at most, and how many tags there are."""
    now = most = count = 0
    for found in _TAG.finditer(text):
        count += 1
        if found[2].lower() not in _SINGLE:
            now = max(0, now - 1) if found[1] else now + 1
            most = max(most, now)
    return most, count


def _bare(text: str) -> str:
    return html.unescape(_ANY_TAG.sub("", _BREAK.sub(r"\n\g<0>", text)))
