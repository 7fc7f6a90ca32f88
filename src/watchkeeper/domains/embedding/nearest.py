"""Which records mean what a text means: every vector is compared, in memory. What came to the database since the last
time is read first."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from watchkeeper.domains.embedding.encoder import Encoder
from watchkeeper.domains.embedding.models import Vector
from watchkeeper.domains.embedding.sources import sources

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_READ = 5000  # rows of a query
_ROOM = 4096  # rows at the beginning
_BLOCK = 1024  # vectors compared at a time: they become floats for it, which stay in the processor's cache
_GONE = -1  # the key of a row that another has taken the place of


class Vectors:
    """Vectors of a kind, a row each: signed bytes, their lengths, and the keys of their records. There is room for more."""

    def __init__(self, dimensions: int) -> None:
        import numpy as np

        self.count = 0
        self.rows = np.zeros((_ROOM, dimensions), np.int8)
        self.lengths = np.ones(_ROOM, np.float32)
        self.keys = np.full(_ROOM, _GONE, np.int64)

    def forget(self, keys: list[int]) -> None:
        """These are not there any more."""
        import numpy as np

        self.keys[: self.count][np.isin(self.keys[: self.count], keys)] = _GONE

    def add(self, keys: list[int], rows: NDArray[np.int8]) -> None:
        """More, none of which is there."""
        import numpy as np

        end = self.count + len(keys)
        if end > len(self.keys):
            self._grow(max(end, len(self.keys) * 5 // 4))
        self.rows[self.count : end] = rows
        self.lengths[self.count : end] = np.linalg.norm(rows.astype(np.float32), axis=1)
        self.keys[self.count : end] = keys
        self.count = end

    def _grow(self, size: int) -> None:
        import numpy as np

        for name in ("rows", "lengths", "keys"):
            before = getattr(self, name)
            after = np.empty((size, *before.shape[1:]), before.dtype)
            after[: self.count] = before[: self.count]
            setattr(self, name, after)

    def best(self, vector: NDArray[np.float32], most: int, floor: float) -> dict[str, float]:
        """Key → cosine of the nearest ones from `floor` up, the nearest first."""
        import numpy as np

        count, rows, lengths, keys = self.count, self.rows, self.lengths, self.keys
        cosines, block = np.empty(count, np.float32), np.empty((_BLOCK, len(vector)), np.float32)
        for start in range(0, count, _BLOCK):
            some = block[: min(_BLOCK, count - start)]
            np.copyto(some, rows[start : start + len(some)])
            np.dot(some, vector, out=cosines[start : start + len(some)])
        cosines /= lengths[:count]
        cosines[keys[:count] == _GONE] = -1.0
        nearest = np.argpartition(-cosines, most)[:most] if count > most else np.arange(count)
        ordered = nearest[np.argsort(-cosines[nearest], kind="stable")]
        return {str(keys[n]): float(cosines[n]) for n in ordered if cosines[n] >= floor}


@dataclass
class _State:
    """The model of this process, the vectors that it has read, and the id of the last one."""

    encoder: Encoder | None = None
    kinds: dict[str, Vectors] = field(default_factory=dict)
    last: int = 0
    turn: Any = field(default_factory=threading.Lock)


_state = _State()


def use(encoder: Encoder | None) -> None:
    """Compare by this model from now on."""
    with _state.turn:
        _state.encoder, _state.kinds, _state.last = encoder, {}, 0


def encoder() -> Encoder | None:
    """The model in use."""
    return _state.encoder


def nearest(kind: str, text: str, most: int) -> dict[str, float]:
    """Key → cosine of the records of a kind that mean what a text means, the nearest first; none without a model. Who may
    read them is not asked."""
    model = _state.encoder
    if model is None or kind not in sources or not text.strip():
        return {}
    refresh()
    there = _state.kinds.get(kind)
    vector = model.encode([text])[0]
    return there.best(vector, most, model.floor) if there is not None and vector.any() else {}


def refresh() -> None:
    """Read what came since the last time, unless another thread is at it."""
    if _state.encoder is None or not _state.turn.acquire(blocking=False):
        return
    try:
        while rows := list(_since(_state.last)):
            _state.last = rows[-1][0]
            for kind in {row[1] for row in rows}:
                _keep(kind, [row[2:] for row in rows if row[1] == kind], _state.encoder.identity)
    finally:
        _state.turn.release()


def _keep(kind: str, rows: list[tuple[int, str, bytes]], identity: str) -> None:
    """Of a kind: key, model, vector."""
    import numpy as np

    if (there := _state.kinds.get(kind)) is not None:
        there.forget([key for key, _, _ in rows])
    ours = [(key, vector) for key, model, vector in rows if model == identity and vector]
    if ours:
        read = np.frombuffer(b"".join(bytes(vector) for _, vector in ours), np.int8).reshape(len(ours), -1)
        there = _state.kinds.setdefault(kind, Vectors(read.shape[1]))
        there.add([key for key, _ in ours], read)


def _since(last: int) -> Any:
    rows = Vector.objects.filter(pk__gt=last).order_by("pk")
    return rows.values_list("pk", "kind", "record", "model", "vector")[:_READ]


def tidy() -> None:
    """Read everything anew where much that was read is gone."""
    read = sum(vectors.count for vectors in _state.kinds.values())
    if read > 1.1 * Vector.objects.count() + 1000:
        use(_state.encoder)


def as_bytes(vectors: NDArray[np.float32]) -> list[bytes]:
    """Each row as a row of the database: signed bytes, the largest 127; none for one of length 0."""
    import numpy as np

    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0.0)
    rounded = np.rint(vectors * (127.0 / np.maximum(largest, 1e-9))).astype(np.int8)
    return [row.tobytes() if most > 0 else b"" for row, most in zip(rounded, largest[:, 0], strict=True)]
