"""What people call usual: how it becomes an act, and its record, which analysis' writer alone writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from watchkeeper.domains.inventory import as_now
from watchkeeper.domains.situations.models import Alert, Judgement
from watchkeeper.kernel.fields import milliseconds, moment, storable
from watchkeeper.model.act import Act
from watchkeeper.model.judgements import PERIODS, WHENS, HeldBack, When, span

#: sources of alerts that are our own detectors: what they find can be usual; what a rule or a sender says cannot
DETECTORS = frozenset(
    {"level", "rate", "joint", "silence", "new_template", "new_talker", "stuck", "log_value", "vanished_template",
     "log_patternless", "drift"}
)  # fmt: skip


def can_be_usual(alert: Alert) -> bool:
    """Whether a detector of ours found it, and said what exactly."""
    return alert.source in DETECTORS and bool(alert.because) and "key" in alert.because[0].data


def meant(alert: Alert, when: When, why: str, until: dt.datetime | None) -> dict[str, Any]:
    """The data of the act that calls this alert usual: its values as far as they went, on the side they were out."""
    found = alert.because[0].data
    ended = alert.ends_at or timezone.now()
    begin, length = span(milliseconds(alert.starts_at), milliseconds(ended), PERIODS[when] or 1)
    data: dict[str, Any] = {
        "key": found["key"], "why": why, "when": dict(WHENS)[when.value], "until_ms": milliseconds(until),
        "period": PERIODS[when], "begin": begin if PERIODS[when] else 0, "length": length if PERIODS[when] else 0,
        "name": alert.name, "item": alert.item_id or "", "text": alert.name,
    }  # fmt: skip
    if alert.source in ("level", "rate"):
        up = bool(found["up"])
        data |= {"up": up, "bound": found["value"], "edge": found["high"] if up else found["low"],
                 "text": f"{found['what']} {'up' if up else 'down'} to {found['now']}"}  # fmt: skip
    return data


def write(act: Act) -> None:
    """The record of an act that calls something usual."""
    data = act.data
    items = as_now([data["item"]]) if data.get("item") else set()
    when = next(w for w, period in PERIODS.items() if period == data["period"])
    Judgement.objects.get_or_create(
        pk=act.id,
        defaults={
            "alert": act.target, "item_id": next(iter(items), None), "name": storable(data["name"])[:500],
            "text": storable(data["text"]), "when": when.value, "why": storable(data.get("why", "")),
            "created_by": storable(act.actor)[:150], "created_at": moment(act.time_ms or 1),
            "until": moment(data.get("until_ms", 0)), "data": data,
        },
    )  # fmt: skip


def end(act: Act, now_ms: int) -> None:
    """Somebody took it back."""
    at = moment(act.time_ms or now_ms)
    Judgement.objects.filter(pk=act.target, ended_at=None).update(
        ended_at=at, ended_by=storable(act.actor)[:150]
    )


def note(held: Iterable[HeldBack]) -> None:
    """Count what was held back; the same once more, after a kill, counts once."""
    for h in held:
        at = moment(h.time_ms)
        new = Judgement.objects.filter(Q(last_held_at=None) | Q(last_held_at__lt=at), pk=h.judgement)
        new.update(held=F("held") + 1, last_held_at=at, last_held_text=storable(h.text))
