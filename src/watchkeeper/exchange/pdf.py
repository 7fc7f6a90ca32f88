"""Markdown as a PDF for printing and passing on: headings, lists, tables, code, links, page numbers, and tags for screen
readers. Typst sets it, with the fonts that it brings and those of the machine; what people wrote reaches it only as
quoted text, so that nothing in it is a command."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from watchkeeper.model.errors import WatchkeeperError

MOST = 2_000_000  # characters of a text
_LONG = re.compile(r"\S{40,}")  # words that no line holds
_PLAIN = re.compile(r"[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_PAGE = """
#set document(title: {title})
#set text(lang: "en", size: 10pt)
#set page(paper: "a4", margin: (x: 2.2cm, y: 2.4cm), numbering: "1 / 1",
  header: context if counter(page).get().first() > 1 [#set text(size: 8pt, fill: luma(90)); #{title}])
#set par(justify: false, leading: 0.65em, spacing: 1em)
#set table(stroke: 0.5pt + luma(190), inset: 5pt)
#show table.cell.where(y: 0): strong
#show heading: set block(above: 1.4em, below: 0.8em)
#show link: set text(fill: rgb("#1a56a8"))
#show raw.where(block: true): it => block(fill: luma(245), inset: 8pt, radius: 2pt, width: 100%, it)
#show quote.where(block: true): it => block(stroke: (left: 2pt + luma(190)), inset: (left: 8pt, y: 2pt), it.body)
#text(size: 18pt, weight: "bold", {title})
#v(-0.4em)
#text(size: 9pt, fill: luma(90), {under})
"""


class NoPdf(WatchkeeperError):
    """A text that cannot be set."""

    status = 413
    reason = "no_pdf"


def pdf_of(markdown: str, title: str, under: str = "") -> bytes:
    """A text in Markdown as PDF, under its title and a smaller line (`under`: of whom, when). HTML in it is text, and
    images are left out. Raises NoPdf for what is too long or nested too deeply."""
    import typst  # some 30 MB that only printing needs

    if len(markdown) > MOST:
        raise NoPdf(f"a PDF is made of at most {MOST:,} characters; this has {len(markdown):,}")
    page = _PAGE.format(title=quoted(title), under=quoted(under))
    source = page + _set(_parser().parse(markdown))
    try:
        return bytes(typst.compile(source.encode(), format="pdf"))
    except typst.TypstError as error:
        raise NoPdf(f"the text cannot be set as PDF: {error.message}") from error


@lru_cache(maxsize=1)
def _parser() -> Any:
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20})
    return made.enable(["table", "strikethrough"]).disable("image")


def quoted(text: str) -> str:
    """Text as a string of Typst. Long words may be broken anywhere.

    >>> quoted('a "b" \\\\ #c')
    '"a \\\\"b\\\\" \\\\\\\\ #c"'
    """
    plain = _PLAIN.sub("\ufffd", text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{_LONG.sub(_breakable, plain)}"'


def _breakable(word: re.Match[str]) -> str:
    # not between a backslash and what it quotes
    return re.sub(r"((?:\\.|[^\\]){20})", "\\1\u200b", word[0])


#: a pair of tokens → the function that holds what is between them
_AROUND: dict[str, Callable[[Any], str]] = {
    "paragraph": lambda t: "#[" if t.hidden else "#par[",
    "heading": lambda t: f"#heading(level: {t.tag[1:]})[",
    "blockquote": lambda _: "#quote(block: true)[",
    "bullet_list": lambda _: "#list(",
    "ordered_list": lambda t: f"#enum(start: {t.attrGet('start') or 1}, ",
    "strong": lambda _: "#strong[",
    "em": lambda _: "#emph[",
    "s": lambda _: "#strike[",
    "link": lambda t: f"#link({quoted_address(str(t.attrGet('href') or ''))})[",
    "list_item": lambda _: "[",
    "th": lambda _: "[",
    "td": lambda _: "[",
}
_ENDS = {"bullet_list": ")", "ordered_list": ")", "list_item": "],", "th": "],", "td": "],"}
_SINGLE: dict[str, Callable[[Any], str]] = {
    "text": lambda t: f"#{quoted(t.content)};",
    "code_inline": lambda t: f"#raw({quoted(t.content)});",
    "fence": lambda t: f"#raw({quoted(t.content.rstrip())}, block: true)\n",
    "code_block": lambda t: f"#raw({quoted(t.content.rstrip())}, block: true)\n",
    "softbreak": lambda _: "#linebreak();",
    "hardbreak": lambda _: "#linebreak();",
    "hr": lambda _: "#line(length: 100%, stroke: 0.5pt + luma(190))\n",
}


def quoted_address(address: str) -> str:
    """Where a link leads; only to the web or to an e-mail address, as pages show links."""
    fit = address.lower().startswith(("http://", "https://", "mailto:"))
    return '"' + (address if fit else "https://").replace("\\", "%5C").replace('"', "%22") + '"'


def _set(tokens: list[Any]) -> str:
    out: list[str] = []
    for n, token in enumerate(tokens):
        name, _, side = token.type.rpartition("_")
        if token.type == "inline":
            out.append(_set(token.children or []))
        elif token.type == "table_open":
            out.append(f"#table(columns: {_columns(tokens, n)}, ")
        elif token.type == "table_close":
            out.append(")\n")
        elif side == "open" and name in _AROUND:
            out.append(_AROUND[name](token))
        elif side == "close" and name in _AROUND:
            out.append(_ENDS.get(name, "]") + ("\n" if token.block and name not in _ENDS else ""))
        elif token.type in _SINGLE:
            out.append(_SINGLE[token.type](token))
    return "".join(out)


def _columns(tokens: list[Any], begins: int) -> int:
    ends = next(n for n in range(begins, len(tokens)) if tokens[n].type == "tr_close")
    return sum(t.type == "th_open" for t in tokens[begins:ends])
