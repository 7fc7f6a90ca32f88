"""Everything that is polled, one entry a target, kept in step with what is declared and found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from watchkeeper.model.polled import PROBE, SCRAPE, PollTarget, Probe, ScrapeJob, TargetStanding
from watchkeeper.pollers.delivery import SeriesIds
from watchkeeper.pollers.outcome import CERTIFICATE, DOWN, SLOW
from watchkeeper.pollers.scrape import Scraper
from watchkeeper.pollers.watch import Asked
from watchkeeper.pollers.web import Web

Way = ScrapeJob | Probe
MOST = 50_000  # targets


@dataclass
class Entry:
    """One target and how it is asked; `scraper` for scrapes only."""

    way: Way  # without its targets
    target: PollTarget
    asked: Asked
    standing: TargetStanding
    scraper: Scraper | None = None
    running: bool = False
    ids: dict[str, int] = field(default_factory=dict)  # of the series that the pollers add, by their names
    shown: list[int] = field(default_factory=list)  # the series that it had at the last time

    @property
    def key(self) -> str:
        """What it is known by."""
        return f"{self.asked.door}/{self.asked.record}/{self.asked.target}"

    @property
    def alerts(self) -> set[str]:
        """The keys of all alerts that there can be about it."""
        return {self.asked.key(condition) for condition in (DOWN, SLOW, CERTIFICATE)}

    @property
    def labels(self) -> dict[str, str]:
        """Of what is measured about the target."""
        return self.asked.labels

    def show(self, series: list[int]) -> list[int]:
        """Note which series it has now; those that it had and has no longer."""
        before, self.shown = self.shown, series
        if before == series:
            return []
        there = set(series)
        return [one for one in before if one not in there]


class Entries:
    """By key. `refused` is how many targets found no room."""

    def __init__(self, series: SeriesIds, web: Web) -> None:
        self._series, self._web = series, web
        self.all: dict[str, Entry] = {}
        self.refused = 0

    def follow(
        self, ways: Iterable[tuple[Way, tuple[PollTarget, ...]]]
    ) -> tuple[set[str], list[Entry], list[Entry]]:
        """Have an entry for every target of these and no other; the keys that came or changed, what went, and what now
        has other labels."""
        wanted: dict[str, tuple[Way, PollTarget]] = {}
        self.refused = 0
        for key, way, target in _each(ways):
            if len(wanted) < MOST:
                wanted.setdefault(key, (way, target))
            else:
                self.refused += 1
        gone = [self.all.pop(key) for key in self.all.keys() - wanted.keys()]
        changed, renamed = set(), []
        for key, (way, target) in wanted.items():
            before = self.all.get(key)
            if before is None or before.target != target or before.way != way:
                self.all[key] = now = self._made(way, target, before)
                changed.add(key)
                if before is not None and before.labels != now.labels:
                    renamed.append(before)
                elif before is not None:
                    now.ids, now.shown = before.ids, before.shown
        return changed, gone, renamed

    def _made(self, way: Way, target: PollTarget, before: Entry | None) -> Entry:
        door = SCRAPE if isinstance(way, ScrapeJob) else PROBE
        standing = before.standing if before else None
        standing = standing or TargetStanding(door=door, record=way.id, target=target.called)
        if isinstance(way, ScrapeJob):
            scraper = Scraper(way, target, self._series, self._web)
            asked = Asked(door, way.id, target.called, scraper.labels, way.failures)
            return Entry(way, target, asked, standing, scraper)
        labels = {**target.labels, "job": "probe", "probe": way.name, "instance": target.address}
        return Entry(way, target, Asked(door, way.id, target.address, labels, way.failures), standing)


def _each(ways: Iterable[tuple[Way, tuple[PollTarget, ...]]]) -> Iterator[tuple[str, Way, PollTarget]]:
    for way, targets in ways:
        bare = msgspec.structs.replace(way, targets=())
        door = SCRAPE if isinstance(way, ScrapeJob) else PROBE
        for target in targets:
            yield f"{door}/{way.id}/{target.called}", bare, target
