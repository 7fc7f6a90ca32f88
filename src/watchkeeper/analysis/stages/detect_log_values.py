"""Values in log lines that their template has not had before: a measured one far above all that came earlier, a word where
only a few others have ever stood. What is no measure and no word (ids, addresses, paths, ports) is not looked at.

At most LOOKED lines of a Work are taken apart, each template's share of them evenly spaced, so that a flood cannot
make analysis fall behind; a line more than that may go unseen.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from watchkeeper.model.log_values import MARK, Parameter, parameters

LOOKED = 2_000
MAX_TEMPLATES, MAX_PLACES, MAX_WORDS = 1_000, 12, 20
KNOWN_LINES, KNOWN_MS = 500, 3_600_000  # before that nothing is unusual
SETTLED_LINES, SETTLED_MS = 1_000, 6 * 3_600_000  # of a word's place
TIMES = 5.0  # the largest value ever seen
LONGEST_WORD = 64
_MEASURE = re.compile(r"([-+]?\d+(?:\.\d+)?)\s?([A-Za-zµ%]*)")
_UNITS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "m": 60.0, "min": 60.0, "h": 3600.0,
    "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 1024.0, "mib": 1024.0**2, "gib": 1024.0**3,
    "k": 1e3, "g": 1e9, "t": 1e12,
}  # fmt: skip
_AFTER = re.compile(
    r"^\W?\s?(ns|us|µs|ms|s|secs?|seconds?|minutes?|hours?|milliseconds|bytes|[kKMGT]i?B|rows|records|%)\b|^%",
    re.ASCII,
)
_BEFORE = re.compile(
    r"\b(took|time|duration|elapsed|latency|size|bytes|delay|lag|length|len|rows|age|wait(ed)?|backlog)\W{0,3}$",
    re.I,
)


class Unusual(NamedTuple):
    """A value as no line of the template had it. `place`: which of its values, from 1."""

    template: int
    place: int
    kind: str  # measure, user, word
    value: str
    usual: str
    lines: int  # looked at before


class _Place(msgspec.Struct):
    """What has stood in one place of a template."""

    kind: str
    lines: int = 0
    since_ms: int = 0
    top: float = 0.0
    top_text: str = ""
    words: dict[str, int] = {}
    last_new: int = 0  # lines when the last word was new


class Values:
    """The places of the templates that come most lately."""

    def __init__(self) -> None:
        self._of: OrderedDict[int, dict[int, _Place]] = OrderedDict()

    def look(
        self, template: int, wording: str, bodies: Sequence[str], now_ms: int
    ) -> list[tuple[int, Unusual]]:
        """Take in some lines of a template; which of them are unusual, each with what is."""
        places = self._of.setdefault(template, {})
        self._of.move_to_end(template)
        if len(self._of) > MAX_TEMPLATES:
            self._of.popitem(last=False)
        fixed = wording.split(MARK)
        found = []
        for row, body in enumerate(bodies):
            values = parameters(wording, body) or ()
            for n, value in enumerate(values[:MAX_PLACES], 1):
                kind = _kind(value, fixed[n - 1], fixed[n])
                if not kind:
                    continue
                place = places.get(n)
                if place is None or place.kind != kind:
                    place = places[n] = _Place(kind, since_ms=now_ms)
                usual = (
                    _measured(place, value, now_ms) if kind == "measure" else _worded(place, value, now_ms)
                )
                if usual:
                    found.append((row, Unusual(template, n, kind, value.value, usual, place.lines)))
                place.lines += 1
        return found

    def snapshot(self) -> list[Any]:
        """What was learned, as plain data."""
        return [
            [t, [[n, msgspec.to_builtins(p)] for n, p in places.items()]] for t, places in self._of.items()
        ]

    def restore(self, state: Sequence[Any]) -> None:
        """Take back a snapshot."""
        self._of = OrderedDict((t, {n: msgspec.convert(p, _Place) for n, p in places}) for t, places in state)


def _kind(value: Parameter, before: str, after: str) -> str:
    """measure, user, word, or "" for what is not looked at."""
    if value.kind in ("duration", "size"):
        return "measure"
    if value.kind == "number":
        return "measure" if _AFTER.match(after) or _BEFORE.search(before[-24:]) else ""
    if value.kind == "user" or (value.kind == "word" and value.value.isalpha()):
        return value.kind if len(value.value) <= LONGEST_WORD else ""
    return ""


def _measured(place: _Place, value: Parameter, now_ms: int) -> str:
    """What is usual, if this is far above it."""
    found = _MEASURE.fullmatch(value.value)
    if found is None:
        return ""
    size = float(found[1]) * _UNITS.get(found[2].lower(), 1.0)
    known = place.lines >= KNOWN_LINES and now_ms - place.since_ms >= KNOWN_MS
    usual = f"at most {place.top_text}" if known and size > TIMES * place.top > 0 else ""
    if size > place.top:
        place.top, place.top_text = size, value.value
    return usual


def _worded(place: _Place, value: Parameter, now_ms: int) -> str:
    """The words that are usual, if there are few of them and this is another."""
    word = value.value
    if word in place.words:
        place.words[word] += 1
        return ""
    if len(place.words) > MAX_WORDS:  # anything may stand here
        return ""
    settled = place.lines >= SETTLED_LINES and place.lines - place.last_new >= place.lines // 2
    settled = settled and now_ms - place.since_ms >= SETTLED_MS
    usual = ", ".join(sorted(place.words, key=lambda w: -place.words[w])[:5]) if settled else ""
    more = len(place.words) - 5
    place.words[word] = 1
    place.last_new = place.lines
    return usual and usual + (f" and {more} more" if more > 0 else "")
