"""OTLP's log records as rows of the logs stream."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from watchkeeper.model.series import labels_json
from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.receivers.otlp_values import (
    MAX_NS,
    NAME,
    Message,
    Refused,
    clean,
    hex_id,
    host_of,
    labels,
    number,
    resource_labels,
    text,
)

_LEVELS = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}
_NUMBERS = {
    "SEVERITY_NUMBER_" + name + (str(i + 1) if i else ""): low + i
    for name, low in _LEVELS.items()
    for i in range(4)
}
_WORDS = _LEVELS | {
    "INFORMATION": 9, "NOTICE": 10, "WARNING": 13, "ERR": 17, "CRITICAL": 18, "CRIT": 18, "ALERT": 19,
    "EMERGENCY": 21, "EMERG": 21, "PANIC": 21,
}  # fmt: skip


def logs(request: Message, now_ms: int, refused: Refused) -> pa.RecordBatch | None:  # noqa: ARG001
    """Every log record of an ExportLogsServiceRequest, or None when there is none.

    A record without time gets the time it was observed, else now; ids that are none are left out. So nothing
    is refused, and `refused` stays empty.
    """
    rows: list[tuple[Any, ...]] = []
    for group in request.resource_logs or ():
        resource = resource_labels(group)
        for scoped in group.scope_logs or ():
            scope = {"otel.scope.version": clean(scoped.scope.version)} if scoped.scope.version else {}
            source = clean(scoped.scope.name)
            for record in scoped.log_records or ():
                rows.append(_row(record, {**resource, **scope}, source, now_ms))
    if not rows:
        return None
    schema = SCHEMAS[Stream.LOGS]
    columns = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays(
        [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema
    )


def _row(record: Message, known: dict[str, str], source: str, now_ms: int) -> tuple[Any, ...]:
    known |= labels(record.attributes)
    if record.event_name:
        known["event.name"] = clean(record.event_name)
    level = number(record.severity_number, _NUMBERS)
    if not 0 < level <= 24:
        level = _WORDS.get(record.severity_text.upper(), 0)
        if not level and record.severity_text:
            known["severity_text"] = clean(record.severity_text)
    time_ns = record.time_unix_nano or record.observed_time_unix_nano
    return (
        time_ns if 0 < time_ns <= MAX_NS else now_ms * 1_000_000,
        now_ms,
        level,
        host_of(known),
        known.get("service.name", ""),
        source or known.get("code.namespace", ""),
        text(record.body),
        labels_json(known),
        hex_id(record.trace_id, 16) or "",
        hex_id(record.span_id, 8) or "",
        NAME,
    )
