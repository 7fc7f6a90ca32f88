"""Which addresses may send syslog, and how much: asks the keyring now and then, remembers in between, and keeps
a short list of those that were turned away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from watchkeeper.model.doors import IntakeKey, Keyring
from watchkeeper.model.errors import RateLimited, Unauthorised
from watchkeeper.receivers.door_stats import DoorCounters
from watchkeeper.receivers.limits import RateLimiter

_KEPT = 5.0  # seconds that an answer of the keyring holds: a revoked key works no longer than that
_ADDRESSES = 10_000  # remembered
_LISTED = 256  # addresses turned away that are listed by name
OTHERS = "others"


class Admission:
    """For one door, any thread."""

    def __init__(
        self,
        door: str,
        keyring: Keyring,
        counters: DoorCounters,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._door, self._keyring, self._counters = door, keyring, counters
        self._monotonic = monotonic
        self._limiter = RateLimiter(monotonic)
        self._known: dict[str, tuple[IntakeKey | None, float]] = {}
        self._lock = threading.Lock()

    def key(self, address: str) -> IntakeKey | None:
        """The key that admits this address, or None."""
        now = self._monotonic()
        key, until = self._known.get(address, (None, 0.0))
        if now < until:
            return key
        try:
            key = self._keyring.by_address(self._door, address)
        except Unauthorised:
            key = None
        with self._lock:
            if len(self._known) >= _ADDRESSES:
                self._known.clear()
            self._known[address] = key, now + _KEPT
        return key

    def refuse(self, address: str, count: int) -> None:
        """Count messages, or a connection, that were turned away."""
        self._counters.reject(Unauthorised.reason, count)
        with self._lock:
            away = self._counters.turned_away
            listed = address if address in away or len(away) < _LISTED else OTHERS
            away[listed] = away.get(listed, 0) + count

    def refused(self) -> dict[str, int]:
        """Address → what was turned away; those beyond the list under `others`."""
        with self._lock:
            return dict(self._counters.turned_away)

    def wait(self, key: IntakeKey) -> float:
        """Seconds until this key may send again; 0 when it may now."""
        if key.rate <= 0:
            return 0.0
        with self._lock:
            try:
                self._limiter.check(key)
            except RateLimited as limit:
                return limit.retry_after
        return 0.0

    def charge(self, key: IntakeKey, rows: int) -> None:
        """Take this many rows off what the key may send."""
        if key.rate > 0:
            with self._lock:
                self._limiter.charge(key, rows)
