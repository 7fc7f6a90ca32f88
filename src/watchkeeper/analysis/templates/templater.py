"""One miner for every reader of the log stream: telemetry stores ids, analysis watches them, and they agree.

Thread-safe. A batch is mined once, by whoever comes first; a digest of its bytes tells that it is the same.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from watchkeeper.analysis.templates.miner import TemplateMiner, readable
from watchkeeper.model.log_corrections import TemplateCorrection

Ids = NDArray[np.uint64]
_REMEMBERED = 256  # batches


class Notes(Protocol):
    """See app.template_notes."""

    size: int

    def add(self, shapes: Sequence[bytes]) -> None:
        """Note these, in their order."""
        ...

    def read(self) -> Iterable[bytes]:
        """All that is noted."""
        ...

    def forget(self, mark: int) -> None:
        """Drop the first `mark` bytes."""
        ...


class Templater:
    """Gives rows of the LOGS stream their template ids.

    `templater(batch)` is telemetry's side: it also returns the wordings that are new or changed since its last
    call. `templater.ids(batch)` is for everybody else.
    """

    def __init__(self, notes: Notes | None = None) -> None:
        """`notes` keeps what is learned between two snapshots."""
        self._miner = TemplateMiner()
        self._notes = notes
        self._mark = 0
        self._recalled = False
        self._lock = threading.Lock()
        self._mined: OrderedDict[bytes, Ids] = OrderedDict()

    def __call__(self, batch: pa.RecordBatch) -> tuple[Ids, list[tuple[int, str, int]]]:
        """Template id of each row (0: an empty body), and of templates to store (id, wording, what it has become).

        After a start every wording is told once more: storing one again changes nothing.
        """
        with self._lock:
            return self._mine(batch), self._miner.reworded()

    def ids(self, batch: pa.RecordBatch) -> Ids:
        """Template id of each row (0: an empty body)."""
        with self._lock:
            return self._mine(batch)

    def canonical(self, ids: Ids) -> Ids:
        """What these ids have become since: templates that turned out to be one are merged."""
        with self._lock:
            return self._miner.canonical(ids)

    def correct(self, name: str, correction: TemplateCorrection | None) -> None:
        """See TemplateMiner."""
        with self._lock:
            self._miner.correct(name, correction)
            self._mined.clear()

    def text(self, template: int) -> str:
        """The wording of a template, values written `<*>`; "" when it is unknown."""
        with self._lock:
            return self._miner.text(template)

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        with self._lock:
            self._mark = self._notes.size if self._notes else 0
            return self._miner.snapshot()

    def kept(self) -> None:
        """The last snapshot is on disk."""
        with self._lock:
            if self._notes:
                self._notes.forget(self._mark)
            self._mark = 0

    def recall(self) -> None:
        """Learn again what was noted after the last snapshot, after the first `restore`. Again it does nothing."""
        with self._lock:
            if self._notes and not self._recalled:
                self._miner.relearn(self._notes.read())
            self._recalled = True

    def restore(self, state: dict[str, Any] | None) -> bool:
        """Take back a snapshot, before the first batch; False when it is of another version. After `recall` it only
        says which: other readers go on with what was learned since, and an older state would give other ids."""
        with self._lock:
            return readable(state) if self._recalled else self._miner.restore(state)

    def _mine(self, batch: pa.RecordBatch) -> Ids:
        data, starts, ends = _bodies(batch.column("body"))
        if not len(starts):
            return np.empty(0, np.uint64)
        digest = blake2b(data[starts[0] : ends[-1]].data, digest_size=16)
        digest.update((ends - starts[0]).tobytes())
        known = self._mined.get(digest.digest())
        if known is not None:
            return known
        ids = self._miner.learn_bytes(data, starts, ends)
        if self._notes and self._miner.fresh:
            self._notes.add(self._miner.fresh)
        self._mined[digest.digest()] = ids
        if len(self._mined) > _REMEMBERED:
            self._mined.popitem(last=False)
        return ids


def _bodies(column: pa.Array[Any]) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """The bytes of a string column without a copy, and where each string begins and ends."""
    _, offsets, data = column.buffers()
    if offsets is None:
        return np.empty(0, np.uint8), np.empty(0, np.int64), np.empty(0, np.int64)
    edges = np.frombuffer(memoryview(offsets), np.int32)[
        column.offset : column.offset + len(column) + 1
    ].astype(np.int64)
    text = np.frombuffer(memoryview(data), np.uint8) if data is not None else np.empty(0, np.uint8)
    return text, edges[:-1], edges[1:]
