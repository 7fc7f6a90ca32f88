"""What doors report that tell of alerts and changes, and the rows of the events stream that it becomes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import cast

import msgspec
import pyarrow as pa

from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.model.verdicts import AlertStatus, Severity

#: what a row says of the columns of EVENTS; the others are the same for a whole batch: id, status, name, severity,
#: summary, starts_ms, ends_ms, labels, annotations, url
Row = tuple[str, str, str, str, str, int, int, bytes, bytes, str]
_STRUCT = pa.struct(list(SCHEMAS[Stream.EVENTS]))
_FIRING, _RESOLVED = AlertStatus.FIRING.value, AlertStatus.RESOLVED.value
encode_sorted = msgspec.json.Encoder(order="sorted").encode


class Reported(msgspec.Struct, kw_only=True, gc=False):
    """One alert or change as its sender tells it. Labels say which alert it is: the same labels and name, the same
    alert; or a label `model.verdicts.DEDUP_KEY` alone. What varies from telling to telling belongs into annotations.

    Times in Unix milliseconds; 0 is not known: an alert fires until it is told to be over. `severity` is any word that
    `Severity.parse` knows, in the sender's own.
    """

    name: str
    labels: dict[str, str]
    firing: bool = True
    severity: str = ""
    summary: str = ""
    starts_ms: int = 0
    ends_ms: int = 0
    annotations: dict[str, str] = {}
    url: str = ""


def rows(reported: Iterable[Reported], now_ms: int) -> list[Row]:
    """Rows, with empty labels and annotations left out and without NUL, which no record database holds."""
    return [_row(r, now_ms) for r in reported]


def batch(door: str, rows: Sequence[Row], now_ms: int, kind: str = "alert") -> pa.RecordBatch:
    """Rows of one kind, `alert` or `change`, as a batch of EVENTS."""
    told = [(r[0], kind, *r[1:7], now_ms, *r[7:], door) for r in rows]  # in the schema's order
    # One array of structs costs a single row less than half of what thirteen arrays do.
    return pa.RecordBatch.from_struct_array(cast(pa.StructArray, pa.array(told, _STRUCT)))


def linkable(url: str) -> str:
    """The address when it may become a link in the console, else nothing."""
    return url if url.startswith(("http://", "https://")) else ""


def _row(r: Reported, now_ms: int) -> Row:
    starts = r.starts_ms or r.ends_ms or now_ms
    document = encode_sorted(_said(r.labels))
    return (
        blake2b(b"%d" % starts + document, digest_size=16).hexdigest(),
        _FIRING if r.firing else _RESOLVED,
        _clean(r.name) or "alert",
        Severity.parse(r.severity).value,
        _clean(r.summary),
        starts,
        r.ends_ms if r.firing else r.ends_ms or now_ms,
        document,
        encode_sorted(_said(r.annotations)),
        linkable(_clean(r.url)),
    )


def _said(pairs: dict[str, str]) -> dict[str, str]:
    return {_clean(k): _clean(v) for k, v in pairs.items() if k and v}


def _clean(text: str) -> str:
    return text.replace("\x00", "\ufffd") if "\x00" in text else text
