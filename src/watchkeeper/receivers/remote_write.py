"""Prometheus remote write 1.0 and 2.0: a request becomes samples, and rows for the series not seen before.

What is sound of a request is taken; series and samples that are not are refused one by one and named in a
400, which tells the sender not to try again, as Prometheus' own receiver does. A NaN is the absence of a value: no
row, unless it is the marker that a series has become stale. Native histograms are refused by name; exemplars are
passed over.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from watchkeeper.model.errors import Malformed, TooManySeries, UnsupportedMedia, WatchkeeperError
from watchkeeper.model.series import NAME as METRIC
from watchkeeper.model.signals import SCHEMAS, STALE, Stream
from watchkeeper.receivers import remote_write_v2 as wire_v2
from watchkeeper.receivers import remote_write_wire as wire
from watchkeeper.receivers.dead_letters import Letter
from watchkeeper.receivers.http import Answer, HttpDoor, Taken, problem
from watchkeeper.receivers.known_series import KnownSeries
from watchkeeper.receivers.remote_write_canonical import label_sets
from watchkeeper.receivers.remote_write_labels import Families, labels
from watchkeeper.receivers.series import SeriesTable
from watchkeeper.receivers.wire import Positions

NAME = "remote_write"
PAST_MS = 31 * 86_400_000
FUTURE_MS = 3_600_000
FIRST, SECOND = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"
EXEMPLARS = "exemplars"
_WRITTEN = "X-Prometheus-Remote-Write"
_NAMES = 10_000  # whose meaning is remembered
_LETTERS = 10  # kept of one body
_SHOWN = 1000  # samples in one letter
_SAMPLES = SCHEMAS[Stream.SAMPLES]
Bytes = NDArray[np.uint8]
Rows = tuple[Positions, NDArray[np.int64], NDArray[np.float64]]
Said = Callable[[int, str], None]  # of which time series, and its metric


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
            refuse=_refuse,
            encodings=("snappy",),
        )

    def decode(self, body: bytes, content_type: str, now_ms: int) -> Iterator[tuple[Stream, pa.RecordBatch]]:
        """The sound samples of a decompressed body (model.doors.Door). Raises as `take`."""
        return iter(self.take(body, content_type, now_ms).entries)

    def take(self, body: bytes, content_type: str, now_ms: int) -> Taken:
        """The sound samples of a decompressed request, and what was wrong with the others; `told` is how many were
        sound. New series wait in the table for `take_new`.

        Raises Malformed when it is no request of its version, UnsupportedMedia when that is not known, TooLarge, and
        TooManySeries when all of it is new series for which there is no room.
        """
        read = self._read_second if _is_second(content_type) else self._read_first
        with self._lock:
            ids, times, values, refused = read(body)
        if len(ids) == 0 and refused.limit is not None:
            raise refused.limit
        return self._taken(ids, times, values, now_ms, refused)

    def _read_first(self, body: bytes) -> tuple[*Rows, _Refused]:
        data = np.frombuffer(body, np.uint8)
        found = wire.messages(data)
        refused = _Refused()
        self._learn(body, found.others, refused)
        ids, times, values = self._known.recall(data, found.starts, found.stops)
        rest = np.flatnonzero(ids == 0)
        if len(rest):
            more = self._others(body, data, found.starts[rest], found.stops[rest], refused)
            met = ids != 0
            recalled = ids[met], times[met], values[met]
            ids, times, values = (np.concatenate(pair) for pair in zip(recalled, more, strict=True))
        return ids, times, values, refused

    def _read_second(self, body: bytes) -> tuple[*Rows, _Refused]:
        of = wire_v2.walk(np.frombuffer(body, np.uint8), self._known.key)
        refused = _Refused()
        ids = self._known.lookup(of.hashes)
        unmet = np.flatnonzero((ids == 0) & (of.counts > 0))
        if len(unmet):
            sets = wire_v2.written(of, unmet)
            for i in np.flatnonzero(sets.faults).tolist():
                refused.add(*wire_v2.FAULTS[int(sets.faults[i])], int(of.counts[unmet[i]]))
            whole = sets.faults == 0
            first, last = sets.first[whole], sets.last[whole]
            new = _Sets(unmet[whole].tolist(), sets.data, sets.data.tobytes(), first, last, first, last)

            def said(number: int, metric: str) -> None:
                if kind := int(of.kinds[number]):
                    self._forget(self._families.tell_of_metric(metric, kind, of.unit(number)))

            self._meet(new, ids, of.hashes, of.hashes != 0, of.counts, refused, said)
        refused.histograms(of.histograms)
        refused.pass_over(EXEMPLARS, of.exemplars)
        return *_of_samples(ids, of.counts, of.times, of.values), refused

    def _taken(
        self,
        ids: Positions,
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
        written = int(sound.sum())
        sound &= ~np.isnan(values) | (values.view(np.uint64) == STALE)
        if not sound.all():
            ids, times, values = ids[sound], times[sound], values[sound]
        taken = refused.taken(written)
        if len(ids):
            columns = [pa.array(column) for column in (ids, times, values)]
            rows = pa.RecordBatch.from_arrays(columns, schema=_SAMPLES)
            taken.entries.append((Stream.SAMPLES, rows))
        return taken

    def _others(
        self, body: bytes, data: Bytes, starts: Positions, stops: Positions, refused: _Refused
    ) -> Rows:
        """Samples of the time series that are not a label set known by its bytes and one sample."""
        held = wire.columns(data, starts, stops)
        hashes, ids = self._known.find(data, held.first, held.last)
        refused.histograms(held.histograms)
        unmet = np.flatnonzero((ids == 0) & (held.counts > 0))
        places = (column[unmet] for column in (held.first, held.last, starts, stops))
        self._meet(_Sets(unmet.tolist(), data, body, *places), ids, hashes, held.pure, held.counts, refused)
        return _of_samples(ids, held.counts, held.times, held.values)

    def _meet(
        self,
        sets: _Sets,
        ids: Positions,
        hashes: Positions,
        pure: NDArray[np.bool_],
        counts: NDArray[np.int64],
        refused: _Refused,
        said: Said | None = None,
    ) -> None:
        """Fill in the ids of time series that were not met before, and remember them by their hashes where these are
        of nothing but the label set. `said` hears of each before its kind and unit are asked for."""
        new: list[tuple[int, int, str]] = []
        for at, (i, series) in enumerate(zip(sets.numbers, self._declare(sets, said), strict=True)):
            if isinstance(series, WatchkeeperError):
                payload = sets.body[int(sets.starts[at]) : int(sets.stops[at])]
                refused.series(series, int(counts[i]), payload)
                continue
            ids[i], name = series
            if pure[i]:
                new.append((int(hashes[i]), series[0], name))
        self._known.remember(new)

    def _declare(self, sets: _Sets, said: Said | None) -> list[tuple[int, str] | WatchkeeperError]:
        """Id and name of the series of each of these label sets, or what is wrong with it."""
        plain = {found.number: found for found in label_sets(sets.data, sets.first, sets.last)}
        out: list[tuple[int, str] | WatchkeeperError] = []
        for i, number in enumerate(sets.numbers):
            try:
                if (known := plain.get(i)) is not None:
                    if said is not None:
                        said(number, known.name.decode("ascii"))
                    name, kind, unit = self._meaning(known.name)
                    self._table.declare(known.series, name, known.labels, kind, unit, NAME)
                    out.append((known.series, name))
                else:
                    found = labels(sets.body, int(sets.first[i]), int(sets.last[i]))
                    name = found[METRIC]
                    if said is not None:
                        said(number, name)
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

    def _learn(self, body: bytes, metadata: Positions, refused: _Refused) -> None:
        names: list[str] = []
        for start, stop in metadata.tolist():
            try:
                names += self._families.learn(body[start:stop])
            except Malformed as error:
                refused.add("bad_metadata", error.detail, 1)
        self._forget(names)

    def _forget(self, names: list[str]) -> None:
        """Let the series of these metrics be looked up again: more is known of them."""
        if names:
            self._meanings.clear()
            self._known.forget_names(names)


class _Sets(NamedTuple):
    """Label sets not met before: of which time series, and each `[first, last)` of `data`, whose bytes are `body`. Letters
    show `[starts, stops)` of it."""

    numbers: list[int]
    data: Bytes
    body: bytes
    first: Positions
    last: Positions
    starts: Positions
    stops: Positions


class _Refused:
    """What of a body was not taken, and why."""

    def __init__(self) -> None:
        self.limit: TooManySeries | None = None
        self._counts: Counter[str] = Counter()
        self._messages: list[str] = []
        self._letters: list[Letter] = []

    def add(self, reason: str, detail: str, rows: int) -> None:
        """Count rows that are not taken."""
        if not self._counts[reason]:
            self._messages.append(detail)
        self._counts[reason] += rows

    def histograms(self, counts: NDArray[np.int64]) -> None:
        """Count native histograms."""
        if total := int(counts.sum()):
            self.add("unsupported_histogram", "native histograms are not taken; send classic ones", total)

    def series(self, error: WatchkeeperError, rows: int, payload: bytes) -> None:
        """Count the samples of a time series."""
        if isinstance(error, TooManySeries):
            self.limit = error
        self.add(error.reason, error.detail, rows)
        if len(self._letters) < _LETTERS:
            self._letters.append(Letter(error.reason, error.detail, payload))

    def times(self, rows: list[tuple[int, int, float]], detail: str) -> None:
        """Count samples whose time cannot be; their letter shows id of the series, time and value of some."""
        self.add("time_out_of_range", detail, len(rows))
        text = "\n".join(f"{series:016x} {time} {value!r}" for series, time, value in rows[:_SHOWN])
        self._letters.append(Letter("time_out_of_range", detail, text.encode()))

    def pass_over(self, reason: str, count: int) -> None:
        """Count what is not taken, and no fault of the sender's."""
        if count:
            self._counts[reason] += count

    def taken(self, written: int) -> Taken:
        """What was refused, as the front counts, keeps and tells it, and how many samples were not."""
        return Taken(
            rejected=dict(self._counts), message="; ".join(self._messages), told=str(written),
            letters=self._letters,
        )  # fmt: skip


