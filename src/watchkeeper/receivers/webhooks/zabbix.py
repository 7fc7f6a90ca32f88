"""Zabbix' webhook media type, with the script of docs/how-to/doors/zabbix.md: one problem, its updates and its end.

Source: https://www.zabbix.com/documentation/current/en/manual/appendix/macros/supported_by_location
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from watchkeeper.model.errors import Malformed
from watchkeeper.model.verdicts import DEDUP_KEY
from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.webhooks.payload import listed, text, time_ms, webhook

#: {EVENT.NSEVERITY}: the words may be renamed in Zabbix, the numbers not
_SEVERITIES = {"0": "info", "1": "info", "2": "warning", "3": "average", "4": "high", "5": "disaster"}


class _Event(msgspec.Struct, gc=False):
    event_id: str
    value: str  # {EVENT.VALUE}: 1 a problem, 0 its recovery
    name: str = ""
    severity: str = ""  # {EVENT.NSEVERITY}
    host: str = ""
    host_ip: str = ""
    trigger_id: str = ""
    tags: Any = None  # {EVENT.TAGSJSON}
    operational_data: str = ""
    description: str = ""
    update: str = ""
    started: str = ""  # {EVENT.TIMESTAMP}, from Zabbix 7.0 on
    ended: str = ""  # {EVENT.RECOVERY.TIMESTAMP}
    url: str = ""


def _read(event: _Event, _: int) -> Iterable[Reported]:
    if not event.event_id.isdigit() or event.value not in ("0", "1"):
        raise Malformed("event_id is a number and value 1 or 0: are the script's parameters as on the page?")
    labels = {DEDUP_KEY: event.event_id, "host": event.host, "host_ip": event.host_ip,
              "trigger_id": event.trigger_id}  # fmt: skip
    tags = (tag for tag in listed(event.tags) if isinstance(tag, dict))
    yield Reported(
        name=event.name,
        labels={**{text(tag.get("tag")): text(tag.get("value")) for tag in tags}, **labels},
        firing=event.value == "1",
        severity=_SEVERITIES.get(event.severity, ""),
        summary=event.operational_data or event.name,
        starts_ms=time_ms(event.started),
        ends_ms=time_ms(event.ended) if event.value == "0" else 0,
        annotations={"description": event.description, "update": event.update},
        url=event.url,
    )


DOOR = webhook("zabbix", _Event, _read)
