"""NetFlow's socket: what comes is read as it comes, gathered over a window, and written to the journal at its end. Nobody
is answered: a kill loses the flows of the window that was open."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable

from watchkeeper.model.doors import Keyring
from watchkeeper.model.errors import Malformed, RateLimited, Unauthorised, WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.dead_letters import DeadLetters, Letter
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.netflow import NAME, Exporters, Flow
from watchkeeper.receivers.netflow_sequence import Sequences
from watchkeeper.receivers.netflow_talks import Talks
from watchkeeper.receivers.series import SeriesTable
from watchkeeper.receivers.syslog_admission import Admission
from watchkeeper.receivers.syslog_datagrams import as_ipv4
from watchkeeper.receivers.syslog_listener import wall_ms
from watchkeeper.receivers.syslog_writer import Entries, Group
from watchkeeper.receivers.waiting import Datagram, Waiting

WINDOW = 10.0  # seconds
_LETTERS = 200  # that wait for the end of a window


class NetflowListener:
    """Receives on `bound`, which is bound already, and leaves it open."""

    def __init__(self, bound: socket.socket, *, group: Group, keyring: Keyring, series: SeriesTable,
                 stats: DoorStats, letters: DeadLetters, now_ms: Callable[[], int] = wall_ms,
                 window: float = WINDOW) -> None:  # fmt: skip
        self._group, self._series, self._letters = group, series, letters
        self._now_ms, self._window = now_ms, window
        self._counters = stats.door(NAME)
        self.admission = Admission(NAME, keyring, self._counters)
        self._waiting = Waiting(NAME, bound, self._counters, self._write)
        self._exporters, self._talks = Exporters(), Talks(series, self._counters)
        self._sequences = Sequences()
        self._taken: Counter[str] = Counter()  # of this window: datagrams, flows, bytes
        self._unread: list[tuple[str, Letter]] = []

    async def start(self) -> None:
        """Begin to receive."""
        self._waiting.start()

    async def stop(self) -> None:
        """Take in what has arrived, commit it, end. Takes some seconds more while the journal is full."""
        await self._waiting.stop()

    def _write(self) -> None:
        """Read what comes; at the end of each window, and at the last, commit what it came to."""
        end = time.monotonic() + self._window
        while not self._waiting.ended:
            for datagram in self._waiting.next(max(0.0, end - time.monotonic())):
                self._read(datagram)
            if time.monotonic() >= end:
                self._commit()
                end = time.monotonic() + self._window
        self._commit()

    def _read(self, datagram: Datagram) -> None:
        sender = as_ipv4(datagram.address[0])
        try:
            flows = self._flows(datagram.data, sender)
        except Malformed as error:
            self._sequences.skip(sender)
            self._counters.reject(error.reason)
            if len(self._unread) < _LETTERS:
                self._unread.append((sender, Letter(error.reason, error.detail, datagram.data)))
        except WatchkeeperError as error:
            if error.reason == Unauthorised.reason:
                self.admission.refuse(sender, 1)
            else:
                self._counters.reject(error.reason)
        else:
            self._talks.add(sender, flows, self._now_ms())
            self._taken.update(datagrams=1, flows=len(flows), bytes=len(datagram.data))

    def _flows(self, data: bytes, sender: str) -> list[Flow]:
        """Raises Malformed, Unauthorised or RateLimited."""
        key = self.admission.key(sender)
        if key is None:
            raise Unauthorised(f"no intake key admits {sender}")
        if (wait := self.admission.wait(key)) > 0:
            self._sequences.skip(sender)
            raise RateLimited(f"intake key {key.name!r} sends too much", retry_after=wait)
        read = self._exporters.read(data, sender)
        if read.unknown:
            self._counters.reject("unknown_template", read.unknown)
        self.admission.charge(key, len(read.flows))
        self._sequences.saw(sender, read.numbered)
        self._counters.ages.saw(read.sent_ms, self._now_ms())
        return read.flows

    def _commit(self) -> None:
        now_ms = self._now_ms()
        for reason, missing in self._sequences.take().items():
            self._counters.reject(reason, missing)
        entries: Entries = self._talks.take(now_ms)
        for sender, letter in self._unread:
            entries += self._letters.rows(self._counters, sender, [letter], now_ms)
        first = self._series.take_new()
        if first is not None:
            entries.insert(0, (Stream.SERIES, first))
        if not entries or self._waiting.offer(self._group, entries):
            self._count(now_ms)
        else:
            self._series.put_back(first)
        self._unread, self._taken = [], Counter()

    def _count(self, now_ms: int) -> None:
        t = self._taken
        if t["datagrams"]:
            self._counters.accept(t["flows"], t["bytes"], now_ms, requests=t["datagrams"])
