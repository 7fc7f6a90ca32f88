"""Query by query what Debian's Prometheus says of the same samples, and what we say."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support import require
from tests.telemetry.promql_queries import query
from tests.telemetry.promql_world import COUNT, INTERVAL, Prometheus, World, load, prometheus
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.telemetry import promql
from watchkeeper.telemetry.endpoint import Endpoint
from watchkeeper.telemetry.promql.values import Samples, Scalar, Vector
from watchkeeper.telemetry.store import Store

START = (int(time.time() * 1000) - 3 * 3_600_000) // 600_000 * 600_000
END = START + COUNT * INTERVAL
RANGES = ((START + 900_000, START + 1_800_000, 60_000), (START - 120_000, END + 420_000, 137_000))
INSTANTS = (START + 1_800_000, START + 2_553_123)
QUERIES = [
    line for line in (Path(__file__).parents[1] / "captures/promql/queries.txt").read_text().splitlines()
    if line and not line.startswith("#")
]  # fmt: skip


@dataclass
class Both:
    """The same in both."""

    store: Store
    other: Prometheus


@pytest.fixture(scope="module")
def both(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The world in Prometheus and in the store."""
    require(shutil.which("prometheus"), "prometheus is not installed")
    folder = tmp_path_factory.mktemp("promql")
    store = Store(f"{endpoint.dsn.rpartition('/')[0]}/promql")
    store.migrate()
    journal = SqliteJournal(folder / "journal.db")
    made = World(START).series
    load(store, journal, made)
    journal.close()
    with prometheus(folder) as other:
        other.load(made)
        yield Both(store, other)
    store.close()


def _named(labels: Any) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


def _theirs(answer: Any) -> Any:
    """What Prometheus answered, in the shape of `_ours`."""
    if answer["status"] == "error":
        return "error"
    data = answer["data"]
    if data["resultType"] in ("scalar", "string"):
        return {(): [(data["result"][0], float(data["result"][1]))]}
    return {
        _named(one["metric"]): [(t, float(v)) for t, v in one.get("values", [one.get("value")])]
        for one in data["result"]
    }


def _ours_at(store: Store, text: str, at_ms: int) -> Any:
    try:
        found = promql.query(store, text, at_ms)
    except promql.QueryError:
        return "error"
    if isinstance(found, Scalar):
        return {(): [(at_ms / 1000, float(found.values[0]))]}
    if isinstance(found, Samples):
        return {
            _named(labels): list(
                zip((found.times[a:b] / 1000).tolist(), found.values[a:b].tolist(), strict=True)
            )
            for labels, a, b in zip(found.labels, found.starts, found.starts[1:], strict=False)
        }
    assert isinstance(found, Vector)
    return {
        _named(labels): [(at_ms / 1000, float(v[0]))]
        for labels, v in zip(found.labels, found.values, strict=True)
    }


def _ours(store: Store, text: str, start: int, end: int, step: int) -> Any:
    try:
        lines = promql.query_range(store, text, start, end, step)
    except promql.QueryError:
        return "error"
    return {
        _named(line.labels): [(t / 1000, v) for t, v in zip(line.times_ms, line.values, strict=True)]
        for line in lines
    }


def _same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


def _difference(theirs: Any, ours: Any) -> str:
    """Where two answers differ; empty where they do not."""
    if "error" in (theirs, ours):
        return "" if theirs == ours else f"{str(theirs)[:200]} != {str(ours)[:200]}"
    if theirs.keys() != ours.keys():
        return f"series {sorted(theirs)[:3]} != {sorted(ours)[:3]} ({len(theirs)}, {len(ours)})"
    for labels, points in theirs.items():
        if [t for t, _ in points] != [t for t, _ in ours[labels]]:
            return (
                f"{labels}: times {points[:3]} … != {ours[labels][:3]} … ({len(points)}, {len(ours[labels])})"
            )
        for (t, a), (_, b) in zip(points, ours[labels], strict=True):
            if not _same(a, b):
                return f"{labels} at {t}: {a!r} != {b!r}"
    return ""


def test_there_are_several_hundred_queries() -> None:
    assert len(QUERIES) > 300 and len(set(QUERIES)) == len(QUERIES)


@pytest.mark.parametrize("text", QUERIES)
def test_answers_are_those_of_prometheus(both: Both, text: str) -> None:
    for at in INSTANTS:
        theirs = _theirs(both.other.ask("query", query=text, time=at / 1000))
        assert not _difference(theirs, _ours_at(both.store, text, at)), f"at {at - START}"
    for start, end, step in RANGES:
        answer = both.other.ask(
            "query_range", query=text, start=start / 1000, end=end / 1000, step=step / 1000
        )
        assert not _difference(_theirs(answer), _ours(both.store, text, start, end, step)), f"by {step}"


def test_so_are_answers_to_queries_made_at_random(both: Both) -> None:
    random = Random(20)
    for made in (query(random) for _ in range(150)):
        for start, end, step in RANGES:
            answer = both.other.ask(
                "query_range", query=made, start=start / 1000, end=end / 1000, step=step / 1000
            )
            assert not _difference(_theirs(answer), _ours(both.store, made, start, end, step)), (
                f"{made} by {step}"
            )
