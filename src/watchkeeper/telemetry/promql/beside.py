"""Samples that are not in the store yet, read along with it: what a rule has just recorded is there for the next rule,
however long the way through the journal takes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
import re2

from watchkeeper.telemetry.promql.errors import BadQuery
from watchkeeper.telemetry.promql.values import NAME, Key, Labels, Samples, key
from watchkeeper.telemetry.queries.series import Matcher


class Beside:
    """Samples by series, each series in order of time. For one writer at a time; readers may be other threads."""

    def __init__(self) -> None:
        self._names: dict[str, dict[Key, tuple[Labels, list[int], list[float]]]] = {}

    def put(self, labels: Labels, time_ms: int, value: float) -> None:
        """Add a sample (Unix ms) that is later than those of its series; one of the same time replaces the other."""
        of = self._names.setdefault(labels.get(NAME, ""), {})
        _, times, values = of.setdefault(key(labels), (dict(labels), [], []))
        if times and times[-1] == time_ms:
            values[-1] = value
        else:
            times.append(time_ms)
            values.append(value)

    def forget(self, before_ms: int) -> None:
        """Drop samples before a time."""
        names = {}
        for name, of in self._names.items():
            kept = {}
            for k, (labels, times, values) in of.items():
                at = bisect_left(times, before_ms)
                if at < len(times):
                    kept[k] = (labels, times[at:], values[at:])
            if kept:
                names[name] = kept
        self._names = names

    def among(self, found: Samples, matchers: Sequence[Matcher], from_ms: int, to_ms: int) -> Samples:
        """What was found in the store and what is here of the series that match, from and to included. Raises BadQuery."""
        here = list(self._matching(matchers, from_ms, to_ms))
        if not here:
            return found
        every: dict[Key, tuple[Labels, dict[int, float]]] = {
            key(labels): (labels, dict(zip(found.times[a:b].tolist(), found.values[a:b], strict=True)))
            for labels, a, b in zip(
                found.labels, found.starts.tolist(), found.starts.tolist()[1:], strict=False
            )
        }
        for labels, times, values in here:
            every.setdefault(key(labels), (labels, {}))[1].update(zip(times, values, strict=True))
        return _samples([every[k] for k in sorted(every)])

    def _matching(
        self, matchers: Sequence[Matcher], from_ms: int, to_ms: int
    ) -> list[tuple[Labels, list[int], list[float]]]:
        exact = [m.value for m in matchers if m.label == NAME and m.operator == "="]
        out = []
        for name in exact[:1] or list(self._names):
            for labels, times, values in self._names.get(name, {}).values():
                low, high = bisect_left(times, from_ms), bisect_right(times, to_ms)
                if low < high and all(_holds(m, labels) for m in matchers):
                    out.append((labels, times[low:high], values[low:high]))
        return out


def _samples(of: Sequence[tuple[Labels, dict[int, float]]]) -> Samples:
    rows = [sorted(samples.items()) for _, samples in of]
    starts = np.concatenate(([0], np.cumsum([len(r) for r in rows]))).astype(np.int64)
    return Samples(
        [labels for labels, _ in of], starts,
        np.array([t for r in rows for t, _ in r], dtype=np.int64), np.array([v for r in rows for _, v in r]),
    )  # fmt: skip


def _holds(m: Matcher, labels: Labels) -> bool:
    value = labels.get(m.label, "")
    if m.operator in ("=", "!="):
        return (value == m.value) is (m.operator == "=")
    try:
        return bool(re2.fullmatch(m.value, value)) is (m.operator == "=~")
    except re2.error as error:
        raise BadQuery(f"a regular expression that cannot be used: {m.value}") from error
