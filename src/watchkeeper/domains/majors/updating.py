"""What follows from declaring a major incident and from an update: components change, stakeholders get a mail each, once,
and whoever communicates is reminded when the next update is due."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from watchkeeper.domains import inbox
from watchkeeper.domains.majors import components, rules
from watchkeeper.domains.majors.models import MajorIncident, StatusUpdate
from watchkeeper.kernel import outbox

MAIL, REMINDER = "major-update", "major-reminder"


def say(major: MajorIncident, state: str, text: str, by: str, *, public: bool = True) -> StatusUpdate:
    """Write an update, and do what follows from it. In the caller's transaction."""
    now = timezone.now()
    update = StatusUpdate.objects.create(
        major=major, state=state, text=text, public=public, author=by, at=now
    )
    was, major.state = major.state, state
    over = state == rules.RESOLVED
    major.resolved_at = (major.resolved_at or now) if over else None
    major.next_update_at = None if over else now + dt.timedelta(minutes=major.every)
    major.save(update_fields=["state", "resolved_at", "next_update_at"])
    if not over or was != state:  # what is written afterwards changes nothing
        components.settle(major.components.all(), str(major), now)
    outbox.add(
        outbox.Effect(f"{MAIL}:{update.pk}:{to}", MAIL, major.number or "", {"update": update.pk, "to": to})
        for to in major.stakeholders
    )
    if major.next_update_at is not None:
        reminder = {"major": major.pk, "after": update.pk}
        outbox.add(
            [
                outbox.Effect(
                    f"{REMINDER}:{update.pk}",
                    REMINDER,
                    major.number or "",
                    reminder,
                    due=major.next_update_at,
                )
            ]
        )
    return update


def remind(major: MajorIncident, after: int) -> str:
    """Tell whoever communicates, else the commander, that an update is due, unless there was one; what was done."""
    if major.state == rules.RESOLVED:
        return "it is resolved"
    if major.updates.filter(pk__gt=after).exists():
        return "there was an update"
    people = [p for p in (major.communications, major.commander) if p is not None][:1]
    if not people:
        return "nobody communicates"
    text = f"{major.number}: an update is due. {major.title}"
    told = inbox.note(people, f"{REMINDER}:{after}", text, f"You communicate in {major.number}.")
    return f"{told} reminded"
