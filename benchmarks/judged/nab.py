"""The Numenta Anomaly Benchmark (Lavin and Ahmad 2015), version 1.1: alarms inside a window earn by how early they are,
others cost by how far they are from one; 0 is no alarm at all, 100 perfection. One threshold a profile for all files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.judged import Figure
from benchmarks.judged.detectors import Array, Scores, ours, windowed_gaussian

PROFILES = {
    "standard": (0.11, 1.0),
    "low FP": (0.22, 1.0),
    "low FN": (0.11, 2.0),
}  # cost of an alarm, of a miss
PUBLISHED = {
    "standard": "ARTime 78.2 on this part, 74.9 on the whole; HTM 71.2 and 70.1",
    "low FP": "ARTime 65.2, CAD OSE 67.0 on the whole",
    "low FN": "ARTime 80.4 on the whole",
}


class Worth(NamedTuple):
    """What alarms at rows of one file are worth: inside windows the share of the full gain, outside of the full cost; the
    number of the window, -1 outside."""

    worth: Array
    window: NDArray[np.int64]


def worth(times: Sequence[str], windows: Sequence[tuple[str, str]]) -> Worth:
    """By NAB's scaled sigmoid."""
    value, window = np.full(len(times), -1.0), np.full(len(times), -1)
    first = {t: i for i, t in reversed(list(enumerate(times)))}
    spans = [(first[a], first[b]) for a, b in windows]
    for number, (begin, end) in enumerate(spans):
        following = spans[number + 1][0] if number + 1 < len(spans) else len(times)
        after = (np.arange(end + 1, following) - end) / max(end - begin, 1)
        value[end + 1 : following] = np.where(after > 3, -1.0, _sigmoid(np.minimum(after, 3)))
    for number, (begin, end) in enumerate(spans):
        inside = (np.arange(begin, end + 1) - end - 1) / (end - begin + 1)
        value[begin : end + 1] = _sigmoid(inside) / _sigmoid(np.array(-1.0))
        window[begin : end + 1] = number
    return Worth(value, window)


def _sigmoid(x: Array) -> Array:
    return np.asarray(2.0 / (1.0 + np.exp(5.0 * x)) - 1.0)


def best(files: Sequence[tuple[Array, Worth]], alarm: float, miss: float) -> float:
    """The score of the profile at the best threshold for all files. Scores and worths of scored rows only."""
    scores, gains, count = [], [], 0
    for score, (value, window) in files:
        gain = value * alarm
        order = np.argsort(-score, kind="stable")
        for number in np.unique(window[window >= 0]):
            count += 1
            own = order[window[order] == number]
            reached = np.maximum.accumulate(np.maximum(value[own], -miss))
            gain[own] = np.diff(reached, prepend=-miss)
        scores.append(score)
        gains.append(gain)
    score, gain = np.concatenate(scores), np.concatenate(gains)
    order = np.argsort(-score, kind="stable")
    total = np.cumsum(gain[order]) - miss * count
    complete = np.append(np.diff(score[order]) != 0, True)  # rows of one score are alarms together
    return float(100.0 * (max(total[complete].max(), -miss * count) + miss * count) / (count + miss * count))


def judge(folder: Path, detector: Scores) -> dict[str, float]:
    """Figures by profile."""
    files = []
    for name, windows in sorted(json.loads((folder / "windows.json").read_text()).items()):
        with (folder / name).open(newline="") as f:
            rows = list(csv.DictReader(f))
        times = [r["timestamp"][:19] for r in rows]
        seconds = np.array([int(datetime.fromisoformat(t).replace(tzinfo=UTC).timestamp()) for t in times])
        score = detector(seconds, np.array([float(r["value"]) for r in rows]))
        value, window = worth(times, [(a[:19], b[:19]) for a, b in windows])
        begin = min(int(0.15 * len(rows)), 750)
        files.append((score[begin:], Worth(value[begin:], window[begin:])))
    return {profile: best(files, *costs) for profile, costs in PROFILES.items()}


def figures(data: Path) -> Iterator[Figure]:
    """Ours beside NAB's own simplest."""
    mine, gaussian = judge(data / "nab", ours), judge(data / "nab", windowed_gaussian)
    for profile in PROFILES:
        yield Figure(
            "nab", profile, mine[profile], {"windowed Gaussian": gaussian[profile]}, PUBLISHED[profile]
        )
