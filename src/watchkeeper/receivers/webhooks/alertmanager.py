"""Alertmanager's webhook receiver, version 4 of its payload: alerts that Alertmanager has grouped and routed.

Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.webhooks.payload import time_ms, webhook

NAME = "alertmanager_webhook"


class Alert(msgspec.Struct, gc=False):
    """One alert of a group, as Alertmanager and Grafana write it."""

    labels: dict[str, str]
    status: str = "firing"
    annotations: dict[str, str] = {}
    startsAt: str = ""
    endsAt: str = ""
    generatorURL: str = ""


class Group(msgspec.Struct, gc=False):
    """A message: alerts, and how many a bound of the sender's left out of it."""

    alerts: list[Alert]
    truncatedAlerts: int = 0


def reported(alert: Alert, url: str = "") -> Reported:
    """An alert with its own labels, so that it is the same one whichever way it comes."""
    said = alert.annotations
    firing = alert.status != "resolved"
    return Reported(
        name=alert.labels.get("alertname", ""),
        labels=alert.labels,
        firing=firing,
        severity=alert.labels.get("severity", ""),
        summary=said.get("summary") or said.get("description") or said.get("message") or "",
        starts_ms=time_ms(alert.startsAt),
        ends_ms=0 if firing else time_ms(alert.endsAt),
        annotations=said,
        url=url or alert.generatorURL,
    )


def left_out(group: Group) -> int:
    """Alerts that are not in the message."""
    return group.truncatedAlerts


def _read(group: Group, _: int) -> Iterable[Reported]:
    return [reported(alert) for alert in group.alerts]


DOOR = webhook(NAME, Group, _read, path="/intake/alertmanager", left_out=left_out)
