"""Prometheus remote write 1.0: a WriteRequest becomes samples, and rows for the series not seen before.

What is sound of a request is taken; series and samples that are not are refused one by one and named in a
400, which tells the sender not to try again, as Prometheus' own receiver does. A NaN, and so the marker that
a series has become stale, is the absence of a value: no row. Native histograms are refused by name.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from watchkeeper.model.errors import Malformed, TooManySeries, UnsupportedMedia, WatchkeeperError
from watchkeeper.model.series import NAME as METRIC
from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.receivers import remote_write_wire as wire
from watchkeeper.receivers.dead_letters import Letter
from watchkeeper.receivers.http import Answer, HttpDoor, Taken
from watchkeeper.receivers.remote_write_canonical import label_sets
from watchkeeper.receivers.remote_write_known import KnownSeries
from watchkeeper.receivers.remote_write_labels import Families, labels
from watchkeeper.receivers.series import SeriesTable

NAME = "remote_write"
PAST_MS = 31 * 86_400_000
FUTURE_MS = 3_600_000
_NAMES = 10_000  # whose meaning is remembered
_LETTERS = 10  # kept of one body
_SHOWN = 1000  # samples in one letter
_SAMPLES = SCHEMAS[Stream.SAMPLES]
Bytes = NDArray[np.uint8]
Rows = tuple[wire.Positions, NDArray[np.int64], NDArray[np.float64]]


class RemoteWriteDoor:
    """Samples may be `past_ms` old and `future_ms` ahead of now. Any thread may use it."""

    name = NAME

    def __init__(self, table: SeriesTable, *, past_ms: int = PAST_MS, future_ms: int = FUTURE_MS) -> None:
        self._table = table
        self._known = KnownSeries(table)
        self._families = Families()
        self._meanings: dict[bytes, tuple[str, str, str]] = {}
        self._past, self._future = past_ms, future_ms
        self._lock = threading.Lock()

    def row(self) -> HttpDoor:
        """This door's row of the table."""
        return HttpDoor(
            NAME,
            "POST",
            "/api/v1/write",
            ("application/x-protobuf",),
            self.take,
            accept=_accept,
            encodings=("snappy",),
        )

    def decode(self, body: bytes, content_type: str, now_ms: int) -> Iterator[tuple[Stream, pa.RecordBatch]]:
        """The sound samples of a decompressed body (model.doors.Door). Raises as `take`."""
        return iter(self.take(body, content_type, now_ms).entries)

    def take(self, body: bytes, content_type: str, now_ms: int) -> Taken:
        """The sound samples of a decompressed WriteRequest, and what was wrong with the others. New series
        wait in the table for `take_new`.

        Raises Malformed when it is no WriteRequest, UnsupportedMedia when it is one of 2.0, TooLarge, and
        TooManySeries when all of it is new series for which there is no room.
        """
        if "write.v2" in content_type:
            raise UnsupportedMedia(
                "this is remote write 1.0: set protobuf_message to prometheus.WriteRequest"
            )
        data = np.frombuffer(body, np.uint8)
        found = wire.messages(data)
        refused = _Refused(body)
        with self._lock:
            self._learn(body, found.metadata, refused)
            ids, times, values = self._known.recall(data, found.starts, found.stops)
            rest = np.flatnonzero(ids == 0)
            if len(rest):
                more = self._others(data, found.starts[rest], found.stops[rest], refused)
                met = ids != 0
                recalled = ids[met], times[met], values[met]
                ids, times, values = (np.concatenate(pair) for pair in zip(recalled, more, strict=True))
        if len(ids) == 0 and refused.limit is not None:
            raise refused.limit
        return self._taken(ids, times, values, now_ms, refused)

    def _taken(
        self,
        ids: wire.Positions,
        times: NDArray[np.int64],
        values: NDArray[np.float64],
        now_ms: int,
        refused: _Refused,
    ) -> Taken:
        sound = (times >= now_ms - self._past) & (times <= now_ms + self._future)
        if not sound.all():
            late = zip(*(column[~sound].tolist() for column in (ids, times, values)), strict=True)
            refused.times(
                list(late),
                f"samples may be {self._past // 86_400_000} days old and {self._future // 60_000} min ahead, at "
                f"{now_ms} Unix ms; there is one of {int(times[~sound][0])}",
            )
        sound &= ~np.isnan(values)
        if not sound.all():
            ids, times, values = ids[sound], times[sound], values[sound]
        taken = refused.taken()
        if len(ids):
            columns = [pa.array(column) for column in (ids, times, values)]
            rows = pa.RecordBatch.from_arrays(columns, schema=_SAMPLES)
            taken.entries.append((Stream.SAMPLES, rows))
        return taken

    def _others(self, data: Bytes, starts: wire.Positions, stops: wire.Positions, refused: _Refused) -> Rows:
        """Samples of the time series that are not a label set known by its bytes and one sample."""
        held = wire.columns(data, starts, stops)
        hashes, ids = self._known.find(data, held.first, held.last)
        if histograms := int(held.histograms.sum()):
            refused.add(
                "unsupported_histogram", "native histograms are not taken; send classic ones", histograms
            )
        unmet = np.flatnonzero((ids == 0) & (held.counts > 0))
        new: list[tuple[int, int, str]] = []
        for number, series in enumerate(
            self._declare(data, held.first[unmet], held.last[unmet], refused.body)
        ):
            i = int(unmet[number])
            if isinstance(series, WatchkeeperError):
                refused.series(series, int(held.counts[i]), int(starts[i]), int(stops[i]))
                continue
            ids[i], name = series
            if held.pure[i]:
                new.append((int(hashes[i]), series[0], name))
        self._known.remember(new)
        of_samples = np.repeat(ids, held.counts)
        sound = of_samples != 0
        return of_samples[sound], held.times[sound], held.values[sound]

    def _declare(
        self, data: Bytes, first: wire.Positions, last: wire.Positions, body: bytes
    ) -> list[tuple[int, str] | WatchkeeperError]:
        """Id and name of the series of each of these label sets, or what is wrong with it."""
        plain = {found.number: found for found in label_sets(data, first, last)}
        out: list[tuple[int, str] | WatchkeeperError] = []
        for i in range(len(first)):
            try:
                if (known := plain.get(i)) is not None:
                    name, kind, unit = self._meaning(known.name)
                    self._table.declare(known.series, name, known.labels, kind, unit, NAME)
                    out.append((known.series, name))
                else:
                    found = labels(body, int(first[i]), int(last[i]))
                    name = found[METRIC]
                    kind, unit = self._families.kind_and_unit(name)
                    out.append((self._table.lookup(name, found, kind, unit, NAME), name))
            except (Malformed, TooManySeries) as error:
                out.append(error)
        return out

    def _meaning(self, raw: bytes) -> tuple[str, str, str]:
        """A metric's name, kind and unit."""
        known = self._meanings.get(raw)
        if known is None:
            name = raw.decode("ascii")
            if len(self._meanings) >= _NAMES:
                self._meanings.clear()
            known = self._meanings[raw] = (name, *self._families.kind_and_unit(name))
        return known

    def _learn(self, body: bytes, metadata: wire.Positions, refused: _Refused) -> None:
        names: list[str] = []
        for start, stop in metadata.tolist():
            try:
                names += self._families.learn(body[start:stop])
            except Malformed as error:
                refused.add("bad_metadata", error.detail, 1)
        if names:
            self._meanings.clear()
            self._known.forget_names(names)


