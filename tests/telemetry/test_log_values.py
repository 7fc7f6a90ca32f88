"""Values of templates as they are asked for, by the real miner and the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.telemetry.signals import carry, log, now_ms, of
from watchkeeper.analysis.templates.templater import Templater
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.log_corrections import TemplateCorrection
from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.telemetry.queries import log_groups, log_values, logs
from watchkeeper.telemetry.store import Store

AT = now_ms() - 60_000
SPAN: dict[str, Any] = {"from_ms": AT - 1000, "to_ms": AT + 120_000}
NAMES = ("ann", "bob", "carol", "dave", "eve")


@pytest.fixture(scope="module")
def world(endpoint: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Templater]]:
    """A hundred lines of one template, and three of a link."""
    store = Store(f"{endpoint.dsn.rpartition('/')[0]}/log_values")
    store.migrate()
    journal = SqliteJournal(tmp_path_factory.mktemp("log-values") / Path("journal.db"))
    bodies = [f"user {NAMES[k % 5]} from 10.0.0.{k} took   {k}.5 ms (100% of (it))" for k in range(100)]
    bodies += ["link 3 is up", "link 4 is down", "link 5 is down"]
    journal.append([of(Stream.LOGS, *(log(AT + k, body) for k, body in enumerate(bodies)))])
    templater = Templater()
    carry(journal, store, templater)
    yield store, templater
    store.close()


def _links(store: Store) -> tuple[int, int]:
    found = {s.text: s.id for s in log_groups.templates(store, "link", **SPAN)}
    return found["link <*> is up"], found["link <*> is down"]


def test_values_are_counted_and_numbers_spread(world: tuple[Store, Templater]) -> None:
    store, _ = world
    (shape,) = log_groups.templates(store, "took", **SPAN)
    found = log_values.values(store, shape.id, **SPAN)
    assert found is not None and found.lines == 100
    assert found.text == "user <*> from <*> took <*> ms (<*>% of (it))"
    user, address, took, share = found.places
    assert [p.kind for p in found.places] == ["user", "address", "number", "number"]
    assert {(v.value, v.count) for v in user.top} == {(name, 20) for name in NAMES}
    assert address.distinct == 100 and address.spread is None and took.before == "took"
    assert took.spread is not None and (took.spread.least, took.spread.most) == (0.5, 99.5)
    assert 49 <= took.spread.median <= 51 and took.spread.p99 > took.spread.p95 > 90
    assert share.distinct == 1
    some = log_values.values(store, shape.id, "ann OR bob", **SPAN)
    assert some is not None and some.lines == 40
    assert log_values.values(store, 4711, **SPAN) is None


def test_lines_of_a_template_that_became_another_are_found_under_both(world: tuple[Store, Templater]) -> None:
    store, templater = world
    up, down = _links(store)
    templater.correct("m", TemplateCorrection(up, other=down))
    store.insert("templates", _told(templater))
    assert len(logs.search(store, f"template:{up}", **SPAN)[0]) == 3
    (shape,) = log_groups.templates(store, "link", **SPAN)
    assert (shape.id, shape.count, shape.text) == (up, 3, "link <*> is <*>")
    templater.correct("m", None)
    store.insert("templates", _told(templater))
    assert {s.count for s in log_groups.templates(store, "link", **SPAN)} == {1, 2}


def _told(templater: Templater) -> Any:
    """What telemetry stores with the next batch, here without waiting for one."""
    empty = pa.RecordBatch.from_pylist([], schema=SCHEMAS[Stream.LOGS])
    told = templater(empty)[1]
    at = pa.array([now_ms()] * len(told), pa.int64()).view(pa.timestamp("ms"))
    ids, texts, became = zip(*told, strict=True)
    return pa.table({"id": pa.array(ids, pa.uint64()), "text": pa.array(texts), "became": pa.array(became, pa.uint64()),
                     "updated": at})  # fmt: skip


def test_hostile_wordings_are_taken_for_text() -> None:
    assert (
        log_values.expression("a(b) <*> [c] .* <*>") == r"(?s)^\s*a\(b\)\s+(.*?)\s+\[c\]\s+\.\*\s+(.*?)\s*$"
    )
    many = " ".join(["<*>x"] * 90)
    assert log_values.expression(many).count("(.*?)") == log_values.PLACES
