"""What is asked of telemetry about a situation, and what its answer says: the series of the items in trouble and of what
they need, around the beginning, ranked as `causes_of_metrics` does. Whoever asks and whoever reads are elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from watchkeeper.analysis.causes.metrics import Key, causes_of_metrics, edges_of
from watchkeeper.analysis.pipeline import SeriesInfo
from watchkeeper.analysis.stages.detect_words import quantity, unit_of
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.topology import Topology
from watchkeeper.model.verdicts import Cause

BEFORE_MS, AFTER_MS = 7_200_000, 1_800_000  # what is read before and after the first alert
STEP_MS = 30_000  # one row
MOST_ITEMS, MOST_SERIES = 150, 1000
OF_ITEM, OF_METRIC = 24, 4  # series at most
_KINDS = ("gauge", "counter", "unknown")  # whose samples are values; buckets of a histogram are not


class Asked(msgspec.Struct, frozen=True):
    """One series: whose it is, what it measures, which of several of its kind, whether its growth counts, and the unit."""

    id: int
    item: str
    metric: str
    which: str
    counter: bool
    unit: str = ""

    @property
    def key(self) -> Key:
        """As causes of metrics are told."""
        return self.item, self.metric, self.which


class Question(msgspec.Struct, frozen=True):
    """About one situation."""

    situation: str
    onset_ms: int  # of the first alert; the trouble may be older
    asked_ms: int
    series: tuple[Asked, ...]
    edges: tuple[tuple[str, str], ...]  # who needs, what is needed
    names: dict[str, str]

    @property
    def window(self) -> tuple[int, int]:
        """What is read, Unix milliseconds."""
        begin = (self.onset_ms - BEFORE_MS) // STEP_MS * STEP_MS
        return begin, min(self.asked_ms, self.onset_ms + AFTER_MS)

    def answered(self, points: Mapping[int, Iterable[tuple[int, float]]]) -> list[Cause]:
        """Causes, best first, from the points (Unix milliseconds, value) that were read of each series; empty when
        metrics show none."""
        begin, end = self.window
        values = np.full((len(self.series), max(1, -(-(end - begin) // STEP_MS))), np.nan)
        for row, series in enumerate(self.series):
            for time_ms, value in points.get(series.id, ()):
                if begin <= time_ms < end:
                    values[row, (time_ms - begin) // STEP_MS] = value
        found = causes_of_metrics(
            [s.key for s in self.series], values, at=(self.onset_ms - begin) // STEP_MS, edges=self.edges,
            named=lambda item: self.names.get(item, item), shown=self._shown,
        )  # fmt: skip
        return [
            Cause(blame.entity, blame.score, tuple(self._marked(r, blame.series) for r in blame.because))
            for blame in found.causes
        ]

    def _shown(self, key: Key, value: float) -> str:
        series = next(s for s in self.series if s.key == key)
        return quantity(value, series.unit, series.counter)

    def _marked(self, reason: Reason, row: int) -> Reason:
        """A reason about a level carries the series that shows it."""
        if reason.kind is not ReasonKind.LEVEL:
            return reason
        told = {"series": f"{self.series[row].id:016x}", "metric": self.series[row].metric}
        return msgspec.structs.replace(reason, data=told)


def chosen(items: Sequence[str], series_of: Mapping[str, Sequence[SeriesInfo]]) -> list[Asked]:
    """Series of these items, the nearest items first: those of all of them as far as there is room, not all of a few."""
    most = min(OF_ITEM, max(1, MOST_SERIES // max(1, len(items))))
    return [asked for item in items for asked in _of_item(item, series_of.get(item, ()))[:most]]


def _of_item(item: str, infos: Sequence[SeriesInfo]) -> list[Asked]:
    """One of each metric, then the second of each, and so on; series of a metric are told apart by labels that differ."""
    by_metric: dict[str, list[SeriesInfo]] = {}
    for info in sorted(infos, key=lambda s: s.id):
        if info.kind in _KINDS:
            by_metric.setdefault(info.name, []).append(info)
    ranked = []
    for metric, alike in by_metric.items():
        labels = {name for s in alike for name in s.labels}
        differ = sorted(n for n in labels if len({s.labels.get(n) for s in alike}) > 1)
        for number, s in enumerate(alike[:OF_METRIC]):
            which = ", ".join(f"{n}={s.labels.get(n, '')}" for n in differ)
            ranked.append((number, metric, Asked(s.id, item, metric, which, s.kind == "counter", unit_of(s))))
    return [asked for _, _, asked in sorted(ranked, key=lambda r: r[:2])]


def relations(items: Iterable[str], topology: Topology) -> list[tuple[str, str]]:
    """(who needs, what is needed) among these items."""
    among = set(items)
    kept = [r for i in sorted(among) for r in topology.outgoing.get(i, ()) if r.target in among]
    return edges_of((r.source, r.target, r.kind.value) for r in kept)
