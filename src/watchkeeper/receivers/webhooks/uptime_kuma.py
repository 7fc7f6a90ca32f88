"""Uptime Kuma's webhook notification with its JSON preset: a heartbeat of a monitor, or a message alone.

Source: https://github.com/louislam/uptime-kuma/blob/master/server/notification-providers/webhook.js
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from watchkeeper.model.verdicts import DEDUP_KEY
from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.webhooks.payload import text, time_ms, webhook

_DAY_MS = 86_400_000
_UP, _MAINTENANCE = 1, 3


class _Heartbeat(msgspec.Struct, gc=False):
    monitorID: int
    status: int  # 0 down, 1 up, 2 pending, 3 maintenance
    time: str = ""  # UTC
    msg: str = ""


class _Monitor(msgspec.Struct, gc=False):
    name: str = ""
    type: str = ""
    url: str = ""
    hostname: str = ""
    port: Any = None
    tags: list[dict[str, Any]] = []
    description: str = ""


class _Payload(msgspec.Struct, gc=False):
    heartbeat: _Heartbeat | None = None
    monitor: _Monitor = msgspec.field(default_factory=_Monitor)
    msg: str = ""


def _read(payload: _Payload, now_ms: int) -> Iterable[Reported]:
    beat, monitor = payload.heartbeat, payload.monitor
    if beat is None:  # a test, or a certificate that ends: nobody will say that it is over
        yield Reported(
            name="Message of Uptime Kuma", labels={"message": payload.msg}, summary=payload.msg, severity="warning",
            ends_ms=now_ms + _DAY_MS, starts_ms=now_ms,
        )  # fmt: skip
        return
    over = beat.status in (_UP, _MAINTENANCE)
    when = time_ms(beat.time)
    tags = {text(t.get("name")): text(t.get("value")) or "true" for t in monitor.tags}
    yield Reported(
        name=monitor.name or payload.msg,
        labels={
            **tags,
            DEDUP_KEY: str(beat.monitorID),
            "instance": _instance(monitor),
            "monitor": monitor.name,
            "monitor_type": monitor.type,
        },
        firing=not over,
        severity="critical",
        summary=beat.msg or payload.msg,
        starts_ms=0 if over else when,
        ends_ms=when if over else 0,
        annotations={"description": monitor.description},
        url=monitor.url if monitor.url != "https://" else "",
    )


def _instance(monitor: _Monitor) -> str:
    """host or host:port; a monitor that is no web page has the address `https://` all the same."""
    if monitor.hostname:
        port = text(monitor.port)
        return f"{monitor.hostname}:{port}" if port and port != "0" else monitor.hostname
    try:
        parts = urlsplit(monitor.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        return ""


DOOR = webhook("uptime_kuma", _Payload, _read)
