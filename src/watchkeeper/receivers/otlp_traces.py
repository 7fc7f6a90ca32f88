"""OTLP's spans as rows of the spans stream. Links, and events other than exceptions, are not kept."""

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
    alone,
    clean,
    hex_id,
    host_of,
    labels,
    number,
    resource_labels,
)

_KINDS = ("internal", "internal", "server", "client", "producer", "consumer")
_KIND_NAMES = {"SPAN_KIND_" + name.upper(): i for i, name in enumerate(_KINDS) if i}
_STATUSES = ("unset", "ok", "error")
_STATUS_NAMES = {"STATUS_CODE_" + name.upper(): i for i, name in enumerate(_STATUSES)}
#: attributes that name whom a client calls, best first: today's semantic conventions, then older ones
_PEERS = (
    "peer.service", "service.peer.name", "server.address", "net.peer.name", "http.host",
    "network.peer.address", "net.peer.ip", "rpc.service", "db.system.name", "db.system", "messaging.system",
)  # fmt: skip
_EXCEPTION = ("exception.type", "exception.message")
_PATH = ("resource_spans", "scope_spans", "spans")


def spans(request: Message, now_ms: int, refused: Refused) -> pa.RecordBatch | None:  # noqa: ARG001
    """The valid spans of an ExportTraceServiceRequest, or None when there is none; those whose ids or times
    cannot be used go to `refused`."""
    rows: list[tuple[Any, ...]] = []
    for group in request.resource_spans or ():
        resource = resource_labels(group)
        for scoped in group.scope_spans or ():
            base = dict(resource)
            if scoped.scope.name:
                base["otel.scope.name"] = clean(scoped.scope.name)
            if scoped.scope.version:
                base["otel.scope.version"] = clean(scoped.scope.version)
            for span in scoped.spans or ():
                row = _row(span, dict(base))
                if isinstance(row, str):
                    refused.add(
                        row, f"span {clean(span.name)[:100]!r}", alone(request, group, scoped, _PATH, span)
                    )
                else:
                    rows.append(row)
    if not rows:
        return None
    schema = SCHEMAS[Stream.SPANS]
    columns = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays(
        [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema
    )


def _row(span: Message, known: dict[str, str]) -> tuple[Any, ...] | str:
    """A span's row, or the reason why it is refused."""
    trace_id, span_id = hex_id(span.trace_id, 16), hex_id(span.span_id, 8)
    parent_id = hex_id(span.parent_span_id, 8)
    if not trace_id or not span_id or parent_id is None:
        return "bad_id"
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if not 0 < start <= MAX_NS or end > MAX_NS:
        return "bad_time"
    known |= labels(span.attributes)
    for event in span.events or ():
        if event.name == "exception":
            known |= {k: v for k, v in labels(event.attributes).items() if k in _EXCEPTION}
    if span.status.message:
        known["otel.status_description"] = clean(span.status.message)
    kind = _one_of(_KINDS, number(span.kind, _KIND_NAMES))
    return (
        trace_id,
        span_id,
        parent_id,
        known.get("service.name", ""),
        clean(span.name),
        kind,
        start,
        max(0, end - start),
        _one_of(_STATUSES, number(span.status.code, _STATUS_NAMES)),
        host_of(known),
        _peer(known) if kind in ("client", "producer") else "",
        labels_json(known),
        NAME,
    )


def _peer(known: dict[str, str]) -> str:
    for name in _PEERS:
        if name in known:
            return known[name]
    return ""


def _one_of(words: tuple[str, ...], index: int) -> str:
    """The word of an enum's number; the first for one that is not known."""
    return words[index] if 0 <= index < len(words) else words[0]
