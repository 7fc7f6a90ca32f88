"""What an event reads like, and when mail is due: pure."""

from __future__ import annotations

import datetime as dt
from typing import Any

from watchkeeper.domains.audit.deeds import deed
from watchkeeper.kernel.events import Event

_CHANGES = 3  # that are told in one line


def sentence(event: Event, kind_name: str) -> str:
    """An event in one line.

    >>> sentence(Event("e", "devices", "change", "1", "sw1", "", before={"status": "staged"},
    ...                after={"status": "active"}), "device")
    'Watchkeeper changed device sw1: status from staged to active'
    """
    who = event.actor.name or "Watchkeeper"
    done = deed(f"{kind_name.replace(' ', '-')}.{event.act}")
    said = f"{who} {done} {event.name or event.key}"
    changed = [k for k in event.after if k in event.before] if event.before else []
    told = [
        f"{_name(k)} from {_short(event.before[k])} to {_short(event.after[k])}" for k in changed[:_CHANGES]
    ]
    if len(changed) > _CHANGES:
        told.append(f"{len(changed) - _CHANGES} more")
    return (f"{said}: {', '.join(told)}" if told else said)[:500]


def _name(column: str) -> str:
    return column.removesuffix("_id").replace("_", " ")


def _short(value: Any) -> str:
    if value in ("", None, [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def next_mail(now: dt.datetime, hour: int) -> dt.datetime:
    """When the next daily mail is due.

    >>> next_mail(dt.datetime(2026, 1, 1, 8, tzinfo=dt.UTC), 7).isoformat()
    '2026-01-02T07:00:00+00:00'
    """
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today > now else today + dt.timedelta(days=1)
