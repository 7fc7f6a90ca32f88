"""The thread between syslog's sockets and the journal: frames are decoded, rows committed, and only then counted
as taken. What the journal does not take it keeps and offers again; when too much waits, it takes no more.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.errors import TooLarge, WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.dead_letters import DeadLetters, Letter
from watchkeeper.receivers.door_stats import DoorCounters
from watchkeeper.receivers.syslog import Frames, SyslogDoor

Entries = list[tuple[Stream, pa.RecordBatch]]
LINGER = 0.05  # seconds that frames wait for others: a commit costs a sync of the disk
_ENOUGH = 4 * 1024 * 1024  # bytes after which nothing waits for more
_AGAIN = 0.2  # seconds between two offers to a journal that is full
_PATIENCE = 5.0  # seconds that closing waits for a full journal


class Arrived(NamedTuple):
    """Frames, and by sender what was none."""

    frames: Frames
    letters: Sequence[tuple[str, Letter]] = ()


class Group(Protocol):
    """Where entries go: the journal's group commit."""

    def submit_blocking(self, entries: Sequence[tuple[Stream, pa.RecordBatch]]) -> object:
        """Return once all is synced. Raises JournalFull, DiskFull."""
        ...


class Writer:
    """Takes frames from one thread and writes them in its own. `most` bounds the bytes that wait; `key_of` gives the
    key that admits an address."""

    def __init__(
        self,
        name: str,
        door: SyslogDoor,
        group: Group,
        counters: DoorCounters,
        letters: DeadLetters,
        now_ms: Callable[[], int],
        most: int,
        key_of: Callable[[str], IntakeKey | None],
    ) -> None:
        self.fault = ""  # why the journal takes nothing now
        self._door, self._group, self._counters, self._letters = door, group, counters, letters
        self._now_ms, self._most, self._key_of = now_ms, most, key_of
        self._queue: deque[Arrived] = deque()
        self._size = 0
        self._patience = float("inf")  # until when, monotonic, a full journal is waited for
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=name)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, arrived: Arrived) -> None:
        """Hand frames over; waits while too much waits already."""
        size = len(arrived.frames.data)
        with self._changed:
            self._changed.wait_for(lambda: not self._queue or self._size + size <= self._most)
            self._queue.append(arrived)
            self._size += size
            self._changed.notify_all()

    def hurry(self) -> None:
        """From now on a full journal is waited for only a few seconds more, then what waits is lost and
        counted."""
        self._patience = min(self._patience, time.monotonic() + _PATIENCE)

    def close(self) -> None:
        """Write what waits, then end. Nothing is put any more."""
        self.hurry()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._take():
            now_ms = self._now_ms()
            frames = Frames.joined([arrived.frames for arrived in batch])
            entries, refused = self._read(frames, [x for arrived in batch for x in arrived.letters], now_ms)
            self._counters.ages.saw_batches(entries, now_ms)
            if self._commit(entries):
                rows = sum(b.num_rows for stream, b in entries if stream is Stream.LOGS)
                self._counters.accept(rows, len(frames.data), now_ms, requests=rows)
                self._count_senders(frames, now_ms)
            for reason, count in refused.items():
                self._counters.reject(reason, count)

    def _count_senders(self, frames: Frames, now_ms: int) -> None:
        for number, count in enumerate(np.bincount(frames.senders).tolist()):
            address = frames.addresses[number]
            if count and (key := self._key_of(address)) is not None:
                self._counters.sender(key.id).accept_logs(count, address, now_ms)

    def _take(self) -> list[Arrived]:
        """What waits, once there is enough of it or it has waited long enough; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            self._changed.wait_for(lambda: self._size >= _ENOUGH or self._closed, LINGER)
            batch: list[Arrived] = []
            size = 0
            while self._queue and size < _ENOUGH:
                batch.append(self._queue.popleft())
                size += len(batch[-1].frames.data)
            self._size -= size
            self._changed.notify_all()
            return batch

    def _read(
        self, frames: Frames, letters: list[tuple[str, Letter]], now_ms: int
    ) -> tuple[Entries, Counter[str]]:
        logs = self._door.read(frames, now_ms)
        entries: Entries = [] if logs.rows is None else [(Stream.LOGS, logs.rows)]
        by_sender: dict[str, list[Letter]] = {}
        unread = [(frames.addresses[frames.senders[i]], letter) for i, letter in logs.letters]
        for sender, letter in (*letters, *unread):
            by_sender.setdefault(sender, []).append(letter)
        for sender, kept in by_sender.items():
            entries += self._letters.rows(self._counters, sender, kept, now_ms)
        return entries, Counter(letter.reason for kept in by_sender.values() for letter in kept)

    def _commit(self, entries: Entries) -> bool:
        """Offer entries until the journal takes them; False when it never will or closing leaves no time."""
        if not entries:
            return False
        while True:
            try:
                self._group.submit_blocking(entries)
            except WatchkeeperError as error:
                self.fault = error.detail
                if isinstance(error, TooLarge) or time.monotonic() > self._patience:
                    self._counters.reject(error.reason, sum(b.num_rows for _, b in entries))
                    return False
                time.sleep(_AGAIN)
            else:
                self.fault = ""
                return True
