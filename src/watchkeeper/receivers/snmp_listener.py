"""SNMP's socket: one thread empties it, another reads the messages, has the journal sync what they tell, and only then
answers informs. What waits between the two is bounded; beyond that datagrams wait in the kernel, which counts those
that find no room there. Nothing is loaded before the first datagram comes.
"""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from watchkeeper.model.declared import SnmpUsers
from watchkeeper.model.doors import Keyring
from watchkeeper.model.errors import (
    DiskFull,
    Malformed,
    RateLimited,
    TooLarge,
    Unauthorised,
    WatchkeeperError,
)
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.dead_letters import DeadLetters, Letter
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.events import Reported, batch, rows
from watchkeeper.receivers.snmp import NAME, reported
from watchkeeper.receivers.syslog_admission import Admission
from watchkeeper.receivers.syslog_datagrams import as_ipv4, enlarge, kernel_drops
from watchkeeper.receivers.syslog_listener import wall_ms
from watchkeeper.receivers.syslog_writer import Entries, Group

if TYPE_CHECKING:
    from watchkeeper.receivers.snmp_engine import Engine
    from watchkeeper.receivers.snmp_messages import Received

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


class SnmpListener:
    """Receives on `bound`, which is bound already, and leaves it open. `folder` keeps the engine's state."""

    def __init__(self, bound: socket.socket, folder: Path, *, group: Group, keyring: Keyring, users: SnmpUsers,
                 stats: DoorStats, letters: DeadLetters, now_ms: Callable[[], int] = wall_ms) -> None:  # fmt: skip
        self._socket, self._folder, self._users = bound, folder, users
        self._group, self._letters, self._now_ms = group, letters, now_ms
        self._counters = stats.door(NAME)
        self.admission = Admission(NAME, keyring, self._counters)
        self._engine: Engine | None = None
        self._queue: deque[Datagram] = deque()
        self._size, self._dropped = 0, 0
        self._changed = threading.Condition()
        self._stop, self._taken = threading.Event(), threading.Event()
        self._until = float("inf")
        self._threads = [
            threading.Thread(target=t, name=f"snmp {t.__name__}") for t in (self._take, self._write)
        ]

    async def start(self) -> None:
        """Begin to receive."""
        self._socket.setblocking(False)
        enlarge(self._socket)
        for thread in self._threads:
            thread.start()

    async def stop(self) -> None:
        """Take in what has arrived, commit it, answer, end. Takes some seconds more while the journal is full."""
        self._until = time.monotonic() + _PATIENCE
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _take(self) -> None:
        """Empty the socket into the queue."""
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

    def _write(self) -> None:
        """Read what waits, together; commit; answer."""
        while some := self._next():
            self._serve(some)

    def _next(self) -> list[Datagram]:
        """What waits, at most _AT_ONCE; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._taken.is_set())
            some = [self._queue.popleft() for _ in range(min(_AT_ONCE, len(self._queue)))]
            self._size -= sum(len(d.data) + _EACH for d in some)
            self._changed.notify_all()
            return some

    def _serve(self, some: list[Datagram]) -> None:
        now_ms = self._now_ms()
        told: list[Reported] = []
        answers: list[tuple[bytes, Datagram]] = []
        letters: dict[str, list[Letter]] = {}
        for datagram in some:
            sender = as_ipv4(datagram.address[0])
            try:
                received = self._receive(datagram.data, sender)
            except Malformed as error:
                letters.setdefault(sender, []).append(Letter(error.reason, error.detail, datagram.data))
                continue
            except WatchkeeperError as error:
                if error.reason == Unauthorised.reason:
                    self.admission.refuse(sender, 1)
                else:
                    self._counters.reject(error.reason)
                continue
            if received.told is None:
                self._send(received.answer, datagram)
                continue
            told.append(reported(received.told, now_ms))
            if received.answer:
                answers.append((received.answer, datagram))
        entries: Entries = [(Stream.EVENTS, batch(NAME, rows(told, now_ms), now_ms))] if told else []
        for sender, kept in letters.items():
            entries += self._letters.rows(self._counters, sender, kept, now_ms)
        if entries and self._commit(entries):
            size = sum(len(d.data) for d in some)
            self._counters.accept(len(told), size, now_ms, requests=len(told))
            for answer, datagram in answers:
                self._send(answer, datagram)
        for reason, count in Counter(x.reason for kept in letters.values() for x in kept).items():
            self._counters.reject(reason, count)

    def _receive(self, data: bytes, sender: str) -> Received:
        """Raises Malformed, Unauthorised, RateLimited or DiskFull."""
        from watchkeeper.receivers import snmp_messages

        key = self.admission.key(sender)
        if key is not None and (wait := self.admission.wait(key)) > 0:
            raise RateLimited(f"intake key {key.name!r} sends too much", retry_after=wait)
        spoken = snmp_messages.version(data)
        if spoken == "3":
            received = self._opened_engine().receive(data, sender)
        elif key is None:
            raise Unauthorised(f"no intake key admits {sender}")
        else:
            received = snmp_messages.receive(data, spoken, sender)
        if received.told is not None:
            if key is None and not received.told.signed:
                raise Unauthorised(f"no intake key admits {sender}, and the message is not signed")
            if key is not None:
                self.admission.charge(key, 1)
        return received

    def _opened_engine(self) -> Engine:
        if self._engine is None:
            from watchkeeper.receivers.snmp_engine import Engine

            try:
                self._engine = Engine(self._folder / "snmp-engine.json", self._users, time.monotonic)
            except OSError as error:
                raise DiskFull(f"the SNMP engine's state cannot be written: {error}") from error
        return self._engine

    def _commit(self, entries: Entries) -> bool:
        """Offer entries until the journal takes them; False when it never will or stopping leaves no time."""
        while True:
            try:
                self._group.submit_blocking(entries)
            except WatchkeeperError as error:
                if isinstance(error, TooLarge) or time.monotonic() > self._until:
                    self._counters.reject(error.reason, sum(b.num_rows for _, b in entries))
                    return False
                time.sleep(_AGAIN)
            else:
                return True

    def _send(self, answer: bytes, to: Datagram) -> None:
        with suppress(OSError):  # it asks again
            self._socket.sendto(answer, to.address)
