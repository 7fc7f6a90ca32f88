"""What the correlator sees of an alert that lives."""

from __future__ import annotations

from watchkeeper.analysis.correlators.arrival import Arrival
from watchkeeper.model.verdicts import Alert

LATE_MS = 600_000  # an alert that began longer before it was seen counts as beginning so long before


def arrival_of(alert: Alert) -> Arrival:
    """Its begin as its sender says, unless that is long ago; its labels without what the name and severity say."""
    return Arrival(
        alert.fingerprint,
        max(alert.starts_ms, alert.last_seen_ms - LATE_MS),
        alert.item,
        alert.name,
        hash(alert.fingerprint),
        tuple(f"{k}={v}" for k, v in alert.labels.items() if v and k not in ("alertname", "severity")),
    )
