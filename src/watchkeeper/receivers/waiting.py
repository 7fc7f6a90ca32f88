"""Datagrams between a socket and who reads them: one thread empties the socket into a queue, another takes from it.
What waits is bounded; beyond that datagrams wait in the kernel, which counts those that find no room there."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from watchkeeper.model.errors import TooLarge, WatchkeeperError
from watchkeeper.receivers.door_stats import DoorCounters
from watchkeeper.receivers.syslog_datagrams import enlarge, kernel_drops
from watchkeeper.receivers.syslog_writer import Entries, Group

_WAITING = 8 * 1024 * 1024  # bytes that may wait to be read
_EACH = 200  # bytes that a waiting datagram costs beside its own
_AT_ONCE = 256  # datagrams that share a commit
_SLOT = 65_536
_LOOK_MS = 250  # between two looks at whether to stop
_AGAIN = 0.2  # seconds between two offers to a journal that is full
_PATIENCE = 5.0  # seconds that stopping waits for a full journal


class Datagram(NamedTuple):
    """What came, and where an answer goes."""

    data: bytes
    address: tuple[str, int]


class Waiting:
    """What has come in on `bound`, which is bound already and stays open. `read`, in a thread of its own, takes what there
    is by `next` until there will be no more."""

    def __init__(
        self, name: str, bound: socket.socket, counters: DoorCounters, read: Callable[[], None]
    ) -> None:
        self._socket, self._counters = bound, counters
        self._queue: deque[Datagram] = deque()
        self._size, self._dropped = 0, 0
        self._changed = threading.Condition()
        self._stop, self._taken = threading.Event(), threading.Event()
        self._until = float("inf")
        self._threads = [
            threading.Thread(target=t, name=f"{name} {what}")
            for what, t in (("take", self._take), ("write", read))
        ]

    def start(self) -> None:
        """Begin to receive."""
        self._socket.setblocking(False)
        enlarge(self._socket)
        for thread in self._threads:
            thread.start()

    async def stop(self) -> None:
        """Take in what has arrived and end, some seconds later while the journal is full."""
        self._until = time.monotonic() + _PATIENCE
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _take(self) -> None:
        """Empty the socket into the queue until `stop`."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        while not self._stop.is_set():
            if poll.poll(_LOOK_MS):
                self._read_all()
            dropped = kernel_drops(self._socket)
            if dropped != self._dropped:
                self._counters.reject("kernel_drop", (dropped - self._dropped) & 0xFFFFFFFF)
                self._dropped = dropped
        with self._changed:
            self._taken.set()  # nothing is put any more
            self._changed.notify_all()

    def _read_all(self) -> None:
        while not self._stop.is_set():
            try:
                data, address = self._socket.recvfrom(_SLOT)
            except BlockingIOError:
                return
            with self._changed:
                self._changed.wait_for(lambda: self._size < _WAITING or self._stop.is_set())
                self._queue.append(Datagram(data, address))
                self._size += len(data) + _EACH
                self._changed.notify_all()

    @property
    def ended(self) -> bool:
        """Whether nothing waits and nothing will come."""
        return self._taken.is_set() and not self._queue

    def next(self, timeout: float | None = None) -> list[Datagram]:
        """What waits, some at once; nothing at the end, or when so many seconds have passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._taken.is_set(), timeout)
            some = [self._queue.popleft() for _ in range(min(_AT_ONCE, len(self._queue)))]
            self._size -= sum(len(d.data) + _EACH for d in some)
            self._changed.notify_all()
            return some

    def offer(self, group: Group, entries: Entries) -> bool:
        """Offer entries until the journal takes them; False when it never will or stopping leaves no time."""
        while True:
            try:
                group.submit_blocking(entries)
            except WatchkeeperError as error:
                if isinstance(error, TooLarge) or time.monotonic() > self._until:
                    self._counters.reject(error.reason, sum(b.num_rows for _, b in entries))
                    return False
                time.sleep(_AGAIN)
            else:
                return True
