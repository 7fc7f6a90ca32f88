"""Grafana's webhook contact point: Alertmanager's groups, with values and links of Grafana's own.

Source: https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.webhooks import alertmanager
from watchkeeper.receivers.webhooks.payload import text, webhook


class _Alert(alertmanager.Alert, gc=False):
    values: dict[str, Any] = {}
    valueString: str = ""
    dashboardURL: str = ""
    panelURL: str = ""


class _Group(alertmanager.Group, gc=False):
    alerts: list[_Alert]  # type: ignore[assignment]


def _read(group: _Group, _: int) -> Iterable[Reported]:
    for alert in group.alerts:
        found = alertmanager.reported(alert, alert.panelURL or alert.dashboardURL)
        values = ", ".join(f"{k}={text(v)}" for k, v in alert.values.items()) or alert.valueString
        found.annotations = {**found.annotations, "values": values}
        yield found


DOOR = webhook("grafana", _Group, _read, left_out=alertmanager.left_out)
