"""What exporters sent and never arrived: NetFlow and IPFIX number what they send, so what is missing can be counted.
Gathered over a window, so that datagrams which overtake one another are not missed.

NetFlow 5 and IPFIX count flows, NetFlow 9 datagrams (RFC 3954, section 5.1; RFC 7011, section 3.1).
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

_WRAP = 1 << 32
_FAR = 1_000_000  # further on than this nothing is missing: the exporter began anew
_LATE = {5: 2000, 9: 64, 10: 2000}  # further back than this it began anew
_MOST = 10_000  # numberings that are followed
REASONS = {5: "missing_flows", 9: "missing_datagrams", 10: "missing_flows"}


class Numbered(NamedTuple):
    """What a datagram says of itself: which numbering, its number, and how many it goes on; None where that cannot be
    told, because a template is not known."""

    version: int
    domain: int
    number: int
    step: int | None


@dataclass(slots=True)
class _Run:
    begin: int  # with what the window had to begin
    end: int  # what follows the furthest that has come
    got: int = 0


class Sequences:
    """For one thread.

    >>> s = Sequences()
    >>> for number in (1, 2, 5, 4):
    ...     s.saw("192.0.2.1", Numbered(9, 0, number, 1))
    >>> s.take()
    Counter({'missing_datagrams': 1})
    """

    def __init__(self) -> None:
        self._runs: OrderedDict[tuple[str, int, int], _Run] = OrderedDict()
        self._missing: Counter[str] = Counter()
        self._skipped: set[str] = set()

    def skip(self, exporter: str) -> None:
        """Say that something of this exporter came and was not read: it is not missing."""
        self._skipped.add(exporter)

    def saw(self, exporter: str, datagram: Numbered) -> None:
        """Note a datagram."""
        if exporter in self._skipped:
            self._skipped.discard(exporter)
            for key in [k for k in self._runs if k[0] == exporter]:
                self._settle(key)
        key = exporter, datagram.version, datagram.domain
        number = datagram.number
        run = self._runs.get(key)
        if run is None or not -_LATE[datagram.version] <= _distance(run.end, number) <= _FAR:
            self._settle(key)
            run = self._runs[key] = _Run(number, number)
        if _distance(run.end, number) > 0:
            run.end = number
        if datagram.step is None:
            self._settle(key)
            return
        run.got += datagram.step
        if _distance(run.end, number + datagram.step) > 0:
            run.end = (number + datagram.step) % _WRAP
        self._runs.move_to_end(key)
        if len(self._runs) > _MOST:
            self._settle(next(iter(self._runs)))

    def take(self) -> Counter[str]:
        """What is missing since it was last asked, by reason."""
        for (_, version, _), run in self._runs.items():
            self._count(version, run)
            run.begin, run.got = run.end, 0
        missing, self._missing = self._missing, Counter()
        return missing

    def _settle(self, key: tuple[str, int, int]) -> None:
        """Count what is missing, and follow this numbering no more."""
        if (run := self._runs.pop(key, None)) is not None:
            self._count(key[1], run)

    def _count(self, version: int, run: _Run) -> None:
        if (missing := _distance(run.begin, run.end) - run.got) > 0:
            self._missing[REASONS[version]] += missing


def _distance(before: int, after: int) -> int:
    """How far it is from one number to another, around the end of 32 bits where that is nearer."""
    return (after - before + _WRAP // 2) % _WRAP - _WRAP // 2
