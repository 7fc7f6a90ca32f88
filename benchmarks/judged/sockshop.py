"""Sock Shop (Ikram et al. 2022): processor and memory faults of 13 services, no graph. Avg@5: the mean of the shares of
faults whose service is among the first 1 to 5; the onset is given, given late, or not given."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.judged import Figure
from benchmarks.judged.cause_baselines import n_sigma, robust
from watchkeeper.analysis.causes.metrics import causes_of_metrics
from watchkeeper.analysis.causes.onset import find_onset

Array = NDArray[np.float64]
Ranker = Callable[[list[tuple[str, str]], Array, int | None], list[str]]
LATE = (0, 60, 120, None)  # rows; None: not given
SKIPPED = 0.6  # at most this part of normal times is left out when the onset is not given
PUBLISHED = "BARO .99, n-sigma .98 with the onset given exactly"


def ours(keys: list[tuple[str, str]], values: Array, at: int | None) -> list[str]:
    """The live method."""
    named = [(service, metric, "") for service, metric in keys]
    return list(dict.fromkeys(c.entity for c in causes_of_metrics(named, values, at=at).causes))


def simple(method: Callable[..., list[str]]) -> Ranker:
    """A simple method; where the onset is not given it gets the one that we find."""

    def rank(keys: list[tuple[str, str]], values: Array, at: int | None) -> list[str]:
        begin = at if at is not None else find_onset(values) or values.shape[1] // 2
        return method([k[0] for k in keys], values[:, :begin], values[:, begin:])

    return rank


def read(path: Path) -> dict[str, Array]:
    """Series by name, without the clock."""
    with path.open(newline="") as f:
        rows = list(csv.DictReader(f))
    return {
        name: np.array([float(r[name]) if r[name] else np.nan for r in rows])
        for name in rows[0]
        if "_" in name
    }


def judge(data: Path, rank: Ranker, late: int | None) -> float:
    """Avg@5 over all faults."""
    hits = []
    for path in sorted(data.glob("sockshop/*/*/normal.csv")):
        service = path.parent.parent.name.rsplit("-", 1)[0]
        before, after = read(path), read(path.with_name("anomalous.csv"))
        names = sorted(before)
        normal = np.array([before[n] for n in names])
        if late is None:  # it must not lie where it can be guessed
            place = str(path.relative_to(data / "sockshop"))
            normal = normal[:, int(random.Random(place).random() * SKIPPED * normal.shape[1]) :]
        values = np.hstack([normal, np.array([after[n] for n in names])])
        keys = [(service_, metric) for service_, metric in (n.rsplit("_", 1) for n in names)]
        found = rank(keys, values, None if late is None else normal.shape[1] + late)
        hits += [service in found[:k] for k in range(1, 6)]
    return float(np.mean(hits))


def figures(data: Path) -> Iterator[Figure]:
    """Ours beside n-sigma and BARO's score."""
    for late in LATE:
        words = "onset found" if late is None else f"onset {late} rows late" if late else "onset given"
        beside = {
            "n-sigma": judge(data, simple(n_sigma), late),
            "BARO's score": judge(data, simple(robust), late),
        }
        yield Figure(
            "sockshop", f"Avg@5, {words}", judge(data, ours, late), beside, "" if late else PUBLISHED
        )
