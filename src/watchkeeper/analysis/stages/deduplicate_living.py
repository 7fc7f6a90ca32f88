"""The alerts that live, by fingerprint: what deduplication updates and later stages read. A repeat only
moves numbers here; an Alert is made anew when something that people see changed."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from watchkeeper.model.reason import Reason
from watchkeeper.model.verdicts import Alert, AlertStatus

FIRING = AlertStatus.FIRING


class Living:
    """One alert as last told (`alert`) and what was counted since."""

    __slots__ = ("alert", "changes", "count", "last_seen_ms", "timed_out", "times_out_ms")

    def __init__(self, alert: Alert) -> None:
        self.alert = alert
        self.count = alert.count
        self.last_seen_ms = alert.last_seen_ms
        self.times_out_ms = alert.times_out_ms
        self.timed_out = False  # it resolved because nobody told it again
        self.changes: list[int] | None = None  # when it began or ended within the flapping window

    @property
    def stale(self) -> bool:
        """Whether the counts have moved on since `alert` was made."""
        a = self.alert
        return (
            self.count != a.count
            or self.last_seen_ms != a.last_seen_ms
            or self.times_out_ms != a.times_out_ms
        )

    def current(self) -> Alert:
        """The alert with the counts as they are now."""
        if self.stale:
            self.alert = replace(
                self.alert, count=self.count, last_seen_ms=self.last_seen_ms, times_out_ms=self.times_out_ms
            )
        return self.alert


class LivingAlerts:
    """All living alerts. One writer per field: Deduplicate everything but `situation`, Correlate that, and what its rules
    hold back."""

    def __init__(self) -> None:
        self._by_fingerprint: dict[str, Living] = {}

    def __len__(self) -> int:
        return len(self._by_fingerprint)

    def __iter__(self) -> Iterator[Living]:
        return iter(self._by_fingerprint.values())

    def get(self, fingerprint: str) -> Living | None:
        """The living alert, or None when it is unknown or long over."""
        return self._by_fingerprint.get(fingerprint)

    def alert(self, fingerprint: str) -> Alert | None:
        """The alert as last made; its counts may lag behind."""
        found = self._by_fingerprint.get(fingerprint)
        return found.alert if found else None

    def add(self, alert: Alert) -> Living:
        """Begin to keep this alert, in place of any with its fingerprint."""
        made = self._by_fingerprint[alert.fingerprint] = Living(alert)
        return made

    def drop(self, fingerprint: str) -> None:
        """Forget an alert that is long over."""
        self._by_fingerprint.pop(fingerprint, None)

    def hold(self, fingerprint: str, by: str, because: tuple[Reason, ...]) -> Alert | None:
        """Note that a rule holds an alert back, or that none does any more; return the alert as it now is."""
        found = self._by_fingerprint.get(fingerprint)
        if found is None:
            return None
        found.alert = replace(found.current(), suppressed_by=by, because=because)
        return found.alert

    def assign(self, fingerprint: str, situation: str) -> Alert | None:
        """Note the situation an alert belongs to; return the alert as it now is, None if unknown."""
        found = self._by_fingerprint.get(fingerprint)
        if found is None:
            return None
        if found.alert.situation != situation:
            found.alert = replace(found.current(), situation=situation)
        return found.alert
