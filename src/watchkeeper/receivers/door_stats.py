"""What each door has taken and refused since the process began: counters in memory, as a dict and as
Prometheus text. Kept by the receive process; the web process asks for them through the front.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any


class DoorCounters:
    """The numbers of one door. Any thread may read; the door's own thread writes."""

    def __init__(self, door: str) -> None:
        self.door = door
        self.requests = 0  # accepted: bodies, datagrams or lines, as the door counts them
        self.rows = 0
        self.bytes = 0  # as sent
        self.rejected: Counter[str] = Counter()  # reason → requests, or rows of a request taken in part
        self.letters_kept = 0
        self.letters_dropped = 0  # beyond what may be kept a second
        self.in_flight = 0
        self.last_seen_ms = 0
        self.troubles: dict[
            str, str
        ] = {}  # of the parts that a door has, by name: what keeps one from working

    def accept(self, rows: int, size: int, now_ms: int, requests: int = 1) -> None:
        """Count what was taken and synced."""
        self.requests += requests
        self.rows += rows
        self.bytes += size
        self.last_seen_ms = now_ms

    def reject(self, reason: str, count: int = 1) -> None:
        """Count what was refused; `reason` is one of our own words, never the sender's."""
        self.rejected[reason] += count

    def as_dict(self) -> dict[str, Any]:
        """The numbers as plain data."""
        return {
            "requests": self.requests,
            "rows": self.rows,
            "bytes": self.bytes,
            "rejected": dict(self.rejected),
            "dead_letters": self.letters_kept,
            "dead_letters_dropped": self.letters_dropped,
            "in_flight": self.in_flight,
            "last_seen_ms": self.last_seen_ms,
            "troubles": dict(self.troubles),
        }


class DoorStats:
    """The counters of all doors of a process."""

    def __init__(self) -> None:
        self._doors: dict[str, DoorCounters] = {}

    def door(self, name: str) -> DoorCounters:
        """The counters of this door, made when first asked for."""
        if name not in self._doors:
            self._doors[name] = DoorCounters(name)
        return self._doors[name]

    def stats(self) -> dict[str, dict[str, Any]]:
        """door → its numbers: requests, rows, bytes, rejected by reason, dead_letters, dead_letters_dropped,
        in_flight, last_seen_ms (Unix, 0: never), troubles by name."""
        return {name: counters.as_dict() for name, counters in sorted(self._doors.items())}

    def prometheus(self) -> str:
        """The same in Prometheus' text format."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        doors = sorted(self._doors.values(), key=lambda d: d.door)
        for name, kind, text, attribute, scale in _METRICS:
            yield f"# HELP {name} {text}"
            yield f"# TYPE {name} {kind}"
            for d in doors:
                yield f'{name}{{door="{d.door}"}} {getattr(d, attribute) * scale:.16g}'
        yield "# HELP watchkeeper_door_rejected_total Requests, or rows of a request taken in part, refused."
        yield "# TYPE watchkeeper_door_rejected_total counter"
        for d in doors:
            for reason, count in sorted(d.rejected.items()):
                yield f'watchkeeper_door_rejected_total{{door="{d.door}",reason="{reason}"}} {count}'


_METRICS = (
    ("watchkeeper_door_requests_total", "counter", "Requests accepted and synced.", "requests", 1),
    ("watchkeeper_door_rows_total", "counter", "Rows accepted and synced.", "rows", 1),
    ("watchkeeper_door_bytes_total", "counter", "Bytes of accepted requests, as sent.", "bytes", 1),
    ("watchkeeper_door_dead_letters_total", "counter", "What was not parsed but kept.", "letters_kept", 1),
    ("watchkeeper_door_dead_letters_dropped_total", "counter", "What was neither parsed nor kept.",
     "letters_dropped", 1),
    ("watchkeeper_door_in_flight", "gauge", "Requests in hand.", "in_flight", 1),
    ("watchkeeper_door_last_seen_timestamp_seconds", "gauge", "When the door last took something; 0: never.",
     "last_seen_ms", 0.001),
)  # fmt: skip
