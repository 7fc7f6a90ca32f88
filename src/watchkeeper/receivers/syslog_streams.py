"""Syslog's TCP connections, all in one thread: accepted by address, read as fast as the journal takes what they
say, and cheap while they say nothing. TCP syslog knows no answer, so what is read is what must be kept.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.errors import Malformed
from watchkeeper.receivers.dead_letters import Letter
from watchkeeper.receivers.door_stats import DoorCounters
from watchkeeper.receivers.limits import Limits, Places
from watchkeeper.receivers.syslog import Frames
from watchkeeper.receivers.syslog_admission import Admission
from watchkeeper.receivers.syslog_datagrams import as_ipv4
from watchkeeper.receivers.syslog_framing import Pieces, Splitter
from watchkeeper.receivers.syslog_writer import Arrived, Writer

_CHUNK = 256 * 1024
_ROUND = 4 * 1024 * 1024  # bytes read before they are handed over
_HELD = 64 * 1024 * 1024  # bytes of unfinished messages, all connections together
_LOOK = 0.25  # seconds between two looks at whether to stop


class Readable(Protocol):
    """What a connection is read from."""

    def fileno(self) -> int:
        """The descriptor to wait on."""
        ...

    def recv(self, size: int, /) -> bytes:
        """What has arrived; b"" at the end. Raises BlockingIOError when there is nothing, OSError."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(eq=False, slots=True)
class Connection:
    """One sender."""

    socket: Readable
    address: str
    key: IntakeKey
    splitter: Splitter = field(default_factory=Splitter)


class _Round:
    """What one look at all connections brought, on its way to becoming Frames."""

    def __init__(self) -> None:
        self.size = 0
        self.letters: list[tuple[str, Letter]] = []
        self._data: list[bytes] = []
        self._bounds: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._senders: list[NDArray[np.int32]] = []
        self._addresses: dict[str, int] = {}

    def add(self, address: str, pieces: Pieces) -> int:
        """Take what one connection said; how many messages."""
        self.letters += [(address, letter) for letter in pieces.letters]
        count = len(pieces.starts)
        if count:
            sender = self._addresses.setdefault(address, len(self._addresses))
            self._bounds.append((pieces.starts + self.size, pieces.ends + self.size))
            self._senders.append(np.full(count, sender, np.int32))
            self._data.append(pieces.data)
            self.size += len(pieces.data)
        return count

    def arrived(self) -> Arrived | None:
        """All of it, or None when there is nothing."""
        if not self._data and not self.letters:
            return None
        starts = [starts for starts, _ in self._bounds] or [np.empty(0, np.int64)]
        ends = [ends for _, ends in self._bounds] or [np.empty(0, np.int64)]
        senders = self._senders or [np.empty(0, np.int32)]
        frames = Frames(
            b"".join(self._data), np.concatenate(starts), np.concatenate(ends), np.concatenate(senders),
            list(self._addresses),
        )  # fmt: skip
        return Arrived(frames, self.letters)


class Streams:
    """Serves the connections of one listening socket; `run` is for a thread of its own."""

    def __init__(
        self, listening: socket.socket, admission: Admission, writer: Writer, counters: DoorCounters, limits: Limits
    ) -> None:  # fmt: skip
        self._places = Places(limits.connections, limits.of_one)
        self._listening, self._admission, self._writer = listening, admission, writer
        self._counters = counters
        self._connections: set[Connection] = set()
        self._paused: dict[Connection, float] = {}  # until when, monotonic
        self._held = 0

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop`; then take in what has arrived, and close."""
        self._listening.setblocking(False)
        with selectors.DefaultSelector() as self._selector:
            self._selector.register(self._listening, selectors.EVENT_READ)
            while not stop.is_set():
                self._look()
            self._end()

    def _look(self) -> None:
        self._resume()
        taken = _Round()
        for ready, _ in self._selector.select(_LOOK):
            if ready.data is None:
                self._accept()
                continue
            self._read(cast(Connection, ready.data), taken)
            if taken.size >= _ROUND:
                break  # the others are still readable at the next look
        self._hand_over(taken)

    def _hand_over(self, taken: _Round) -> None:
        arrived = taken.arrived()
        if arrived is not None:
            self._writer.put(arrived)

    def _accept(self) -> None:
        for _ in range(64):
            try:
                accepted, where = self._listening.accept()
            except OSError:
                return  # nobody more, or gone again, or no descriptor left
            address = as_ipv4(where[0])
            key = self._admission.key(address)
            if key is None:
                self._admission.refuse(address, 1)
            elif not self._places.take(address):
                self._counters.reject("too_many_connections")
            else:
                accepted.setblocking(False)
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                try:
                    self._add(Connection(self._opened(accepted), address, key))
                    continue
                except OSError:  # gone before it was begun with
                    self._places.leave(address)
                    self._counters.reject("tls_handshake")
            accepted.close()

    def _opened(self, accepted: socket.socket) -> Readable:
        return accepted

    def _add(self, connection: Connection) -> None:
        self._connections.add(connection)
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def _read(self, connection: Connection, taken: _Round, *, limited: bool = True) -> None:
        """One chunk of what has arrived."""
        key = self._admission.key(connection.address)
        if key is None:
            self._admission.refuse(connection.address, 1)
            self._close(connection)
            return
        if limited and (wait := self._admission.wait(key)):
            self._selector.unregister(connection.socket)
            self._paused[connection] = time.monotonic() + wait
            return
        try:
            chunk = connection.socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        held = connection.splitter.held
        try:
            pieces = connection.splitter.feed(chunk) if chunk else connection.splitter.finish()
        except Malformed as error:
            taken.letters.append((connection.address, Letter(error.reason, error.detail, chunk)))
            chunk = b""
        else:
            self._admission.charge(key, taken.add(connection.address, pieces))
        self._held += connection.splitter.held - held
        if chunk and self._held > _HELD:
            self._counters.reject("too_many_unfinished")
            chunk = b""
        if not chunk:
            self._close(connection)

    def _close(self, connection: Connection) -> None:
        if self._paused.pop(connection, None) is None:
            self._selector.unregister(connection.socket)
        self._held -= connection.splitter.held
        self._connections.discard(connection)
        self._places.leave(connection.address)
        connection.socket.close()

    def _resume(self) -> None:
        now = time.monotonic()
        for connection in [c for c, until in self._paused.items() if until <= now]:
            del self._paused[connection]
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def _end(self) -> None:
        """Take in what the kernel still holds, a line without its newline too, and close all connections."""
        for connection in list(self._connections):
            taken = _Round()
            while connection in self._connections and taken.size < _ROUND:
                size = taken.size
                self._read(connection, taken, limited=False)
                if taken.size == size:
                    break
            if connection in self._connections:
                taken.add(connection.address, connection.splitter.finish())
                self._close(connection)
            self._hand_over(taken)
