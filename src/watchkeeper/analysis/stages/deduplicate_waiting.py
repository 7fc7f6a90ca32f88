"""Things that fall due: timeouts, expiries, writes put off; and flapping, changes counted within a
window."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from watchkeeper.analysis.stages.deduplicate_living import Living, LivingAlerts

WINDOW_MS = 600_000  # changes within ten minutes count
BEGINS = 6  # so many make an alert flap (three times there and back)
ENDS = 2  # so few end it


class Waiting:
    """Keys with a time each; `due` takes out those whose time has come, oldest first. One live heap entry a
    key: putting a time off moves nothing until the entry comes up."""

    def __init__(self) -> None:
        self._due: dict[str, int] = {}
        self._entry: dict[str, int] = {}  # the time of the key's live heap entry; others are left-overs
        self._heap: list[tuple[int, str]] = []

    def put(self, key: str, at_ms: int) -> None:
        """Wait for this time from now on; 0 waits no more."""
        if at_ms <= 0:
            self._due.pop(key, None)
            return
        self._due[key] = at_ms
        if at_ms < self._entry.get(key, 2**62):
            self._entry[key] = at_ms
            heapq.heappush(self._heap, (at_ms, key))

    def put_earlier(self, key: str, at_ms: int) -> None:
        """Wait for this time unless the key already waits for an earlier one."""
        if at_ms < self._due.get(key, 2**62):
            self.put(key, at_ms)

    def remove(self, key: str) -> None:
        """Wait for it no more."""
        self._due.pop(key, None)

    def due(self, now_ms: int) -> Iterator[str]:
        """Take out and give every key whose time has come."""
        while self._heap and self._heap[0][0] <= now_ms:
            at, key = heapq.heappop(self._heap)
            if self._entry.get(key) != at:
                continue
            del self._entry[key]
            wanted = self._due.get(key)
            if wanted is None:
                continue
            if wanted > now_ms:
                self.put(key, wanted)
            else:
                del self._due[key]
                yield key

    def is_due(self, key: str, now_ms: int) -> bool:
        """Whether the key waits for a time that has come."""
        return self._due.get(key, 2**62) <= now_ms

    def beyond(self, most: int) -> list[str]:
        """Take out and give the keys that are due first when there are more than `most`."""
        excess = len(self._due) - most
        if excess <= 0:
            return []
        first = heapq.nsmallest(excess, self._due, key=lambda k: (self._due[k], k))
        for key in first:
            del self._due[key]
        return first


class Flapping:
    """Which alerts change to and fro: BEGINS changes within the window begin it, at most ENDS end it."""

    def __init__(self) -> None:
        self._flapping: dict[str, Living] = {}

    def changed(self, known: Living, now_ms: int) -> bool:
        """Count a change of status now; whether the alert is flapping."""
        recent = [t for t in known.changes or () if t > now_ms - WINDOW_MS][-BEGINS:]
        recent.append(now_ms)
        known.changes = recent
        if known.alert.flapping or len(recent) >= BEGINS:
            self._flapping[known.alert.fingerprint] = known
            return True
        return False

    def calmed(self, now_ms: int) -> list[Living]:
        """Alerts that were flapping and have calmed down."""
        calm = [
            known
            for known in self._flapping.values()
            if sum(t > now_ms - WINDOW_MS for t in known.changes or ()) <= ENDS
        ]
        for known in calm:
            del self._flapping[known.alert.fingerprint]
        return [k for k in calm if k.alert.flapping]

    def snapshot(self, living: LivingAlerts) -> dict[str, list[int]]:
        """When each alert changed, as far as it still counts."""
        return {known.alert.fingerprint: list(known.changes) for known in living if known.changes}

    def restore(self, changes: dict[str, list[int]], living: LivingAlerts) -> None:
        """Take a snapshot back, and the flapping alerts among the living."""
        for fingerprint, times in changes.items():
            known = living.get(fingerprint)
            if known is not None:
                known.changes = list(times)
        self._flapping = {k.alert.fingerprint: k for k in living if k.alert.flapping}
