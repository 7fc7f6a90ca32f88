"""Alertmanager's webhook receiver, version 4 of its payload: alerts that Alertmanager has grouped and routed.

Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.http import Taken
from watchkeeper.receivers.webhooks.payload import from_json, time_ms, webhook

NAME = "alertmanager_webhook"


class Alert(msgspec.Struct, gc=False):
    """One alert of a group, as Alertmanager and Grafana write it."""

    labels: dict[str, str]
    status: str = "firing"
    annotations: dict[str, str] = {}
    startsAt: str = ""
    endsAt: str = ""
    generatorURL: str = ""


class _Group(msgspec.Struct, gc=False):
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


def _read(group: _Group, _: int) -> Iterable[Reported]:
    return [reported(alert) for alert in group.alerts]


_ROW = webhook(NAME, _Group, _read, path="/intake/alertmanager")


def _take(body: bytes, content_type: str, now_ms: int) -> Taken:
    """The alerts of a group; those that `max_alerts` made Alertmanager leave out are counted as refused."""
    taken = _ROW.decode(body, content_type, now_ms)
    left_out = from_json(body, _Group).truncatedAlerts
    if left_out > 0:
        taken.rejected = {"truncated": left_out}
    return taken


DOOR = replace(_ROW, decode=_take)
