"""What each door has taken and refused since the process began: counters in memory, as a dict and as
Prometheus text. Kept by the receive process; the web process asks for them through the front.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from watchkeeper.receivers.door_lag import Ages, LastHour
from watchkeeper.receivers.senders import Sender


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
        #: of the parts that a door has, by name: what keeps one from working
        self.troubles: dict[str, str] = {}
        self.unread: dict[str, str] = {}  # the same of records that cannot be read
        self.addresses: list[str] = []  # where it listens beside HTTP: "UDP 127.0.0.1:5514"
        self.ages = Ages()
        self._hour = LastHour()
        self._away: dict[str, float] = {}  # part → since when it is not connected, monotonic
        self._was_away = 0.0  # seconds, of those that came back
        self.turned_away: dict[str, int] = {}  # address → what was, where no key admits it
        self.senders: dict[str, Sender] = {}  # by the id of the intake key

    def sender(self, key: str) -> Sender:
        """What the intake key of this id has sent here."""
        found = self.senders.get(key)
        return found if found is not None else self.senders.setdefault(key, Sender())

    def accept(self, rows: int, size: int, now_ms: int, requests: int = 1) -> None:
        """Count what was taken and synced."""
        self.requests += requests
        self.rows += rows
        self.bytes += size
        self.last_seen_ms = now_ms
        self._hour.add(requests=requests, rows=rows)

    def reject(self, reason: str, count: int = 1) -> None:
        """Count what was refused; `reason` is one of our own words, never the sender's."""
        self.rejected[reason] += count
        self._hour.add(**{reason: count})

    def left(self, part: str) -> None:
        """Say that a part of the door is not connected to where its signals come from."""
        self._away.setdefault(part, time.monotonic())

    def back(self, part: str) -> None:
        """Say that it is connected again, or wanted no more."""
        since = self._away.pop(part, None)
        self._was_away += time.monotonic() - since if since is not None else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The numbers as plain data."""
        now = time.monotonic()
        away = {part: now - since for part, since in dict(self._away).items()}
        return {
            "requests": self.requests,
            "rows": self.rows,
            "bytes": self.bytes,
            "rejected": dict(self.rejected),
            "dead_letters": self.letters_kept,
            "dead_letters_dropped": self.letters_dropped,
            "in_flight": self.in_flight,
            "last_seen_ms": self.last_seen_ms,
            "troubles": {**self.unread, **self.troubles},
            "addresses": self.addresses,
            "ages": self.ages.as_dict(time.time_ns() // 1_000_000),
            "hour": self._hour.as_dict(),
            "away": away,
            "away_seconds": self._was_away + sum(away.values()),
            "turned_away": dict(self.turned_away),
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

    def unread(self, name: str, records: dict[str, str]) -> None:
        """Say which of a door's records cannot be read, and why; of a door that is not used, only when there are some."""
        if records or name in self._doors:
            self.door(name).unread = records

    def stats(self) -> dict[str, dict[str, Any]]:
        """door → its numbers: requests, rows, bytes, rejected by reason, dead_letters, dead_letters_dropped,
        in_flight, last_seen_ms (Unix, 0: never), troubles by name, addresses, ages (see Ages), hour (requests, rows and
        reasons of the last hour), away (seconds, by part that is not connected) and away_seconds (ever)."""
        return {name: counters.as_dict() for name, counters in sorted(self._doors.items())}

    def of_key(self, key: str) -> dict[str, dict[str, Any]]:
        """door → what the intake key of this id has sent through it (Sender.as_dict), for the doors that it came to."""
        return {name: d.senders[key].as_dict() for name, d in self._doors.items() if key in d.senders}

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
