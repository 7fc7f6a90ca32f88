"""Azure Monitor's action groups, with the common alert schema.

Source: https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/alerts-common-schema
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from watchkeeper.model.errors import Malformed
from watchkeeper.model.verdicts import DEDUP_KEY
from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.webhooks.payload import texts, time_ms, webhook

_SCHEMA = "azureMonitorCommonAlertSchema"
_SEVERITIES = {"Sev0": "critical", "Sev1": "error", "Sev2": "warning", "Sev3": "info", "Sev4": "info"}
_MACHINES = ("/microsoft.compute/virtualmachines/", "/microsoft.hybridcompute/machines/")
_PORTAL = "https://portal.azure.com/#resource"


class _Essentials(msgspec.Struct, gc=False):
    alertId: str
    monitorCondition: str  # Fired or Resolved
    alertRule: str = ""
    severity: str = ""
    signalType: str = ""
    monitoringService: str = ""
    alertTargetIDs: list[str] = []
    configurationItems: list[str] = []
    firedDateTime: str = ""
    resolvedDateTime: str = ""
    description: str = ""


class _Data(msgspec.Struct, gc=False):
    essentials: _Essentials
    customProperties: Any = None


class _Payload(msgspec.Struct, gc=False):
    schemaId: str
    data: _Data


def _read(payload: _Payload, _: int) -> Iterable[Reported]:
    if payload.schemaId != _SCHEMA:
        raise Malformed(
            "this is not the common alert schema; switch it on in the action group", reason="wrong_schema"
        )
    e = payload.data.essentials
    target = next(iter(e.alertTargetIDs), "")
    thing = next(iter(e.configurationItems), "") or target.rpartition("/")[2]
    machine = any(kind in target.lower() for kind in _MACHINES)
    yield Reported(
        name=e.alertRule,
        labels={
            DEDUP_KEY: e.alertId,
            "azure.resource_id": target,
            "host" if machine else "resource": thing,
            "signal": e.signalType,
            "monitoring_service": e.monitoringService,
        },
        firing=e.monitorCondition != "Resolved",
        severity=_SEVERITIES.get(e.severity, ""),
        summary=e.description or f"{e.alertRule} on {thing}",
        starts_ms=time_ms(e.firedDateTime),
        ends_ms=time_ms(e.resolvedDateTime) if e.monitorCondition == "Resolved" else 0,
        annotations=texts(payload.data.customProperties),
        url=_PORTAL + target if target.startswith("/") else "",
    )


DOOR = webhook("azure", _Payload, _read)