def _of_samples(
    ids: Positions, counts: NDArray[np.int64], times: NDArray[np.int64], values: NDArray[np.float64]
) -> Rows:
    """The samples of those time series that have an id."""
    each = np.repeat(ids, counts)
    sound = each != 0
    return each[sound], times[sound], values[sound]


def _is_second(content_type: str) -> bool:
    """Whether a body is one of remote write 2.0. Raises UnsupportedMedia when it is of neither version."""
    for part in content_type.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "proto":
            message = value.strip().strip('"')
            if message not in (FIRST, SECOND):
                raise UnsupportedMedia(
                    f"the message {message[:100]!r} is not taken here, only {FIRST}, {SECOND}"
                )
            return message == SECOND
    return False


def _written(samples: str) -> dict[str, str]:
    """What was written, as 2.0 has it told."""
    return {f"{_WRITTEN}-{what}-Written": n for what, n in
            (("Samples", samples), ("Histograms", "0"), ("Exemplars", "0"))}  # fmt: skip


def _accept(taken: Taken, content_type: str) -> Answer:
    headers = _written(taken.told) if _is_second(content_type) else {}
    if not taken.message:
        return Answer(204, headers=headers)
    refused = sum(count for reason, count in taken.rejected.items() if reason != EXEMPLARS)
    text = f"{taken.rows} samples taken, {refused} refused: {taken.message}"
    return Answer(400, text.replace("\n", " ").encode("utf-8", "replace"), "text/plain", headers)


def _refuse(error: WatchkeeperError, content_type: str) -> Answer:
    answer = problem(error)
    second = not isinstance(error, UnsupportedMedia) and _is_second(content_type)
    return replace(answer, headers=_written("0")) if second else answer


def warm() -> None:
    """Compile what is compiled, or load it from the cache: 5 s the first time, a tenth of it later."""
    # the series `up` with a value of 0 at a time of 6 bytes
    series = bytes.fromhex("0a0e 0a085f5f6e616d655f5f 12027570 1207 1080a0d9e6fc31")
    table = SeriesTable()
    door = RemoteWriteDoor(table, past_ms=2**60, future_ms=2**60)
    second = f"application/x-protobuf;proto={SECOND}"
    for _ in range(2):
        door.take(bytes((10, len(series))) + series, "", 0)
        door.take(
            bytes.fromhex("2200 2208 5f5f6e616d655f5f 2202 7570 2a0c 0a020102 1206 1080a0d9e631"), second, 0
        )
    table.take_new()
