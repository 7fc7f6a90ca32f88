"""How widely each machine reaches out: the addresses and ports that it asks in a minute, and how evenly, as series of their
own. Memory is bounded whoever sends what: a machine has sketches of fixed size, and only machines that have been at it for
a while have series, so that a flood of made-up senders makes none."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from watchkeeper.model.errors import TooManySeries
from watchkeeper.receivers.door_stats import DoorCounters
from watchkeeper.receivers.netflow import Flow
from watchkeeper.receivers.series import SeriesTable

SOURCE = "flows"  # of these series: others see the machines, and analysis makes no items of them
MINUTE_MS = 60_000
BITS = 4096  # of the counting of distinct ones (Whang, Vander-Zanden and Taylor 1990, "linear-time probabilistic counting")
BUCKETS = 256  # of the histogram whose entropy is told
MINUTES = 15  # in which a machine has to have asked somebody before it has series
MOST, MOST_NEW = 1_000, 10_000  # machines with series, and of whom minutes are counted
GONE_MINUTES = 1440  # without a flow, after which another may take its place
_WHAT = (("network.contacted_addresses", "{address}"), ("network.contacted_ports", "{port}"),
         ("network.address_entropy", "bit"), ("network.port_entropy", "bit"))  # fmt: skip


class Reach:
    """What one machine has asked in the present minute: sketches of addresses and of ports."""

    __slots__ = ("bits", "buckets", "heard")

    def __init__(self, minute: int) -> None:
        self.bits = bytearray(BITS), bytearray(BITS)
        self.buckets = [0] * BUCKETS, [0] * BUCKETS
        self.heard = minute

    def add(self, address: str, port: int, minute: int) -> None:
        """It asks this address on this port."""
        for k, h in enumerate((_hash(address), _hash(str(port)))):
            self.bits[k][h % BITS] = 1
            self.buckets[k][h // BITS % BUCKETS] += 1
        self.heard = minute

    def numbers(self) -> tuple[float, ...]:
        """As in _WHAT; then begin anew."""
        bits = (distinct(np.frombuffer(b, np.bool_)) for b in self.bits)
        found = (*bits, *(entropy(np.array(b)) for b in self.buckets))
        self.bits = bytearray(BITS), bytearray(BITS)
        self.buckets = [0] * BUCKETS, [0] * BUCKETS
        return found


class Spread:
    """All machines; for one thread."""

    def __init__(self, series: SeriesTable, counters: DoorCounters) -> None:
        self._series, self._counters = series, counters
        self._known: dict[str, Reach] = {}
        self._new: OrderedDict[str, tuple[int, int]] = OrderedDict()  # → minutes, the last of them
        self._minute = 0

    def add(self, flows: Iterable[Flow], now_ms: int) -> None:
        """Take in flows, also those that nobody answered: a scan is made of these. Who sends to the lower port asks."""
        minute = now_ms // MINUTE_MS
        for flow in flows:
            if not flow.source or not 0 < flow.destination_port <= max(flow.source_port, 1023):
                continue
            reach = self._known.get(flow.source) or self._admit(flow.source, minute)
            if reach is not None:
                reach.add(flow.destination, flow.destination_port, minute)

    def take(self, now_ms: int) -> list[dict[str, object]]:
        """Samples, once a minute; a machine that asked nobody has zeros."""
        minute = now_ms // MINUTE_MS
        if minute == self._minute:
            return []
        self._minute, samples = minute, list[dict[str, object]]()
        for address, reach in list(self._known.items()):
            if minute - reach.heard > GONE_MINUTES:
                del self._known[address]
                continue
            for (name, unit), value in zip(_WHAT, reach.numbers(), strict=True):
                try:
                    series = self._series.lookup(name, {"instance": address}, "gauge", unit, SOURCE)
                except TooManySeries as error:
                    self._counters.reject(error.reason)
                    continue
                samples.append({"series": series, "time_ms": minute * MINUTE_MS, "value": value})
        return samples

    def _admit(self, address: str, minute: int) -> Reach | None:
        """Its place, once it has been seen in enough minutes. Of those seen once the oldest give way first."""
        count, last = self._new.pop(address, (0, -1))
        count += minute != last
        if count >= MINUTES and len(self._known) < MOST:
            self._known[address] = made = Reach(minute)
            return made
        self._new[address] = (count, minute)
        if len(self._new) > MOST_NEW:
            self._new.popitem(last=False)
        return None


def distinct(bits: NDArray[np.bool_]) -> float:
    """How many distinct ones have set these bits, about: within 5 % up to as many as there are bits.

    >>> distinct(np.zeros(4096, bool)), round(distinct(np.arange(4096) < 1))
    (0.0, 1)
    """
    empty = max(1, int(len(bits) - bits.sum()))
    return round(-len(bits) * math.log(empty / len(bits)), 1) + 0.0


def entropy(counts: NDArray[np.int64]) -> float:
    """Shannon's entropy of a histogram in bits: 0 when all is in one place, 8 when it is even over 256.

    >>> entropy(np.array([4, 0])), entropy(np.array([4, 4]))
    (0.0, 1.0)
    """
    shares = counts[counts > 0] / max(1, int(counts.sum()))
    return round(float(-(shares * np.log2(shares)).sum()), 3) + 0.0


def _hash(text: str) -> int:
    """With the process' own secret, so that nobody can aim at one bucket."""
    return hash(text) & 0x7FFF_FFFF_FFFF_FFFF
