"""Alerts that the platform itself raises, as events for the journal: of one that fires again and again, so that it ends when
nobody tells of it any more; of one that is over once. One thing is one alert, whatever its severity becomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple

import msgspec
import pyarrow as pa

from watchkeeper.domains.situations.models import Alert
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.model.signals import Stream, batch
from watchkeeper.model.verdicts import AlertStatus, fingerprint

_encode = msgspec.json.Encoder(order="sorted").encode


class Raised(NamedTuple):
    """One that fires since `since_ms` and ends at `until_ms` unless it is told again (Unix milliseconds)."""

    labels: Mapping[str, str]
    since_ms: int
    until_ms: int
    severity: str
    summary: str
    description: str


def entries(
    name: str, door: str, raised: Iterable[Raised], now_ms: int
) -> list[tuple[Stream, pa.RecordBatch]]:
    """What goes into the journal for these, and for the alerts of this name and door that are none of them any more; nothing
    where there is nothing to tell."""
    told = {fingerprint(name, r.labels): r for r in raised}
    rows = [
        _event(
            AlertStatus.FIRING, r.labels, r.since_ms, now_ms, severity=r.severity, summary=r.summary, ends_ms=r.until_ms,
            annotations=_encode({"description": r.description}).decode(),
        )
        for r in told.values()
    ]  # fmt: skip
    rows += [
        _event(AlertStatus.RESOLVED, a.labels, milliseconds(a.starts_at), now_ms, severity=str(a.severity),
               summary=a.summary, ends_ms=now_ms, annotations="{}")
        for a in Alert.objects.filter(source=door, name=name).exclude(status=AlertStatus.RESOLVED.value)
        if a.fingerprint not in told
    ]  # fmt: skip
    return (
        [(Stream.EVENTS, batch(Stream.EVENTS, [{"name": name, "door": door, **r} for r in rows]))]
        if rows
        else []
    )


def _event(
    status: AlertStatus, labels: Mapping[str, str], starts_ms: int, now_ms: int, **more: object
) -> dict[str, object]:
    starts, encoded = min(starts_ms, now_ms), _encode(labels)
    return {
        "id": blake2b(b"%d" % starts + encoded, digest_size=16).hexdigest(), "kind": "alert", "status": status.value,
        "starts_ms": starts, "received_ms": now_ms, "labels": encoded.decode(), "url": "", **more,
    }  # fmt: skip
