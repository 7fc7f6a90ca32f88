"""Which series are known: every door asks here for the id of a label set, and the rows that declare new
series are taken from here to the journal, with or before their first samples.

It holds ids, no labels: 90 bytes a series were measured. What was not seen for
two `age` periods is forgotten, and declared again when it comes back. It is bounded, in all, per metric name and,
where the key says so, per key, so that a label explosion is refused to its sender and leaves room for everybody else.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from typing import NoReturn

import pyarrow as pa

from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.errors import Malformed, TooManySeries
from watchkeeper.model.series import NAME, labels_json, series_id
from watchkeeper.model.signals import SCHEMAS, Stream

_COLUMNS = SCHEMAS[Stream.SERIES].names
_GENERATION = 1 << 32  # what is known of a series is one int: generation * _GENERATION + number of its fact
_COUNTERS = ("_total", "_count", "_bucket", "_sum")
_UNITS = ("seconds", "bytes", "ratio", "percent", "celsius", "volts", "amperes", "joules", "grams", "meters",
          "hertz", "info")  # fmt: skip


def kind_and_unit(name: str) -> tuple[str, str]:
    """What a metric's name says by Prometheus' naming conventions: its kind (`counter`, else `unknown`) and
    its base unit ("" when it names none). Source: https://prometheus.io/docs/practices/naming/

    >>> kind_and_unit("process_cpu_seconds_total"), kind_and_unit("up"), kind_and_unit("disk_free_bytes")
    (('counter', 'seconds'), ('unknown', ''), ('unknown', 'bytes'))
    """
    for suffix in _COUNTERS:
        if name.endswith(suffix):
            # a histogram's _count and _bucket count observations, whatever unit those have
            unitless = suffix in ("_count", "_bucket")
            return "counter", "" if unitless else _unit(name[: -len(suffix)])
    if name.endswith("_info"):
        return "gauge", ""
    return "unknown", _unit(name)


def _unit(name: str) -> str:
    last = name.rpartition("_")[2]
    return last if last in _UNITS else ""


class SeriesTable:
    """Ids of known series, and the SERIES rows not yet in the journal. One table for all doors of a process;
    any thread may use it.

    `max_series` bounds the table, `max_per_name` the series of one metric name (a quarter of the table by
    default). `period_ms` is how often `age` begins a new generation.
    """

    def __init__(
        self, max_series: int = 1_000_000, *, max_per_name: int = 0, period_ms: int = 6 * 3_600_000
    ) -> None:
        self.max_series = max_series
        self.max_per_name = max_per_name or max(1, max_series // 4)
        self.generation = 0
        self.refused = 0  # label sets that found no room
        self._period_ms = period_ms
        self._began_ms: int | None = None
        self._known: dict[int, int] = {}
        self._facts: dict[tuple[str, str, str], int] = {}  # name, kind, unit → number
        self._marks: list[
            int
        ] = []  # per fact, what is kept of a series seen in this generation; one object each
        self._names: dict[str, int] = {}  # how many known series have this name
        self._by_key: dict[str, int] = {}  # key id → series it began in this generation
        self._sending = threading.local()  # decoders know no keys: the key is that of the thread that decodes
        self._raw: dict[bytes, int] = {}
        self._new: list[tuple[int, str, str, str, str, str]] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._known)

    @contextmanager
    def on_behalf(self, key: IntakeKey) -> Iterator[None]:
        """What this thread declares inside the block counts against the key's `series`."""
        self._sending.key = key
        try:
            yield
        finally:
            self._sending.key = None

    def lookup(self, name: str, labels: Mapping[str, str], kind: str, unit: str, door: str) -> int:
        """The id of the series with this name and these labels (`__name__` among them is passed over: `name`
        rules); declares it when it is new or its kind or unit has changed.

        Raises TooManySeries when there is no room for a new series, Malformed for text that is not Unicode.
        """
        full = {**labels, NAME: name}
        try:
            series = series_id(full)
        except UnicodeEncodeError as error:
            raise Malformed("a label holds a lone surrogate", reason="invalid_utf8") from error
        self.declare(series, name, full, kind, unit, door)
        return series

    def declare(
        self, series: int, name: str, labels: Mapping[str, str] | str, kind: str, unit: str, door: str
    ) -> None:
        """As `lookup`, for a caller that knows the id; `labels` may be JSON already. Raises TooManySeries."""
        with self._lock:
            known = self._known.get(series)
            if known is None:
                self._admit(name)
            fact = self._facts.setdefault((name, kind, unit), len(self._marks))
            if fact == len(self._marks):
                self._marks.append(self.generation * _GENERATION + fact)
            self._known[series] = self._marks[fact]
            if known is None or known % _GENERATION != fact:
                document = labels if isinstance(labels, str) else labels_json(labels)
                self._new.append((series, name, document, kind, unit, door))

    def lookup_raw(self, raw: bytes) -> int | None:
        """The id remembered for these bytes, whatever of the wire stands for a label set; None when there is
        none. Bytes of different doors or meanings need a different prefix."""
        series = self._raw.get(blake2b(raw, digest_size=16).digest())
        if series is not None:
            self.touch((series,))
        return series

    def remember_raw(self, raw: bytes, series: int) -> None:
        """Let `lookup_raw` find this series under these bytes. It keeps their hash only."""
        with self._lock:
            if len(self._raw) >= 2 * self.max_series:
                self._raw.clear()
            self._raw[blake2b(raw, digest_size=16).digest()] = series

    def touch(self, ids: Iterable[int]) -> list[int]:
        """Say that these series were seen, for a caller that keeps ids of its own; give back those of them
        that are not known any more and must be looked up again."""
        gone = []
        with self._lock:
            for series in ids:
                known = self._known.get(series)
                if known is None:
                    gone.append(series)
                else:
                    self._known[series] = self._marks[known % _GENERATION]
        return gone

    def take_new(self) -> pa.RecordBatch | None:
        """SERIES rows declared since the last call, or None. Submit them before or with the samples that
        came with them, and `put_back` when that failed; `declaring` does so by itself."""
        with self._lock:
            if not self._new:
                return None
            rows, self._new = self._new, []
        columns = zip(*rows, strict=True)
        arrays = [pa.array(c, f.type) for c, f in zip(columns, SCHEMAS[Stream.SERIES], strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=SCHEMAS[Stream.SERIES])

    def put_back(self, batch: pa.RecordBatch | None) -> None:
        """Offer rows again that `take_new` gave and that did not reach the journal."""
        if batch is None:
            return
        rows = zip(*(batch.column(c).to_pylist() for c in _COLUMNS), strict=True)
        with self._lock:
            self._new[:0] = rows

    @contextmanager
    def declaring(self) -> Iterator[list[tuple[Stream, pa.RecordBatch]]]:
        """Entries to submit first, none or one; put back when the block that submits them is left by any
        exception, cancellation included."""
        batch = self.take_new()
        try:
            yield [] if batch is None else [(Stream.SERIES, batch)]
        except BaseException:
            self.put_back(batch)
            raise

    def age(self, now_ms: int) -> None:
        """Begin a new generation when the period has passed, and forget what neither this one nor the last
        has seen. Doors call it once a body; it costs nothing otherwise."""
        if self._began_ms is None:
            self._began_ms = now_ms
        if 0 <= now_ms - self._began_ms < self._period_ms:
            return
        with self._lock:
            self._began_ms = now_ms
            self.generation += 1
            self._by_key.clear()
            oldest = (self.generation - 1) * _GENERATION
            self._known = {s: k for s, k in self._known.items() if k >= oldest}
            self._raw = {raw: s for raw, s in self._raw.items() if s in self._known}
            self._renumber()

    def _admit(self, name: str) -> None:
        """Count a new series of this name and of the key that sends it. Raises TooManySeries."""
        key: IntakeKey | None = getattr(self._sending, "key", None)
        limit = key.series if key else 0
        begun = self._by_key.get(key.id, 0) if key else 0
        count = self._names.get(name, 0)
        if len(self._known) >= self.max_series:
            self._refuse(f"no room for more than {self.max_series} series")
        if count >= self.max_per_name:
            self._refuse(
                f"no room for more than {self.max_per_name} series named {name[:100]}: "
                "one of its labels has too many values"
            )
        if key and 0 < limit <= begun:
            hours = self._period_ms / 3_600_000
            self._refuse(
                f"the intake key {key.name!r} may begin {limit} series in {hours:g} hours, and has done so"
            )
        self._names[name] = count + 1
        if key and limit:
            self._by_key[key.id] = begun + 1

    def _refuse(self, detail: str) -> NoReturn:
        self.refused += 1
        raise TooManySeries(detail, retry_after=60.0)

    def _renumber(self) -> None:
        """Drop facts that no known series has, and count the series of each name anew."""
        facts, numbers = list(self._facts), dict[int, int]()
        self._names = {}
        marks: dict[int, int] = {}
        for series, known in self._known.items():
            old = known % _GENERATION
            number = numbers.setdefault(old, len(numbers))
            self._known[series] = marks.setdefault(known - old + number, known - old + number)
            name = facts[old][0]
            self._names[name] = self._names.get(name, 0) + 1
        self._facts = {facts[old]: number for old, number in numbers.items()}
        self._marks = [self.generation * _GENERATION + number for number in range(len(numbers))]
