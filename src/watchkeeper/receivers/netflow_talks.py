"""What becomes of flows: who talks to whom on which port, gathered over a window, and how much each exporter has seen
of each protocol."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from watchkeeper.model.errors import TooManySeries
from watchkeeper.model.hostnames import address
from watchkeeper.model.signals import Stream, batch
from watchkeeper.model.topology import Discovery, Talk
from watchkeeper.receivers.door_stats import DoorCounters
from watchkeeper.receivers.netflow import NAME, Flow
from watchkeeper.receivers.netflow_spread import Spread
from watchkeeper.receivers.series import SeriesTable
from watchkeeper.receivers.syslog_writer import Entries

MOST_TALKS = 5_000  # that are told of one window
_AGAIN_MS = 300_000  # a talk that goes on is told again after this
_REMEMBERED = 50_000  # talks that were told
_COUNTED = 10_000  # exporters with a protocol, whose bytes are counted
_EPHEMERAL = 32_768  # Linux gives clients ports from here on
_SYN, _RST, _PSH, _ACK = 0x02, 0x04, 0x08, 0x10
_PORTED = {6: "tcp", 17: "udp", 132: "sctp"}
_PROTOCOLS = {**_PORTED, 1: "icmp", 47: "gre", 50: "esp", 58: "icmpv6"}
_BROADCAST = "255.255.255.255"

_canonical = lru_cache(65_536)(address)


def talk(flow: Flow) -> Talk | None:
    """Who asks whom, where it can be told: the server has the lower port, and one that clients are not given. A try
    that nobody answered, and one that was refused, is none."""
    protocol = _PORTED.get(flow.protocol)
    ports = flow.source_port, flow.destination_port
    if protocol is None or ports[0] == ports[1] or not 0 < min(ports) < _EPHEMERAL:
        return None
    if protocol == "tcp" and flow.flags and not _connected(flow.flags):
        return None
    ends = _canonical(flow.source), _canonical(flow.destination)
    server = 0 if ports[0] < ports[1] else 1
    one, other = ends[1 - server], ends[server]
    if one is None or other is None or one == other or _BROADCAST in ends:
        return None
    return Talk(one, other, ports[server], protocol)


def _connected(flags: int) -> bool:
    return bool(flags & _ACK) and not (flags & _RST and not flags & (_SYN | _PSH))


class Talks:
    """Gathers until it is asked. For one thread. Numbers of bytes and packets only rise."""

    def __init__(self, series: SeriesTable, counters: DoorCounters) -> None:
        self._series, self._counters = series, counters
        self._new: dict[Talk, None] = {}
        self._told: dict[Talk, int] = {}  # when, Unix ms
        self._sizes: dict[tuple[str, str], tuple[int, int]] = {}  # exporter, protocol → bytes, packets
        self._spread = Spread(series, counters)
        self._moved: dict[tuple[str, str], None] = {}  # of these, what the window has changed

    def add(self, exporter: str, flows: Iterable[Flow], now_ms: int) -> None:
        """Take in what an exporter has told."""
        flows = list(flows)
        self._spread.add(flows, now_ms)
        for flow in flows:
            self._count(exporter, flow)
            found = talk(flow)
            if found is None or found in self._new or 0 <= now_ms - self._told.get(found, 0) < _AGAIN_MS:
                continue
            if len(self._new) >= MOST_TALKS:
                self._counters.reject("too_many_talks")
                continue
            self._new[found] = None

    def take(self, now_ms: int) -> Entries:
        """What the window has come to, as entries of the journal: a discovery, and samples."""
        entries: Entries = []
        if self._new:
            if len(self._told) + len(self._new) > _REMEMBERED:
                self._told.clear()
            self._told |= dict.fromkeys(self._new, now_ms)
            found = Discovery(now_ms, NAME, talks=tuple(self._new))
            row = {"time_ms": now_ms, "origin": NAME, "document": msgspec.json.encode(found)}
            entries.append((Stream.DISCOVERIES, batch(Stream.DISCOVERIES, [row])))
        samples = self._samples(now_ms) + self._spread.take(now_ms)
        if samples:
            entries.append((Stream.SAMPLES, batch(Stream.SAMPLES, samples)))
        self._new, self._moved = {}, {}
        return entries

    def _count(self, exporter: str, flow: Flow) -> None:
        key = (exporter, _PROTOCOLS.get(flow.protocol, "other"))
        if key not in self._sizes and len(self._sizes) >= _COUNTED:
            return
        octets, packets = self._sizes.get(key, (0, 0))
        self._sizes[key] = octets + flow.octets, packets + flow.packets
        self._moved[key] = None

    def _samples(self, now_ms: int) -> list[dict[str, object]]:
        found: list[dict[str, object]] = []
        for exporter, protocol in self._moved:
            labels = {"instance": exporter, "protocol": protocol}
            for what, value in zip(("bytes", "packets"), self._sizes[exporter, protocol], strict=True):
                name, unit = f"netflow_{what}_total", "bytes" if what == "bytes" else ""
                try:
                    series = self._series.lookup(name, labels, "counter", unit, NAME)
                except TooManySeries as error:
                    self._counters.reject(error.reason)
                    continue
                found.append({"series": series, "time_ms": now_ms, "value": float(value)})
        return found
