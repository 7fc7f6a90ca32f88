"""One sample of Prometheus' text format or of OpenMetrics: a name, labels, a value and perhaps a time. Exemplars are
passed over. Source: https://prometheus.io/docs/instrumenting/exposition_formats/"""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from watchkeeper.model.errors import Malformed

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_OPEN = re.compile(r"[ \t]*\{[ \t]*")
_QUOTED_NAME = re.compile(r'"((?:[^"\\]|\\.)+)"[ \t]*(?:,[ \t]*|(?=\}))')
_LABEL = re.compile(
    r'(?:([a-zA-Z_][a-zA-Z0-9_]*)|"((?:[^"\\]|\\.)+)")[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,[ \t]*|(?=\}))'
)
_REST = re.compile(r"[ \t]*(\S+)(?:[ \t]+(-?[0-9][0-9.eE+-]*))?[ \t]*(?:# .*)?\r?$")
_ESCAPED = re.compile(r"\\(.)")
_SHOWN = 80


class Line(NamedTuple):
    """`series` are the bytes up to the value, by which the series is known again."""

    series: bytes
    name: str
    labels: dict[str, str]
    value: float
    time_ms: int | None


def read_line(raw: bytes, number: int, openmetrics: bool = False) -> Line:
    r"""A sample. Raises Malformed naming the line's number.

    >>> read_line(b'a_total{b="c\\n",} 2 1500', 1)
    Line(series=b'a_total{b="c\\n",}', name='a_total', labels={'b': 'c\n'}, value=2.0, time_ms=1500)
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"line {number} is not UTF-8", reason="invalid_utf8") from error
    named = _NAME.match(text)
    name, at = (named[0], named.end()) if named else ("", 0)
    labels: dict[str, str] = {}
    if opened := _OPEN.match(text, at):
        at = opened.end()
        if not name and (quoted := _QUOTED_NAME.match(text, at)):
            name, at = _plain(quoted[1]), quoted.end()
        at = _labels(text, at, labels, number)
    rest = _REST.match(text, at)
    if not name or rest is None:
        _wrong(number, text)
    try:
        value = float(rest[1])
        time_ms = None if rest[2] is None else round(float(rest[2]) * (1000 if openmetrics else 1))
    except (ValueError, OverflowError):
        _wrong(number, text)
    return Line(text[:at].encode(), name, labels, value, time_ms)


def _labels(text: str, at: int, into: dict[str, str], number: int) -> int:
    """Read labels up to the brace; where they end."""
    while found := _LABEL.match(text, at):
        into[found[1] or _plain(found[2])] = _plain(found[3])
        at = found.end()
    if text[at : at + 1] != "}":
        _wrong(number, text)
    return at + 1


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda m: "\n" if m[1] == "n" else m[1], text) if "\\" in text else text


def _wrong(number: int, text: str) -> NoReturn:
    raise Malformed(f"line {number} is no sample: {text[:_SHOWN]!r}")
