"""SNMP's socket: messages are read, the journal syncs what they tell, and only then informs are answered. Nothing is
loaded before the first datagram comes.
"""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from watchkeeper.model.declared import SnmpUsers
from watchkeeper.model.doors import Keyring
from watchkeeper.model.errors import (
    DiskFull,
    Malformed,
    RateLimited,
    Unauthorised,
    WatchkeeperError,
)
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.dead_letters import DeadLetters, Letter
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.events import Reported, batch, rows
from watchkeeper.receivers.snmp import NAME, reported
from watchkeeper.receivers.syslog_admission import Admission
from watchkeeper.receivers.syslog_datagrams import as_ipv4
from watchkeeper.receivers.syslog_listener import wall_ms
from watchkeeper.receivers.syslog_writer import Entries, Group
from watchkeeper.receivers.waiting import Datagram, Waiting

if TYPE_CHECKING:
    from watchkeeper.receivers.snmp_engine import Engine
    from watchkeeper.receivers.snmp_messages import Received


class SnmpListener:
    """Receives on `bound`, which is bound already, and leaves it open. `folder` keeps the engine's state."""

    def __init__(self, bound: socket.socket, folder: Path, *, group: Group, keyring: Keyring, users: SnmpUsers,
                 stats: DoorStats, letters: DeadLetters, now_ms: Callable[[], int] = wall_ms) -> None:  # fmt: skip
        self._socket, self._folder, self._users = bound, folder, users
        self._group, self._letters, self._now_ms = group, letters, now_ms
        self._counters = stats.door(NAME)
        self.admission = Admission(NAME, keyring, self._counters)
        self._engine: Engine | None = None
        self._waiting = Waiting(NAME, bound, self._counters, self._write)

    async def start(self) -> None:
        """Begin to receive."""
        self._waiting.start()

    async def stop(self) -> None:
        """Take in what has arrived, commit it, answer, end. Takes some seconds more while the journal is full."""
        await self._waiting.stop()

    def _write(self) -> None:
        """Read what waits, together; commit; answer."""
        while some := self._waiting.next():
            self._serve(some)

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
        if entries and self._waiting.offer(self._group, entries):
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

    def _send(self, answer: bytes, to: Datagram) -> None:
        with suppress(OSError):  # it asks again
            self._socket.sendto(answer, to.address)
