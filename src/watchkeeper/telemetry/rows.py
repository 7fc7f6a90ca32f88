"""Journal entries as rows of the store's tables, in columns throughout: no value is looked at one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeeper.model.doors import Entry
from watchkeeper.model.signals import SCHEMAS, Stream, batch
from watchkeeper.telemetry.kept import DAY_MS
from watchkeeper.telemetry.ledger import Ledger

Ids = npt.NDArray[np.uint64]
# A log batch's template ids, one a row, and the templates that are new or whose text has changed, with the
# template that each has become (0: none).
Templater = Callable[[pa.RecordBatch], tuple[Ids, list[tuple[int, str, int]]]]

FUTURE_MS = DAY_MS  # a clock may be wrong by this much
_LATEST_MS = 4_102_444_800_000  # the year 2100; beyond it DateTime64 knows no date
_KEPT_ROWS, _KEPT_BYTES = 3, 8192  # of rows that are put aside
_TIME = {Stream.SAMPLES: ("time", 1), Stream.LOGS: ("time", 1_000_000), Stream.SPANS: ("start", 1_000_000)}
_RENAMED = {
    "time_ms": "time", "time_ns": "time", "start_ns": "start", "starts_ms": "starts", "ends_ms": "ends",
    "received_ms": "received", "labels": "labels_json", "annotations": "annotations_json",
}  # fmt: skip


@dataclass
class Rows:
    """Rows by table. `settled` may be inserted twice without harm and carry no mark."""

    marked: dict[str, pa.Table] = field(default_factory=dict)
    settled: dict[str, pa.Table] = field(default_factory=dict)


@dataclass(frozen=True)
class Builder:
    """Makes rows of entries. `oldest_ms` gives, by table, the time before which a row would be expired at
    once."""

    ledger: Ledger
    templater: Templater | None
    oldest_ms: Callable[[str], int]

    def build(self, entries: Sequence[Entry], now_ms: int) -> Rows:
        """The rows of a group of entries. Raises ValueError, TypeError or LookupError for what is not a
        batch of its stream."""
        rows = Rows()
        mark = self.ledger.mark(entries[-1].offset)
        letters = []
        for stream in (Stream.SAMPLES, Stream.LOGS, Stream.SPANS, Stream.EVENTS):
            mine = [e for e in entries if e.stream is stream]
            if mine:
                table = _columns(stream, mine)
                if stream is Stream.LOGS:
                    table = self._with_templates(table, mine, rows, now_ms)
                table, outside = self._within(stream, table, now_ms)
                if outside is not None:
                    letters.append(_letter(mine, outside, now_ms))
                if table.num_rows:
                    rows.marked[stream.value] = _with_mark(table, mark)
        self._series(entries, rows, now_ms)
        self._dead_letters(entries, letters, rows, mark)
        return rows

    def put_aside(self, entry: Entry, why: str, now_ms: int) -> Rows:
        """What is stored instead of an entry that the store cannot take."""
        payload = repr(entry.batch.slice(0, _KEPT_ROWS).to_pydict()).encode()[:_KEPT_BYTES]
        detail = f"{entry.batch.num_rows} rows of {entry.stream.value} cannot be stored: {why}"
        letter = _dead_letter([entry], "not_storable", detail, payload, now_ms)
        rows = Rows()
        self._dead_letters([], [(entry.offset, letter)], rows, self.ledger.mark(entry.offset))
        return rows

    def _with_templates(self, table: pa.Table, entries: list[Entry], rows: Rows, now_ms: int) -> pa.Table:
        positions = _positions([(self.ledger.position(e.offset), e.batch) for e in entries])
        ids: Ids = np.zeros(table.num_rows, dtype=np.uint64)
        if self.templater is not None:
            found = [self.templater(e.batch) for e in entries]
            ids = np.concatenate([f[0] for f in found]).astype(np.uint64, copy=False)
            new = {id: (text, became) for f in found for id, text, became in f[1]}
            if new:
                rows.settled["templates"] = pa.table({
                    "id": pa.array(list(new), pa.uint64()),
                    "text": pa.array([text for text, _ in new.values()], pa.string()),
                    "became": pa.array([became for _, became in new.values()], pa.uint64()),
                    "updated": _times([now_ms] * len(new)),
                })  # fmt: skip
        table = table.append_column("position", positions)
        return table.append_column("template_id", pa.array(ids))

    def _within(self, stream: Stream, table: pa.Table, now_ms: int) -> tuple[pa.Table, pa.Table | None]:
        """The rows whose time the store keeps, and those outside, if any."""
        if stream not in _TIME:
            return table, None
        name, per_ms = _TIME[stream]
        times = table.column(name).combine_chunks().view(pa.int64())
        low = self.oldest_ms(stream.value) * per_ms
        high = min(now_ms + FUTURE_MS, _LATEST_MS) * per_ms
        bounds = pc.min_max(times)
        if bounds["min"].as_py() >= low and bounds["max"].as_py() <= high:
            return table, None
        numbers = times.to_numpy()
        inside = (numbers >= low) & (numbers <= high)
        return table.filter(inside), table.filter(~inside)

    def _series(self, entries: Sequence[Entry], rows: Rows, now_ms: int) -> None:
        mine = [e.batch for e in entries if e.stream is Stream.SERIES]
        if mine:
            table = _renamed(pa.Table.from_batches(mine))
            seen = _times([now_ms] * table.num_rows)
            rows.settled["series"] = table.append_column("first_seen", seen).append_column("last_seen", seen)

    def _dead_letters(
        self, entries: Sequence[Entry], own: list[tuple[int, pa.RecordBatch]], rows: Rows, mark: int
    ) -> None:
        theirs = [(e.offset, e.batch) for e in entries if e.stream is Stream.DEAD_LETTERS]
        # Ours stand at the end of the last entry they speak of, where no row of its own reaches.
        found = [(self.ledger.position(offset), b) for offset, b in theirs]
        found += [(self.ledger.position(offset) + 0xFFFF - i, b) for i, (offset, b) in enumerate(own)]
        if found:
            table = _renamed(pa.Table.from_batches([b for _, b in found]))
            table = table.append_column("position", _positions(found))
            rows.marked["dead_letters"] = _with_mark(table, mark)


def _positions(batches: list[tuple[int, pa.RecordBatch]]) -> pa.Array[Any]:
    """Positions of all rows, given that of each batch's first."""
    rows = [np.arange(b.num_rows, dtype=np.uint64) + np.uint64(first) for first, b in batches]
    out: pa.Array[Any] = pa.array(np.concatenate(rows))
    return out


