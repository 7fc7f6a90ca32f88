"""Silence: who used to send and does not any more, told once for whom it concerns.

One finding for an item when nothing comes from it, one for an item that has lost some of its series; none
when everybody falls silent together while we hear nothing at all, which says more about us than about them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.detectors.absence import Absence
from watchkeeper.analysis.pipeline import SeriesInfo

LOOK_MS = 15_000
STALL_MS = 60_000  # between two looks: we were not running
WHOLE = 0.8  # share of an item's regular series that makes it silent as a whole
LEAST_SERIES = 3  # of an item that can fall silent as a whole
LIVED_MS = 6 * 3_600_000  # a series that lived shorter may come and go
WHOLE_LIVED_MS = 600_000
MANY_SOURCES = 0.9
_NONE = np.empty(0, np.int64)
GIVEN_UP_MS = 7 * 86_400_000  # of silence, after which nobody expects it any more


class Silence(NamedTuple):
    """A source that fell silent, or is heard again. `source` is an item id or what labels say instead."""

    source: str
    item: str
    whole: bool
    active: bool
    since_ms: int
    series: tuple[int, ...]  # some of those that are missing
    missing: int
    known: int
    told_ms: int

    @property
    def key(self) -> str:
        """The same for the same silence."""
        return f"{self.source}|{'all' if self.whole else 'part'}"


class Silences:
    """Watches arrivals of series; slots are those of Levels."""

    def __init__(self) -> None:
        self.absence = Absence()
        self._looked_ms = 0
        self._heard_ms = 0
        self._told: dict[str, Silence] = {}  # by source and whether whole

    def arrived(self, slots: NDArray[np.int64], now_ms: int, rest: NDArray[np.int64] = _NONE) -> None:
        """These series have sent something now; slots may repeat. Of those that `rest` no habit is learned."""
        unique = np.unique(slots[slots >= 0])
        if not len(unique):
            return
        self._stall(now_ms)
        if int(unique[-1]) >= len(self.absence.last):
            n = int(unique[-1]) + 1
            self.absence.grow(n + n // 4)
        resting = np.isin(unique, rest, assume_unique=True)
        self.absence.arrived(unique[~resting], now_ms)
        self.absence.heard[unique[resting]] = now_ms
        self._heard_ms = now_ms

    def look(
        self,
        now_ms: int,
        by_slot: Sequence[int],
        infos: Mapping[int, SeriesInfo],
        rest: NDArray[np.int64] = _NONE,
    ) -> list[Silence]:
        """What is to be told now; looks at most every 15 s. Nobody expects anything of those that `rest`."""
        self._stall(now_ms)
        if now_ms - self._looked_ms < LOOK_MS and self._looked_ms:
            return []
        self._looked_ms = now_ms
        self.absence.excuse(rest[rest < len(self.absence.last)], now_ms)
        self.absence.give_up(now_ms, GIVEN_UP_MS)
        overdue = self.absence.overdue(now_ms)
        if not len(overdue) and not self._told:
            return []
        found = self._group(overdue, now_ms, by_slot, infos)
        out = [s for key, s in found.items() if key not in self._told]
        back = {
            key: s._replace(active=False)
            for key, s in self._told.items()
            if key not in found and self._is_back(s, by_slot)
        }
        self._told = {key: s for key, s in {**found, **self._told}.items() if key not in back}
        return out + list(back.values())

    def _is_back(self, s: Silence, by_slot: Sequence[int]) -> bool:
        """Whether one of its series has come since, or nobody expects them any more. That nobody is overdue is
        not enough: after a restart nobody is."""
        heard, count = self.absence.heard, self.absence.count
        slots = [slot for slot, x in enumerate(by_slot) if x in s.series and slot < len(heard)]
        return not slots or bool((heard[slots] > s.told_ms).any()) or not count[slots].any()

    def _group(
        self, overdue: NDArray[np.int64], now_ms: int, by_slot: Sequence[int], infos: Mapping[int, SeriesInfo]
    ) -> dict[str, Silence]:
        regular = np.flatnonzero(self.absence.regular())
        known = Counter(_source(infos.get(by_slot[s])) for s in regular.tolist())
        missing: dict[str, list[int]] = {}
        for slot in overdue.tolist():
            missing.setdefault(_source(infos.get(by_slot[slot])), []).append(slot)
        whole = {x for x, slots in missing.items()
                 if len(slots) >= LEAST_SERIES and len(slots) >= WHOLE * known[x]}  # fmt: skip
        if len(known) > 1 and len(whole) >= MANY_SOURCES * len(known) and now_ms - self._heard_ms > LOOK_MS:
            return dict(self._told)  # we hear nobody: nothing new is said
        out = {}
        for source, slots in missing.items():
            lived = self.absence.last[slots] - self.absence.first[slots]
            slots = [s for s, ms in zip(slots, lived, strict=True)
                     if ms >= (WHOLE_LIVED_MS if source in whole else LIVED_MS)]  # fmt: skip
            if slots:
                info = infos.get(by_slot[slots[0]])
                found = Silence(
                    source, info.item if info else "", source in whole, True,
                    int(self.absence.last[slots].min()), tuple(by_slot[s] for s in slots[:5]), len(slots),
                    known[source], now_ms,
                )  # fmt: skip
                out[found.key] = found
        return out

    def _stall(self, now_ms: int) -> None:
        """When we were not running, that time is nobody's silence; nor is it when the clock was set back."""
        before = max(self._looked_ms, self._heard_ms)
        if before and now_ms - before > STALL_MS:
            self.absence.pause(now_ms - before)
            self._heard_ms = now_ms
        elif now_ms < before:
            back = before - now_ms
            self.absence.set_back(back)
            self._told = {key: s._replace(told_ms=s.told_ms - back) for key, s in self._told.items()}
            self._looked_ms, self._heard_ms = max(0, self._looked_ms - back), self._heard_ms - back

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        told = {key: list(s) for key, s in self._told.items()}
        at = max(self._looked_ms, self._heard_ms)
        return {"absence": self.absence.state(), "told": told, "at": at}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back a snapshot; the time until the next look is nobody's silence."""
        self.absence.load(state["absence"])
        self._heard_ms = state["at"]
        self._told = {key: Silence._make([*s[:5], tuple(s[5]), *s[6:]]) for key, s in state["told"].items()}

    def remember(self, silence: Silence) -> None:
        """Take for told what a living alert says was told."""
        self._told.setdefault(silence.key, silence)


def _source(info: SeriesInfo | None) -> str:
    """Who sends a series: its item, else what its labels say."""
    if info is None:
        return ""
    return info.item or next(_places(info.labels), "")


def _places(labels: Mapping[str, str]) -> Iterator[str]:
    return (labels[k] for k in ("host.name", "instance", "host", "service.name", "job") if labels.get(k))
