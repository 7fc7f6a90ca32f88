"""What the store needs now and then beside inserts."""

from __future__ import annotations

from watchkeeper.telemetry.store import Store

_REFRESH = """
INSERT INTO series (id, name, labels, kind, unit, door, first_seen, last_seen)
SELECT known.id, known.name, known.labels, known.kind, known.unit, known.door, known.first_seen, recent.last
FROM (
    SELECT series, max(time) AS last FROM samples
    WHERE time >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') GROUP BY series
) AS recent
INNER JOIN (
    SELECT id, name, labels, kind, unit, door, first_seen, last_seen FROM series FINAL
) AS known ON known.id = recent.series
WHERE recent.last > known.last_seen + INTERVAL 1 HOUR
"""


def refresh_series(store: Store, since_ms: int) -> None:
    """Carry the time of the last sample over to its series, for those that had one since then: a series is
    announced once and lives as long as its samples. Raises TelemetryError."""
    store.command(_REFRESH, {"since": since_ms})
