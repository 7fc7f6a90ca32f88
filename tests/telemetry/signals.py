"""Signals for tests: small batches of each stream, and a consumer that runs while a block does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa

from tests.support import eventually
from watchkeeper.model.doors import Journal
from watchkeeper.model.signals import SCHEMAS, Stream, batch
from watchkeeper.telemetry.consumer import TelemetryConsumer
from watchkeeper.telemetry.rows import Templater
from watchkeeper.telemetry.store import Store

Batch = tuple[Stream, pa.RecordBatch]


def now_ms() -> int:
    return int(time.time() * 1000)


def series(id: int, name: str, labels: str = "{}", kind: str = "gauge") -> dict[str, object]:
    return {"id": id, "name": name, "labels": labels, "kind": kind, "unit": "s", "door": "test"}


def log(at_ms: int, body: str, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "time_ns": at_ms * 1_000_000, "received_ms": at_ms, "severity": 9, "host": "web-1", "service": "shop",
        "source": "nginx", "body": body, "labels": '{"k":"v"}', "trace_id": "", "span_id": "", "door": "syslog",
    }  # fmt: skip
    return row | changes


def span(at_ms: int, id: str, parent: str, service: str, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "trace_id": "t1", "span_id": id, "parent_id": parent, "service": service, "name": "GET /",
        "kind": "server", "start_ns": at_ms * 1_000_000, "duration_ns": 5_000_000, "status": "ok", "host": "h",
        "peer": "", "labels": '{"http.method":"GET"}', "door": "otlp",
    }  # fmt: skip
    return row | changes


def event(at_ms: int, id: str, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": id, "kind": "alert", "status": "firing", "name": "DiskFull", "severity": "critical",
        "summary": "full", "starts_ms": at_ms, "ends_ms": 0, "received_ms": at_ms, "labels": '{"host":"db-1"}',
        "annotations": '{"runbook":"r"}', "url": "", "door": "alertmanager",
    }  # fmt: skip
    return row | changes


def letter(at_ms: int, reason: str = "malformed", payload: bytes = b"\xff\x00x") -> dict[str, object]:
    return {"time_ms": at_ms, "door": "otlp", "sender": "10.0.0.1", "reason": reason, "detail": "no",
            "payload": payload}  # fmt: skip


def samples(values: Sequence[tuple[int, int, float]]) -> Batch:
    """Samples of (series, time in ms, value)."""
    rows: list[dict[str, object]] = [{"series": s, "time_ms": t, "value": v} for s, t, v in values]
    return of(Stream.SAMPLES, *rows)


def many_samples(first: int, count: int, at_ms: int) -> Batch:
    """`count` samples, one a series, with the numbers from `first` as series and noise as value."""
    ids = np.arange(first, first + count, dtype=np.uint64)
    columns: list[Any] = [
        ids,
        np.full(count, at_ms, dtype=np.int64),
        np.random.default_rng(first).random(count),
    ]
    return Stream.SAMPLES, pa.RecordBatch.from_arrays(
        [pa.array(c) for c in columns], schema=SCHEMAS[Stream.SAMPLES]
    )


def of(stream: Stream, *rows: dict[str, object]) -> Batch:
    return stream, batch(stream, list(rows))


@contextmanager
def consuming(
    journal: Journal, store: Store, templater: Templater | None = None, linger: float = 0.01
) -> Iterator[TelemetryConsumer]:
    """A consumer that runs in a thread."""
    consumer = TelemetryConsumer(journal, store, templater, linger=linger)
    stop = threading.Event()
    thread = threading.Thread(target=consumer.run, args=(stop,))
    thread.start()
    try:
        yield consumer
    finally:
        stop.set()
        thread.join()


def carry(journal: Journal, store: Store, templater: Templater | None = None) -> TelemetryConsumer:
    """Run a consumer until it has passed the end of the journal."""
    with consuming(journal, store, templater) as consumer:
        eventually(lambda: journal.committed("telemetry") >= journal.end())
    return consumer


def count(store: Store, table: str) -> int:
    return int(store.rows(f"SELECT count() AS n FROM {table}")[0]["n"])
