"""A forecast as it is kept: what is foreseen now, and since when it stands so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from watchkeeper.domains.capacity import rules
from watchkeeper.domains.capacity.models import CapacityRule, Forecast

Known = Mapping[str, Forecast]  # what was kept at the last look, by key


def forecast(
    rule: CapacityRule, key: str, name: str, stands: rules.Standing, said: list[str], before: Forecast | None,
    now: dt.datetime, **more: object,
) -> Forecast:  # fmt: skip
    """`more` are other fields of it."""
    return Forecast(
        pk=before.pk if before else None, key=key, rule=rule, name=name[:400], state=stands.state,
        because="\n".join(said), alerting=stands.alerting, severity=stands.severity, urgency=stands.urgency,
        looked_at=now, **{"since": _since(stands, before, now), **more},
    )  # fmt: skip


def _since(stands: rules.Standing, before: Forecast | None, now: dt.datetime) -> dt.datetime:
    """An alert stays the same one when what was foreseen has come."""
    if before is None or before.alerting != stands.alerting:
        return now
    return before.since if stands.alerting or before.state == stands.state else now


def ending(
    rule: CapacityRule, key: str, name: str, stands: rules.Standing, said: list[str], known: Known, now: dt.datetime,
    at: dt.datetime, labels: dict[str, str], **more: object,
) -> Forecast:  # fmt: skip
    """Of something that ends at a known time."""
    times = {"expected_at": at, "earliest_at": at, "latest_at": at, "measured_at": now}
    return forecast(
        rule, key, name, stands, said, known.get(key), now, level=1.0, labels=labels, **times | more
    )
