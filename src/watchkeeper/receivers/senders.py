"""What one intake key has sent through one door since the process began: rows by stream, about how many series, from
where, and what of it was refused last and why. For whoever sets a sender up and waits for its first signals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from watchkeeper.model.signals import Stream

_PLACES = 4096  # bytes a key that sends metrics


class Sender:
    """For the threads of one door; any thread may read."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()  # by stream
        self.address = ""  # where the last of it came from
        self.host = ""  # what its logs call it
        self.last_seen_ms = 0
        self.refused: Counter[str] = Counter()  # by reason
        self.trouble = ""  # what was last said about something that was refused
        self.trouble_ms = 0
        self._seen: np.ndarray[Any, np.dtype[np.bool_]] | None = None

    def accept(self, entries: Iterable[tuple[Stream, pa.RecordBatch]], address: str, now_ms: int) -> None:
        """Count what was taken and synced."""
        for stream, batch in entries:
            if stream is Stream.SERIES:
                continue
            self.rows[stream.value] += batch.num_rows
            if stream is Stream.SAMPLES:
                self._see(batch)
            elif stream is Stream.LOGS and batch.num_rows and not self.host:
                self.host = batch.column("host")[0].as_py()
        self.address, self.last_seen_ms = address, now_ms

    def accept_logs(self, count: int, address: str, now_ms: int) -> None:
        """Count lines of which the address is what is known of their sender."""
        self.rows[Stream.LOGS.value] += count
        self.address, self.last_seen_ms = address, now_ms

    def refuse(self, reason: str, detail: str, now_ms: int, count: int = 1) -> None:
        """Count what was refused, and remember what was said about it."""
        self.refused[reason] += count
        self.trouble, self.trouble_ms = detail[:500], now_ms

    def series(self) -> int:
        """About how many series its samples belong to, within some percent up to ten thousand. Source: linear counting,
        Whang, Vander-Zanden and Taylor 1990."""
        if self._seen is None:
            return 0
        free = _PLACES - int(self._seen.sum())
        return round(-_PLACES * math.log(max(free, 1) / _PLACES))

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "rows": dict(self.rows),
            "series": self.series(),
            "address": self.address,
            "host": self.host,
            "last_seen_ms": self.last_seen_ms,
            "refused": dict(self.refused),
            "trouble": self.trouble,
            "trouble_ms": self.trouble_ms,
        }

    def _see(self, samples: pa.RecordBatch) -> None:
        if self._seen is None:
            self._seen = np.zeros(_PLACES, np.bool_)
        # ids of series are hashes: their last bits are spread evenly
        self._seen[samples.column("series").to_numpy(zero_copy_only=False) % np.uint64(_PLACES)] = True
