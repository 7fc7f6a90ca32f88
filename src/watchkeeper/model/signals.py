"""The signals as columns: what receivers make, the journal keeps, and telemetry and analysis read.

Every journal entry is one Arrow record batch of one of these streams. Times say their unit in their name:
`_ms` and `_ns` are Unix time, int64. `labels` columns hold one JSON object of strings, keys sorted.
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

STALE = 0x7FF0000000000002
"""The bits of the NaN that says, among samples, that a series ended (Prometheus' staleness marker)."""


class Stream(StrEnum):
    """The streams of the journal, in the order in which one group of entries is appended."""

    DISCOVERIES = "discoveries"
    SERIES = "series"
    SAMPLES = "samples"
    LOGS = "logs"
    SPANS = "spans"
    EVENTS = "events"
    ACTS = "acts"
    DEAD_LETTERS = "dead_letters"


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns.items()])


_u64, _i64, _f64, _str, _bin, _u8 = (
    pa.uint64(),
    pa.int64(),
    pa.float64(),
    pa.string(),
    pa.binary(),
    pa.uint8(),
)

SCHEMAS: dict[Stream, pa.Schema] = {
    # JSON of model.topology.Discovery, one a row
    Stream.DISCOVERIES: _schema(time_ms=_i64, origin=_str, document=_bin),
    # id: 64-bit hash of the canonical label set, name included; kind: gauge counter histogram summary unknown
    Stream.SERIES: _schema(id=_u64, name=_str, labels=_str, kind=_str, unit=_str, door=_str),
    Stream.SAMPLES: _schema(series=_u64, time_ms=_i64, value=_f64),
    # severity: OpenTelemetry SeverityNumber, 1 to 24, 0 unknown; source: program, logger or unit
    Stream.LOGS: _schema(
        time_ns=_i64,
        received_ms=_i64,
        severity=_u8,
        host=_str,
        service=_str,
        source=_str,
        body=_str,
        labels=_str,
        trace_id=_str,
        span_id=_str,
        door=_str,
    ),
    # status: unset ok error; kind: internal server client producer consumer; peer: whom a client calls
    Stream.SPANS: _schema(
        trace_id=_str,
        span_id=_str,
        parent_id=_str,
        service=_str,
        name=_str,
        kind=_str,
        start_ns=_i64,
        duration_ns=_i64,
        status=_str,
        host=_str,
        peer=_str,
        labels=_str,
        door=_str,
    ),
    # kind: alert change; status: firing resolved; ends_ms 0 while unknown
    Stream.EVENTS: _schema(
        id=_str,
        kind=_str,
        status=_str,
        name=_str,
        severity=_str,
        summary=_str,
        starts_ms=_i64,
        ends_ms=_i64,
        received_ms=_i64,
        labels=_str,
        annotations=_str,
        url=_str,
        door=_str,
    ),
    # what people and workflows do to alerts and situations: JSON of model.act.Act, one a row
    Stream.ACTS: _schema(time_ms=_i64, document=_bin),
    # what could not be parsed: as much of it as is kept, from whom, and why
    Stream.DEAD_LETTERS: _schema(
        time_ms=_i64, door=_str, sender=_str, reason=_str, detail=_str, payload=_bin
    ),
}


def batch(stream: Stream, rows: list[dict[str, object]]) -> pa.RecordBatch:
    """Rows as one record batch of the stream's schema. Raises pa.ArrowInvalid when a column does not fit."""
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMAS[stream])
