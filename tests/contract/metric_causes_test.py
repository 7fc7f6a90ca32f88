"""What everything that ranks causes from metrics must keep to: found by its name, `causes_of_…`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.contract.finding import functions
from watchkeeper.analysis import causes
from watchkeeper.analysis.causes.metrics import Key
from watchkeeper.analysis.causes.onset import Array

every = pytest.mark.parametrize(
    "rank", functions(causes, lambda name, signature: name.startswith("causes_of") and "at" in signature.parameters)
)  # fmt: skip
KEYS: list[Key] = [(f"n{n}", m, "") for n in range(30) for m in ("latency", "cpu")]
EDGES = [(f"n{n // 2}", f"n{n}") for n in range(1, 30)]


def table(seed: int = 1, rows: int = 240) -> Array:
    """One node and all that need it leave their range at row 180."""
    values = np.abs(np.random.default_rng(seed).normal(10, 1, (len(KEYS), rows)))
    for node in (12, 6, 3, 1, 0):
        values[2 * node, 180:] += 9
    return values


@every
def test_it_is_deterministic_and_neither_order_nor_input_is_touched(rank: Any) -> None:
    values = table()
    kept, first = values.copy(), rank(KEYS, values, edges=EDGES)
    order = np.random.default_rng(3).permutation(len(KEYS))
    mixed = rank([KEYS[i] for i in order], values[order], edges=EDGES[::-1])
    assert [c.entity for c in mixed.causes] == [c.entity for c in first.causes]
    assert rank(KEYS, values, edges=EDGES) == first
    assert np.array_equal(values, kept)


@every
def test_best_first_with_sentences_and_bounded(rank: Any) -> None:
    found = rank(KEYS, table(), at=180, edges=EDGES).causes
    assert found[0].entity == "n12" and len(found) <= 10
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
    for c in found:
        assert 0 <= c.score <= 1 and KEYS[c.series][:2] == (c.entity, c.metric)
        assert c.because and all(r.text.endswith(".") and 0 <= r.weight <= 1 for r in c.because)


@every
@pytest.mark.parametrize("missing", [0.0, 0.2, 0.6, 1.0])
def test_gaps_constants_and_huge_values_survive(rank: Any, missing: float) -> None:
    values = table()
    values[np.random.default_rng(2).random(values.shape) < missing] = np.nan
    values[1], values[3], values[5] = 0.0, 1e300, np.nan
    for at in (None, 180):
        found = rank(KEYS, values, at=at, edges=EDGES).causes
        assert all(np.isfinite(c.score) for c in found)
        assert missing == 1.0 or found[0].entity == "n12"


@every
def test_no_rows_no_series_no_graph_and_cycles_survive(rank: Any) -> None:
    for rows in (0, 1, 9, 30):
        rank(KEYS, table(rows=rows) if rows > 180 else np.ones((len(KEYS), rows)), at=rows // 2, edges=EDGES)
    assert rank([], np.empty((0, 50))).causes == []
    assert rank(KEYS, table(), at=180).causes
    ring = [*EDGES, ("n29", "n0"), ("n5", "n5"), ("nobody", "n1")]
    assert rank(KEYS, table(), at=180, edges=ring).causes