class _Refused:
    """What of a body was not taken, and why."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.limit: TooManySeries | None = None
        self._counts: Counter[str] = Counter()
        self._messages: list[str] = []
        self._letters: list[Letter] = []

    def add(self, reason: str, detail: str, rows: int) -> None:
        """Count rows that are not taken."""
        if not self._counts[reason]:
            self._messages.append(detail)
        self._counts[reason] += rows

    def series(self, error: WatchkeeperError, rows: int, start: int, stop: int) -> None:
        """Count the samples of the time series in `[start, stop)`."""
        if isinstance(error, TooManySeries):
            self.limit = error
        self.add(error.reason, error.detail, rows)
        if len(self._letters) < _LETTERS:
            self._letters.append(Letter(error.reason, error.detail, self.body[start:stop]))

    def times(self, rows: list[tuple[int, int, float]], detail: str) -> None:
        """Count samples whose time cannot be; their letter shows id of the series, time and value of some."""
        self.add("time_out_of_range", detail, len(rows))
        text = "\n".join(f"{series:016x} {time} {value!r}" for series, time, value in rows[:_SHOWN])
        self._letters.append(Letter("time_out_of_range", detail, text.encode()))

    def taken(self) -> Taken:
        """What was refused, as the front counts, keeps and tells it."""
        return Taken(rejected=dict(self._counts), message="; ".join(self._messages), letters=self._letters)


def _accept(taken: Taken, content_type: str) -> Answer:  # noqa: ARG001
    if not taken.message:
        return Answer(204)
    refused = sum(taken.rejected.values())
    text = f"{taken.rows} samples taken, {refused} refused: {taken.message}"
    return Answer(400, text.replace("\n", " ").encode("utf-8", "replace"), "text/plain")


def warm() -> None:
    """Compile what is compiled, or load it from the cache: 5 s the first time, 1 s later. Called before
    serving, so that no request waits for it."""
    # the series `up` with a value of 0 at a time of 6 bytes
    series = bytes.fromhex("0a0e 0a085f5f6e616d655f5f 12027570 1207 1080a0d9e6fc31")
    table = SeriesTable()
    door = RemoteWriteDoor(table, past_ms=2**60, future_ms=2**60)
    for _ in range(2):
        door.take(bytes((10, len(series))) + series, "", 0)
    table.take_new()
