"""Points of OTLP's metrics whose series are known by the bytes around their time and value: nearly all that a sender sends
after its first request. They become samples without protobuf and without an object a point.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.receivers.known_series import KnownSeries
from watchkeeper.receivers.otlp_metrics_wire import Walked, walk
from watchkeeper.receivers.otlp_values import MAX_NS
from watchkeeper.receivers.series import SeriesTable
from watchkeeper.receivers.wire import Positions

Sample = tuple[int, int, float]
"""Series, Unix ms, value."""

_NS = 1_000_000  # of a millisecond


@dataclass(frozen=True, slots=True)
class Recalled:
    """A request of which the points that have an id need not be read again. `unmet` says of each metric whether something
    in it has to."""

    walked: Walked
    ids: Positions  # 0 where there is none
    unmet: list[bool]

    @property
    def complete(self) -> bool:
        """Whether nothing of the request has to be read by protobuf."""
        return not self.walked.unchecked and not any(self.unmet)

    def batch(self) -> pa.RecordBatch | None:
        """The samples of the points that have an id; None when there is none."""
        return Rows(self).batch()


class Rows:
    """The samples of a request: those that are recalled, and others that are added, in the order of their points."""

    def __init__(self, recalled: Recalled | None) -> None:
        self.new: list[tuple[int, int]] = []  # hash of a point that was not known, id of its series
        self._recalled = recalled
        self._added: list[tuple[int, int, int, float]] = []  # place, series, Unix ms, value
        self._first = 0
        self._ids: list[
            int
        ] = []  # of the points of the metric that is read, if it is a gauge or sum; else none
        self._hashes: list[int] = []

    def begin(self, metric: int) -> bool:
        """Go on to this metric of the request; whether something in it has to be read."""
        if self._recalled is None:
            return True
        if not self._recalled.unmet[metric]:
            return False
        walked = self._recalled.walked
        self._first, stop = walked.firsts[metric : metric + 2].tolist()
        self._ids = self._recalled.ids[self._first : stop].tolist()
        self._hashes = walked.hashes[self._first : stop].tolist()
        return True

    def has(self, at: int) -> bool:
        """Whether the sample of the metric's point at this place is here already."""
        return at < len(self._ids) and self._ids[at] != 0

    def hash(self, at: int) -> int:
        """The hash of the metric's point at this place; 0 when it has none."""
        return self._hashes[at] if at < len(self._hashes) else 0

    def add(self, at: int, samples: list[Sample]) -> None:
        """Add the samples of the metric's point at this place."""
        place = 2 * (self._first + at) + 1 if self._ids else 2 * self._first
        self._added += [(place, *sample) for sample in samples]
        if samples and (point := self.hash(at)):
            self.new.append((point, samples[0][0]))

    def batch(self) -> pa.RecordBatch | None:
        """All of them; None when there is none."""
        places, columns = self._known()
        if self._added:
            added = zip(
                zip(*self._added, strict=True), (np.int64, np.uint64, np.int64, np.float64), strict=True
            )
            new_places, *new = (np.array(column, kind) for column, kind in added)
            order = np.argsort(np.concatenate([places, new_places]), kind="stable")
            columns = [np.concatenate(pair)[order] for pair in zip(columns, new, strict=True)]
        if len(columns[0]) == 0:
            return None
        return pa.RecordBatch.from_arrays([pa.array(c) for c in columns], schema=SCHEMAS[Stream.SAMPLES])

    def _known(self) -> tuple[NDArray[np.int64], list[NDArray[Any]]]:
        """Places and columns of what is recalled. A point's place is odd; what has no points of its own is between."""
        if self._recalled is None:
            return np.empty(0, np.int64), [np.empty(0, t) for t in (np.uint64, np.int64, np.float64)]
        ids, walked = self._recalled.ids, self._recalled.walked
        kept = np.flatnonzero((ids != 0) & ~np.isnan(walked.values))
        times = (walked.times[kept] // np.uint64(_NS)).astype(np.int64)
        return 2 * kept + 1, [ids[kept], times, walked.values[kept]]


class KnownPoints:
    """Series by the hash of a point. Any thread may use it."""

    def __init__(self, table: SeriesTable) -> None:
        self._known = KnownSeries(table)
        self._lock = threading.Lock()

    def recall(self, body: bytes) -> Recalled | None:
        """What is known of an ExportMetricsServiceRequest; None when protobuf has to read all of it."""
        walked = walk(np.frombuffer(body, np.uint8), self._known.key)
        if walked is None:
            return None
        with self._lock:
            ids = self._known.lookup(walked.hashes)
        ids[(walked.times == 0) | (walked.times > MAX_NS) | ~walked.valued] = 0
        missing = np.concatenate([[0], np.cumsum(ids == 0)])
        unmet = walked.opaque | (missing[walked.firsts[1:]] > missing[walked.firsts[:-1]])
        return Recalled(walked, ids, unmet.tolist())

    def remember(self, new: list[tuple[int, int]]) -> None:
        """Keep these: hash of a point, id of its series."""
        with self._lock:
            self._known.remember([(point, series, "") for point, series in new])
