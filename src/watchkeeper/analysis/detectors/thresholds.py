"""Thresholds: values against fixed levels, with a duration to last and a level of recovery.

One watch is one rule at one series. Time is that of the samples, so that a replay gives the same; what comes late (not
after the last of its series) is passed by. Vectorised over watches; of a batch, the first samples of all series are
taken together, then the second, and so on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

GAP_MS = 300_000  # without a value, after which what was going on has to begin anew
AHEAD_MS = 600_000  # a sample further in the future is wrong
OPERATORS = (">", ">=", "<", "<=", "==", "!=")
ABSENT = len(OPERATORS)  # in place of an operator: watched for its coming only
_COMPARE = (np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal)

WATCH = np.dtype(
    [
        # what is asked
        ("series", "u8"), ("operator", "i1"), ("rate", "?"), ("level", "f8"), ("recovery", "f8"), ("for_ms", "i8"),
        ("recover_ms", "i8"),
        # how it stands; times are 0 for never
        ("raw", "f8"), ("value", "f8"), ("time", "i8"), ("heard", "i8"), ("since", "i8"), ("recovering", "i8"),
        ("firing", "?"),
    ]
)  # fmt: skip
ASKED = ("series", "operator", "rate", "level", "recovery", "for_ms", "recover_ms")


class Turn(NamedTuple):
    """A watch that begins to fire, or has recovered: its row, the sample, and since when it was beyond its level."""

    row: int
    time_ms: int
    value: float
    since_ms: int
    firing: bool


class Thresholds:
    """`rows` are the watches, of type WATCH; whoever replaces them calls `place`.

    >>> rows = np.zeros(1, WATCH)
    >>> rows["series"], rows["level"], rows["recovery"], rows["for_ms"] = 7, 90, 80, 60_000
    >>> t = Thresholds(rows)
    >>> times = np.arange(1, 5) * 60_000
    >>> [(turn.time_ms, turn.firing) for turn in t.update(np.full(4, 7, np.uint64), times,
    ...                                                   np.array([95.0, 96, 85, 70]), 300_000)]
    [(120000, True), (240000, False)]
    """

    def __init__(self, rows: NDArray[Any] | None = None) -> None:
        self.place(np.zeros(0, WATCH) if rows is None else rows)

    def place(self, rows: NDArray[Any]) -> None:
        """Take these watches, with what they know, in place of all others."""
        self.rows = rows
        self._order = np.argsort(rows["series"], kind="stable")
        self._ids = rows["series"][self._order]

    def update(
        self, series: NDArray[np.uint64], times: NDArray[np.int64], values: NDArray[np.float64], now_ms: int
    ) -> list[Turn]:
        """Take samples of many series mixed; return what turned, in the order of time within each watch."""
        if not len(self._ids):
            return []
        left = np.searchsorted(self._ids, series)
        here = (self._ids[np.minimum(left, len(self._ids) - 1)] == series) & (times <= now_ms + AHEAD_MS)
        series, times, values = series[here], times[here], values[here]
        out: list[Turn] = []
        for rows, at in self._rounds(series, times):
            out += self._step(rows, times[at], values[at], now_ms)
        return out

    def _rounds(
        self, series: NDArray[np.uint64], times: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Watches (each once) and the sample for each, in the order of time for each series."""
        order = np.lexsort((times, series))
        series = series[order]
        first = np.flatnonzero(np.r_[True, series[1:] != series[:-1]]) if len(series) else order
        nth = np.arange(len(series)) - np.repeat(first, np.diff(np.r_[first, len(series)]))
        by_round = np.argsort(nth, kind="stable")
        ends = np.cumsum(np.bincount(nth)) if len(nth) else np.zeros(0, np.int64)
        begin = 0
        for end in ends.tolist():
            chosen = by_round[begin:end]
            left = np.searchsorted(self._ids, series[chosen])
            many = np.searchsorted(self._ids, series[chosen], "right") - left
            offset = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
            yield self._order[np.repeat(left, many) + offset], np.repeat(order[chosen], many)
            begin = end

    def _step(
        self, rows: NDArray[np.int64], times: NDArray[np.int64], values: NDArray[np.float64], now_ms: int
    ) -> list[Turn]:
        """One sample for each of these watches."""
        self.rows["heard"][rows] = now_ms
        later = times > self.rows["time"][rows]
        rows, times, values = rows[later], times[later], values[later]
        w = self.rows[rows]
        gap = (w["time"] > 0) & (times - w["time"] > np.maximum(GAP_MS, w["for_ms"]))
        w["since"][gap] = w["recovering"][gap] = 0
        judged = _judged(w, times, values)
        number = ~np.isnan(values)
        w["raw"] = np.where(number, values, w["raw"])
        w["time"] = np.where(number | ~w["rate"], times, w["time"])
        broken = ~number  # what is no number is a gap: it neither lasts nor recovers
        w["since"][broken] = w["recovering"][broken] = 0
        valid = ~np.isnan(judged) & (w["operator"] != ABSENT)
        w["value"] = np.where(valid, judged, w["value"])
        began, ended, since = _turn(w, judged, times, valid)
        self.rows[rows] = w
        turned = np.flatnonzero(began | ended)
        return [
            Turn(int(rows[i]), int(times[i]), float(judged[i]), int(since[i]), bool(began[i])) for i in turned
        ]


def _judged(w: NDArray[Any], times: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is compared: the value, or by how much it has grown a second; NaN where there is none."""
    if not w["rate"].any():
        return values
    with np.errstate(invalid="ignore", over="ignore"):  # infinite counters grow by nothing that can be said
        grown = np.where(values >= w["raw"], values - w["raw"], values)  # what began anew began at 0
    rate = np.where(w["time"] > 0, grown / ((times - w["time"]) / 1000.0), np.nan)
    return np.where(w["rate"], rate, values)


def _turn(
    w: NDArray[Any], judged: NDArray[np.float64], times: NDArray[np.int64], valid: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]:
    """Which begin to fire, which have recovered, and since when they were beyond; `w` is moved on."""
    beyond, held = _compare(w["operator"], judged, w["level"]), _compare(w["operator"], judged, w["recovery"])
    calm, firing = valid & ~w["firing"], valid & w["firing"]
    since = np.where(w["since"] > 0, w["since"], times)
    w["since"] = np.where(calm, np.where(beyond, since, 0), w["since"])
    began = calm & beyond & (times - w["since"] >= w["for_ms"])
    back = np.where(w["recovering"] > 0, w["recovering"], times)
    w["recovering"] = np.where(firing, np.where(held, 0, back), w["recovering"])
    ended = firing & ~held & (times - w["recovering"] >= w["recover_ms"])
    since = w["since"].copy()
    w["firing"] = (w["firing"] | began) & ~ended
    w["recovering"][began | ended] = 0
    w["since"][ended] = 0
    return began, ended, since


def _compare(
    operators: NDArray[np.int8], values: NDArray[np.float64], levels: NDArray[np.float64]
) -> NDArray[np.bool_]:
    out = np.zeros(len(values), np.bool_)
    for number in np.unique(operators[operators != ABSENT]).tolist():
        here = operators == number
        out[here] = _COMPARE[number](values[here], levels[here])
    return out
