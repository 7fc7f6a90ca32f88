"""The alerts of the host poller as rows of the events stream. Pure."""

from __future__ import annotations

from collections.abc import Callable

from watchkeeper.model.series import labels_json
from watchkeeper.pollers.host_graph import ORIGIN
from watchkeeper.pollers.host_services import End
from watchkeeper.pollers.host_watch import Alert, Known

STOPPED, LOST = "Service stopped listening", "Lost dependency"


def event(
    alert: Alert, host_labels: dict[str, str], name_of: Callable[[str], str], now_ms: int
) -> dict[str, object]:
    """One row. Its labels are the same when it fires and when it is resolved, also over restarts. `name_of`
    gives the name of the service with a key."""
    hostname = host_labels["host.name"]
    if alert.client is None:
        labels, name, severity = _labels(alert.service), STOPPED, "critical"
        summary = _stopped(alert, hostname)
    else:
        who = name_of(alert.client.key) if alert.client.kind == "service" else alert.client.key
        labels = {_NAMED_BY[alert.client.kind]: who, "peer.service": alert.service.name}
        name, severity = LOST, "error"
        summary = _lost(alert, who, hostname)
    return {
        "id": f"{ORIGIN}:{name}:{hostname}:{alert.service.key}:{_who(alert.client)}:{alert.starts_ms}",
        "kind": "alert",
        "status": "firing" if alert.firing else "resolved",
        "name": name,
        "severity": severity,
        "summary": summary,
        "starts_ms": alert.starts_ms,
        "ends_ms": alert.ends_ms,
        "received_ms": now_ms,
        "labels": labels_json({**host_labels, **labels}),
        "annotations": "{}",
        "url": "",
        "door": ORIGIN,
    }


_NAMED_BY = {"service": "service.name", "process": "process.executable.name"}


def _who(client: End | None) -> str:
    return client.key if client else ""


def _labels(k: Known) -> dict[str, str]:
    return {"service.name": k.name, "server.port": str(k.ports[0][1])}


def _stopped(alert: Alert, hostname: str) -> str:
    k = alert.service
    where = f"port {k.ports[0][1]} of {hostname}"
    if alert.firing:
        return f"{k.name} no longer listens on {where}"
    return f"{k.name} listens on {where} again"


def _lost(alert: Alert, who: str, hostname: str) -> str:
    if alert.firing:
        return f"{who} on {hostname} was connected to {alert.service.name}, which has stopped listening"
    return f"{alert.service.name}, which {who} on {hostname} was connected to, is back"
