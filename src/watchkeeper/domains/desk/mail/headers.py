"""Headers of a mail as text, whatever was written into them: encoded words, bytes of no known charset, none. Pure."""

from __future__ import annotations

import re
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses

LONGEST = 4000  # characters of a header that are looked at
_ADDRESS = re.compile(r"[^\s<>@,;:\"\\()\[\]\x00-\x1f]{1,128}@[^\s<>@,;:\"\\()\[\]\x00-\x1f]{1,190}")
_ID = re.compile(r"<([^<>\s]{1,250})>")


def raw_headers(mail: Message) -> dict[str, list[str]]:
    """Lower-case name → its values in their order, undecoded; bytes are read as UTF-8, else Windows-1252."""
    found: dict[str, list[str]] = {}
    for name, value in mail.raw_items():
        found.setdefault(name.lower(), []).append(_readable(str(value)[:LONGEST]))
    return found


def _readable(value: str) -> str:
    data = value.encode("utf-8", "surrogateescape")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def text(value: str) -> str:
    """A header in one line, with its encoded words (RFC 2047) read; those that cannot be stay as they are.

    >>> text("=?iso-8859-1?q?Dr=FCcker?= kaputt"), text("=?no-such?q?x=41?=")
    ('Drücker kaputt', 'xA')
    """
    try:
        parts = decode_header(value)
    except (MessageError, ValueError, LookupError):
        parts = [(value, None)]
    joined = "".join(decoded(p, c or "utf-8") if isinstance(p, bytes) else p for p, c in parts)
    return " ".join(joined.replace("\x00", "").encode("utf-8", "replace").decode().split())[:1000]


def decoded(data: bytes, charset: str) -> str:
    """Bytes as text: in this charset where it is known and fits, else UTF-8, else Windows-1252."""
    for name in (charset, "utf-8"):
        try:
            return data.decode(name)
        except (LookupError, ValueError):
            continue
    return data.decode("cp1252", "replace")


def addresses(values: list[str]) -> list[tuple[str, str]]:
    """Name and address, in lower case, of everybody in these headers; what is no address is left out."""
    try:
        found = getaddresses(values[:50])
    except (ValueError, IndexError, TypeError, AttributeError, RecursionError):
        found = [("", a) for v in values[:50] for a in _ADDRESS.findall(v)]
    return [(text(name)[:200], a.lower()) for name, a in found[:200] if _ADDRESS.fullmatch(a)]


def message_ids(values: list[str]) -> list[str]:
    """What is between < and > in these headers, the last 100.

    >>> message_ids(["<a@x> <b@y>", "junk"])
    ['a@x', 'b@y']
    """
    return [one for value in values for one in _ID.findall(value)][-100:]
