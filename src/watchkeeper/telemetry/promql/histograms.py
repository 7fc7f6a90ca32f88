"""histogram_quantile over classic histograms: series `…_bucket` with a label `le`."""

from __future__ import annotations

import numpy as np

from watchkeeper.telemetry.promql.values import (
    NAME,
    Flags,
    Floats,
    Key,
    Labels,
    Scalar,
    Vector,
    key,
    nothing,
    without,
)

_BOUND = "le"


def quantile(q: Scalar, of: Vector) -> Vector:
    """The value below which a share of `q` of each histogram's observations lies, by straight lines within buckets."""
    groups: dict[Key, list[tuple[float, int]]] = {}
    labels: dict[Key, Labels] = {}
    for i, one in enumerate(of.labels):
        bound = _number(one.get(_BOUND, ""))
        if bound is not None:
            kept = without(one, (_BOUND, NAME))
            labels.setdefault(key(kept), kept)
            groups.setdefault(key(kept), []).append((bound, i))
    if not groups:
        return nothing(of.values.shape[1])
    values, present = [], []
    for buckets in groups.values():
        rows = [i for _, i in sorted(buckets)]
        bounds = np.array(sorted(bound for bound, _ in buckets))
        there = of.present[rows]
        values.append(_of_histogram(q.values, bounds, of.values[rows], there))
        present.append(there.any(axis=0))
    return Vector(list(labels.values()), np.array(values), np.array(present))


def _number(text: str) -> float | None:
    try:
        return float(text) if text and "_" not in text else None
    except ValueError:
        return None


def _of_histogram(q: Floats, bounds: Floats, counts: Floats, there: Flags) -> Floats:
    """[steps] of one histogram; steps at which the same buckets are there are done together."""
    out = np.full(counts.shape[1], np.nan)
    patterns, which = np.unique(there, axis=1, return_inverse=True)
    which = which.ravel()
    for number in range(patterns.shape[1]):
        steps = np.flatnonzero(which == number)
        rows = np.flatnonzero(patterns[:, number])
        if len(rows):
            out[steps] = _of_buckets(q[steps], bounds[rows], counts[np.ix_(rows, steps)])
    return out


def _of_buckets(q: Floats, bounds: Floats, counts: Floats) -> Floats:
    bounds, first = np.unique(bounds, return_index=True)
    counts = np.maximum.accumulate(np.add.reduceat(counts, first, axis=0), axis=0)
    extreme = np.where(q < 0, -np.inf, np.where(q > 1, np.inf, np.nan))
    if len(bounds) < 2 or bounds[-1] != np.inf:
        return np.where(np.isnan(extreme), np.nan, extreme)
    steps = np.arange(counts.shape[1])
    rank = q * counts[-1]
    bucket = np.minimum((counts < rank[None, :]).sum(axis=0), len(bounds) - 1)
    before = np.maximum(bucket - 1, 0)
    inner = bucket > 0
    low = np.where(inner, bounds[before], 0.0)
    below = np.where(inner, counts[before, steps], 0.0)
    high = bounds[bucket]
    found = low + (high - low) * ((rank - below) / (counts[bucket, steps] - below))
    found = np.where((bucket == 0) & (bounds[0] <= 0), bounds[0], found)
    found = np.where(bucket == len(bounds) - 1, bounds[-2], found)
    found = np.where(counts[-1] == 0, np.nan, found)
    return np.where(np.isnan(q), np.nan, np.where(np.isnan(extreme), found, extreme))
