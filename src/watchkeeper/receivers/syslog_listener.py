"""Syslog's sockets: one thread empties the UDP socket, one serves all TCP connections, one those over TLS, each with a
writer behind it. Senders are known by their address. What waits for the journal is bounded; beyond that TCP senders wait,
and datagrams wait in the kernel, which counts those that find no room there.
"""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from watchkeeper.model.doors import Keyring
from watchkeeper.receivers.dead_letters import DeadLetters
from watchkeeper.receivers.door_stats import DoorCounters, DoorStats
from watchkeeper.receivers.limits import Limits
from watchkeeper.receivers.syslog import NAME, Frames, SyslogDoor, warm
from watchkeeper.receivers.syslog_admission import Admission
from watchkeeper.receivers.syslog_datagrams import SLOTS, Datagrams, DatagramSocket, address_of
from watchkeeper.receivers.syslog_streams import Streams
from watchkeeper.receivers.syslog_tls import TlsStreams
from watchkeeper.receivers.syslog_writer import Arrived, Group, Writer
from watchkeeper.receivers.tls import Certificate

_DATAGRAMS_WAITING = 32 * 1024 * 1024  # bytes that may wait for the journal
_STREAMS_WAITING = 8 * 1024 * 1024
_LOOK_MS = 250  # between two looks at whether to stop
_AMPLE = 4 * 1024 * 1024  # bytes of kernel buffer that can do without us for some milliseconds


def wall_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def local_zone(now_ms: int) -> int:
    """This place's zone at a time, in minutes east of Greenwich."""
    return time.localtime(now_ms / 1000).tm_gmtoff // 60


class SyslogListener:
    """Receives on `sockets`, which are bound (UDP) or listening (TCP) already, and leaves them open; on `secured`
    over TLS, with its certificate."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        *,
        group: Group,
        keyring: Keyring,
        stats: DoorStats,
        letters: DeadLetters,
        now_ms: Callable[[], int] = wall_ms,
        zone: Callable[[int], int] = local_zone,
        secured: tuple[socket.socket, Certificate] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._stop = threading.Event()
        counters = stats.door(NAME)
        self.admission = Admission(NAME, keyring, counters)
        door, limits = SyslogDoor(zone), limits or Limits()
        self._writers: list[Writer] = []
        self._threads: list[threading.Thread] = []
        self.streams: list[Streams] = []

        def writer(kind: str, most: int) -> Writer:
            made = Writer(
                f"syslog {kind} writer", door, group, counters, letters, now_ms, most, self.admission.key
            )
            self._writers.append(made)
            return made

        for bound in sockets:
            if bound.type == socket.SOCK_STREAM:
                self._serve(
                    Streams(bound, self.admission, writer("tcp", _STREAMS_WAITING), counters, limits), "tcp"
                )
            else:
                datagrams = writer("udp", _DATAGRAMS_WAITING)
                self._serve(_DatagramThread(bound, self.admission, datagrams, counters), "udp")
        if secured is not None:
            listening, certificate = secured
            waiting = writer("tls", _STREAMS_WAITING)
            self._serve(TlsStreams(listening, self.admission, waiting, counters, certificate, limits), "tls")

    def _serve(self, served: Streams | _DatagramThread, kind: str) -> None:
        if isinstance(served, Streams):
            self.streams.append(served)
        self._threads.append(threading.Thread(target=served.run, args=(self._stop,), name=f"syslog {kind}"))

    async def start(self) -> None:
        """Begin to receive. Compiles first, or loads what was compiled before: a second or more."""
        await asyncio.to_thread(warm)
        for writer in self._writers:
            writer.start()
        for thread in self._threads:
            thread.start()

    async def stop(self) -> None:
        """Take in what has arrived, commit it, end. Takes some seconds more while the journal is full."""
        await asyncio.to_thread(self._end)

    def fault(self) -> str:
        """Why the journal does not take syslog; "" when it does."""
        return next((w.fault for w in self._writers if w.fault), "")

    def _end(self) -> None:
        self._stop.set()
        for writer in self._writers:
            writer.hurry()
        for thread in self._threads:
            thread.join()
        for writer in self._writers:
            writer.close()


class _DatagramThread:
    """Empties the UDP socket and counts what the kernel dropped."""

    def __init__(
        self, bound: socket.socket, admission: Admission, writer: Writer, counters: DoorCounters
    ) -> None:
        self._bound, self._admission, self._writer, self._counters = bound, admission, writer, counters
        self._dropped = 0

    def run(self, stop: threading.Event) -> None:
        """Receive until `stop`, then what is there still."""
        source = DatagramSocket(self._bound)
        pause = 0.01 if source.room >= _AMPLE else 0.001
        poll = select.poll()
        poll.register(self._bound, select.POLLIN)
        while True:
            ended = stop.is_set()
            if poll.poll(0 if ended else _LOOK_MS):
                got = source.receive()
                self._hand_over(got)
                if len(got.sizes) < SLOTS and not ended:
                    stop.wait(pause)  # many at once cost as little as one
            elif ended:
                return
            self._count_drops(source)

    def _count_drops(self, source: DatagramSocket) -> None:
        dropped = source.drops()
        if dropped != self._dropped:
            self._counters.reject("kernel_drop", (dropped - self._dropped) & 0xFFFFFFFF)
            self._dropped = dropped

    def _hand_over(self, got: Datagrams) -> None:
        if len(got.sizes) == 0:
            return
        numbers: dict[bytes, int] = {}
        senders = np.array([numbers.setdefault(name, len(numbers)) for name in got.names], np.int32)
        addresses = [address_of(name) for name in numbers]
        counts = np.bincount(senders)
        admitted = [self._admits(a, int(n)) for a, n in zip(addresses, counts, strict=True)]
        ends = np.cumsum(got.sizes)
        kept = np.array(admitted)[senders] & (got.sizes > 0)
        if kept.any():
            starts = ends - got.sizes
            self._writer.put(Arrived(Frames(got.data, starts[kept], ends[kept], senders[kept], addresses)))

    def _admits(self, address: str, count: int) -> bool:
        key = self._admission.key(address)
        if key is None:
            self._admission.refuse(address, count)
            return False
        if self._admission.wait(key) > 0:
            self._counters.reject("rate_limited", count)
            return False
        self._admission.charge(key, count)
        return True
