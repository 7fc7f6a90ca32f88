"""Webhooks of other vendors' monitoring: one vendor a file, all behind `/intake/<vendor>`, and any JSON at `custom`."""

from __future__ import annotations

from watchkeeper.receivers.http import HttpDoor
from watchkeeper.receivers.webhooks import (
    alertmanager,
    azure,
    checkmk,
    cloudevents,
    cloudwatch,
    custom,
    datadog,
    google_cloud,
    grafana,
    icinga,
    new_relic,
    sentry,
    uptime_kuma,
    zabbix,
)


def doors(confirm: cloudwatch.Confirm | None = None) -> list[HttpDoor]:
    """The rows of all vendors. `confirm` visits the address with which Amazon SNS asks for a confirmation."""
    return [
        alertmanager.DOOR,
        azure.DOOR,
        checkmk.DOOR,
        cloudevents.DOOR,
        cloudwatch.door(confirm),
        custom.DOOR,
        datadog.DOOR,
        google_cloud.DOOR,
        grafana.DOOR,
        icinga.DOOR,
        new_relic.DOOR,
        sentry.DOOR,
        uptime_kuma.DOOR,
        zabbix.DOOR,
    ]
