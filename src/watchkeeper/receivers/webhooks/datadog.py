"""Datadog's webhooks integration, with the payload of docs/how-to/doors/datadog.md: one transition of a monitor.

Source: https://docs.datadoghq.com/integrations/webhooks/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from watchkeeper.model.errors import Malformed
from watchkeeper.model.verdicts import DEDUP_KEY
from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.webhooks.payload import tagged, text, time_ms, webhook


class _Event(msgspec.Struct, gc=False):
    alert_id: Any = None
    alert_cycle_key: Any = None  # the same from the time an alert triggers until it resolves
    alert_transition: str = ""
    alert_type: str = ""  # error, warning, success, info
    alert_priority: str = ""
    alert_scope: str = ""
    alert_title: str = ""
    alert_status: str = ""
    hostname: str = ""
    tags: str = ""
    date: Any = None  # Unix milliseconds
    link: str = ""
    title: str = ""
    body: str = ""


def _read(event: _Event, _: int) -> Iterable[Reported]:
    monitor = text(event.alert_id)
    key = text(event.alert_cycle_key) or (monitor and f"{monitor} {event.alert_scope}")
    if not key or key.startswith("$"):
        raise Malformed("no alert_cycle_key and no alert_id: is the webhook's payload that of the page?")
    recovered = event.alert_transition == "Recovered" or event.alert_type == "success"
    when = time_ms(event.date)
    priority = event.alert_priority if event.alert_priority.startswith("P") else ""
    yield Reported(
        name=event.alert_title or event.title,
        labels={
            **tagged(event.tags.split(",")),
            **({"host": event.hostname} if event.hostname else {}),
            DEDUP_KEY: key,
            "monitor": monitor,
            "scope": event.alert_scope,
        },
        firing=not recovered,
        severity=priority or event.alert_type,
        summary=event.alert_status or event.title,
        starts_ms=0 if recovered else when,
        ends_ms=when if recovered else 0,
        annotations={"description": event.body, "transition": event.alert_transition},
        url=event.link,
    )


DOOR = webhook("datadog", _Event, _read)