def _columns(stream: Stream, entries: Sequence[Entry]) -> pa.Table:
    """Entries of one stream as one table with the columns of the store, in one piece."""
    table = pa.Table.from_batches([e.batch for e in entries], schema=SCHEMAS[stream]).combine_chunks()
    return _renamed(table)


def _renamed(table: pa.Table) -> pa.Table:
    for i, name in enumerate(table.column_names):
        if name in ("time_ms", "time_ns", "start_ns"):
            unit = "ns" if name.endswith("ns") else "ms"
            column = table.column(i).combine_chunks().view(pa.timestamp(unit))
            table = table.set_column(i, _RENAMED[name], column)
        elif name in ("starts_ms", "ends_ms", "received_ms"):  # what senders say, which may be anything
            bounded = pc.min_element_wise(pc.max_element_wise(table.column(i), 0), _LATEST_MS)
            table = table.set_column(i, _RENAMED[name], pc.cast(bounded, pa.timestamp("ms")))
    return table.rename_columns([_RENAMED.get(name, name) for name in table.column_names])


def _with_mark(table: pa.Table, mark: int) -> pa.Table:
    return table.append_column("batch", pa.array(np.full(table.num_rows, mark, dtype=np.uint64)))


def _times(ms: list[int]) -> pa.Array[Any]:
    return pa.array(ms, pa.int64()).view(pa.timestamp("ms"))


def _letter(entries: list[Entry], outside: pa.Table, now_ms: int) -> tuple[int, pa.RecordBatch]:
    """A dead letter for rows with a time that the store does not keep."""
    stream = entries[0].stream.value
    detail = f"{outside.num_rows} rows of {stream} are older than it is kept, or more than a day ahead"
    sample = outside.slice(0, _KEPT_ROWS)
    plain = {
        name: (c.cast(pa.int64()) if pa.types.is_timestamp(c.type) else c).to_pylist()
        for name, c in zip(sample.column_names, sample.columns, strict=True)
    }
    payload = json.dumps(plain).encode()[:_KEPT_BYTES]
    return entries[-1].offset, _dead_letter(entries, "time_out_of_range", detail, payload, now_ms)


def _dead_letter(
    entries: list[Entry], reason: str, detail: str, payload: bytes, now_ms: int
) -> pa.RecordBatch:
    sender = f"journal offsets {entries[0].offset} to {entries[-1].offset}"
    row = {
        "time_ms": now_ms, "door": "telemetry", "sender": sender, "reason": reason, "detail": detail[:2000],
        "payload": payload,
    }  # fmt: skip
    return batch(Stream.DEAD_LETTERS, [row])
