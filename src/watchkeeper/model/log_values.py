"""The values of a line, typed: what its template says `<*>` for, kept as parameters.

A template's fixed text is looked for from left to right, once, so that the time is linear in the line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MARK = "<*>"

_TYPES = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("number", r"[-+]?\d+(?:\.\d+)?"),
        ("address", r"(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}"),
        ("duration", r"\d+(?:\.\d+)?\s?(?:ns|us|µs|ms|s|sec|seconds?|m|min|minutes?|h|hours?)"),
        ("size", r"\d+(?:\.\d+)?\s?(?:[kKMGT]i?)?[bB](?:ytes)?|\d+(?:\.\d+)?[KMGT]"),
        ("time", r"\d{1,4}[-/:]\d{1,2}(?:[-/:]\d{1,4})?(?:[T ]\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?Z?)?"),
        ("id", r"0[xX][0-9a-fA-F]+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{6,}"),
        ("url", r"[a-z][a-z0-9+.-]{1,15}://\S+"),
        ("path", r"(?:[A-Za-z]:)?(?:[\\/][^\\/\s]*)+"),
        ("host", r"(?:[A-Za-z0-9_-]+\.)+[A-Za-z]{2,}(?::\d+)?"),
    )
)
_USER = re.compile(r"\b(?:user|username|login|account)\b\W{0,3}$", re.IGNORECASE)
_CONTROLS = dict.fromkeys([*range(32), 127], " ")
_LONGEST = 256  # characters of a value that are looked at for its type


class Parameter(NamedTuple):
    """One value of a line. `kind`: number, address, duration, size, time, id, url, path, host, user or word."""

    kind: str
    value: str


def parameters(template: str, body: str) -> tuple[Parameter, ...] | None:
    """The values of a message of this template, in order; None when the message is not of the template.

    White space is taken as the miner takes it: any of it is one space.

    >>> parameters("took <*> ms for user <*>", "took 12 ms for  user ann")
    (Parameter(kind='number', value='12'), Parameter(kind='user', value='ann'))
    """
    line = " ".join(filter(None, body.translate(_CONTROLS).split(" ")))
    fixed = template.split(MARK)
    if not line.startswith(fixed[0]):
        return None
    at = len(fixed[0])
    if len(fixed) == 1:
        return () if at == len(line) else None
    out = []
    for k, text in enumerate(fixed[1:], 1):
        if k < len(fixed) - 1:
            end = line.find(text, at) if text else at
        else:
            end = len(line) - len(text) if line.endswith(text) else -1
        if end < at:
            return None
        value = line[at:end]
        out.append(Parameter(kind_of(value, fixed[k - 1]), value))
        at = end + len(text)
    return tuple(out)


def kind_of(value: str, before: str = "") -> str:
    """What a value is by its spelling, or by the fixed text before it.

    >>> [kind_of(x) for x in ("17", "10.0.0.1:80", "1.5 KB", "/var/log/x", "0x1f", "3 ms", "root")]
    ['number', 'address', 'size', 'path', 'id', 'duration', 'word']
    """
    if _USER.search(before[-24:]):
        return "user"
    for kind, pattern in _TYPES:
        if len(value) <= _LONGEST and pattern.fullmatch(value):
            return kind
    return "word"
