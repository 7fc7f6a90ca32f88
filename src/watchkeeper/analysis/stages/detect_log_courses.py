"""The course of log messages over hours: which came regularly and comes no more, and which sources write lines that no
template fits, so that nothing they say can be watched. A rate a minute is the matter of the detector bank."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

REGULAR = 24  # times a message came, in turns of at least SPACED_MS, before it is missed
SPACED_MS = 60_000  # what comes more often is watched by its rate
MISSED = 4.0  # times the longest gap so far
MISSED_MS = 1_800_000
MAX_TEMPLATES, MAX_SOURCES = 5_000, 2_000
WINDOW_MS = 600_000
PATTERNLESS, PATTERNLESS_SHARE = 300, 0.3  # new templates in a window, and their share of its lines


class Missing(NamedTuple):
    """A message that came regularly and does not (or, not `active`, does again)."""

    template: int
    item: str
    source: str
    host: str
    gap_ms: int  # the longest until now
    last_ms: int
    active: bool = True


class Patternless(NamedTuple):
    """A source of whose lines so many have a template of their own (or, not `active`, no more)."""

    source: str
    lines: int
    new: int
    active: bool = True


class _Course(msgspec.Struct):
    item: str
    source: str
    host: str
    last_ms: int
    turns: int = 0
    gap_ms: int = 0  # the longest
    told: bool = False


class Courses:
    """When each message last came, and how long it has ever been away."""

    def __init__(self) -> None:
        self._of: OrderedDict[int, _Course] = OrderedDict()
        self._heard: dict[str, int] = {}  # source → last ms: a source that is silent is not this matter

    def came(self, template: int, item: str, source: str, host: str, now_ms: int) -> Missing | None:
        """A message came; what is over by that."""
        self._heard[source] = now_ms
        one = self._of.get(template)
        if one is None:
            one = self._of[template] = _Course(item, source, host, now_ms)
            if len(self._of) > MAX_TEMPLATES:
                self._drop()
            return None
        gap = now_ms - one.last_ms
        if gap >= SPACED_MS:
            one.turns += 1
            one.gap_ms = max(one.gap_ms, gap)
            one.last_ms = now_ms
        elif one.turns == 0:
            one.last_ms = now_ms
        if not one.told:
            return None
        one.told = False
        return self._missing(template, one, active=False)

    def look(self, now_ms: int) -> list[Missing]:
        """Which messages are missed, though their source goes on to write."""
        out = []
        for template, one in self._of.items():
            away = now_ms - one.last_ms
            if one.told or one.turns < REGULAR or away < max(MISSED_MS, MISSED * one.gap_ms):
                continue
            if now_ms - self._heard.get(one.source, 0) < MISSED_MS:
                one.told = True
                out.append(self._missing(template, one))
        return out

    def remember(self, found: Missing) -> None:
        """Take for told what a living alert says was told."""
        one = self._of.setdefault(
            found.template,
            _Course(found.item, found.source, found.host, found.last_ms, REGULAR, found.gap_ms),
        )
        one.told = True

    def rested(self, ms: int) -> None:
        """So long we were not running: nobody is missed for that."""
        for one in self._of.values():
            one.last_ms += ms

    def _missing(self, template: int, one: _Course, active: bool = True) -> Missing:
        return Missing(template, one.item, one.source, one.host, one.gap_ms, one.last_ms, active)

    def _drop(self) -> None:
        """Make room: of the oldest hundred, the one that came in the fewest turns."""
        oldest = [k for k, _ in zip(self._of, range(100), strict=False)]
        del self._of[min(oldest, key=lambda k: self._of[k].turns)]

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        return {"of": [[t, msgspec.to_builtins(c)] for t, c in self._of.items()], "heard": dict(self._heard)}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back a snapshot."""
        self._of = OrderedDict((t, msgspec.convert(c, _Course)) for t, c in state["of"])
        self._heard = dict(state["heard"])


class Patterns:
    """How many of each source's lines are of a template of their own."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, list[int]] = OrderedDict()  # source → lines, new templates, window's begin
        self._told: set[str] = set()

    def came(self, source: str, lines: int, new: int, now_ms: int) -> None:
        """So many lines of a source, and so many templates that nobody had seen before."""
        one = self._of.setdefault(source, [0, 0, now_ms])
        self._of.move_to_end(source)
        one[0] += lines
        one[1] += new
        if len(self._of) > MAX_SOURCES:
            self._of.popitem(last=False)

    def look(self, now_ms: int) -> Iterable[Patternless]:
        """What is to be told of the windows that are full or over."""
        for source, one in self._of.items():
            lines, new, began = one
            bad = new >= PATTERNLESS and new >= PATTERNLESS_SHARE * lines
            if bad and source not in self._told:
                self._told.add(source)
                yield Patternless(source, lines, new)
            if now_ms - began >= WINDOW_MS:
                if not bad and source in self._told:
                    self._told.discard(source)
                    yield Patternless(source, lines, new, active=False)
                one[:] = [0, 0, now_ms]

    def remember(self, source: str) -> None:
        """Take for told what a living alert says was told."""
        self._told.add(source)
        self._of.setdefault(source, [0, 0, 0])
