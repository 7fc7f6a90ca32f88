"""Secret addresses of calendars: made, taken back, and what is read there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q

from watchkeeper.domains.identity.models import User
from watchkeeper.domains.oncall.models import READ, Schedule
from watchkeeper.domains.timetables.models import Feed
from watchkeeper.domains.timetables.writing import Duty, calendar, window
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.problems import Invalid, NotThere
from watchkeeper.kernel.secrets import fingerprint, new_secret

PREFIX = "wkc"
_READ_EVERY = dt.timedelta(minutes=10)  # that it was read is noted at most so often


def make(actor: Actor, data: dict[str, Any]) -> Feed:
    """A new address, which is shown once: `shown_once["address"]`. Without a schedule it is the actor's own shifts. Raises
    Invalid."""
    schedule, person = data.get("schedule"), data.get("person")
    if schedule is not None and person is not None:
        raise Invalid("either the shifts of a schedule or those of a person", "person")
    if schedule is None and person is None:
        person = actor.person
        if person is None:
            raise Invalid("say whose shifts", "person")
    secret = new_secret(PREFIX)
    feed: Any = Feed.objects.create(
        schedule=schedule, person=person, prefix=secret[:8], hash=fingerprint(secret), made_by=actor.person
    )
    feed.shown_once = {"address": f"{settings.PUBLIC_URL}/calendar/{secret}.ics"}
    found: Feed = feed
    return found


def text_of(secret: str, now: dt.datetime) -> bytes:
    """The calendar at a secret address. Raises NotThere, also when it was revoked, or whoever made it is no longer here."""
    active = Q(made_by=None) | Q(made_by__is_active=True)
    whose = Q(person=None) | Q(person__is_active=True)
    found = Feed.objects.filter(active, whose, hash=fingerprint(secret), revoked_at=None)
    feed = found.select_related("schedule", "person").first()
    if feed is None:
        raise NotThere("there is no calendar at this address")
    if feed.last_read_at is None or now - feed.last_read_at > _READ_EVERY:
        Feed.objects.filter(pk=feed.pk).update(last_read_at=now)
    host = urlsplit(settings.PUBLIC_URL).hostname or "watchkeeper"
    if feed.schedule is not None:
        return calendar(f"On call: {feed.schedule}", duties([feed.schedule.pk], now), now, host)
    person: Any = feed.person
    mine = (d for d in duties(None, now) if d.person == person.username)
    return calendar(f"On call: {person.called}", mine, now, host, own=True)


def duties(schedules: list[int] | None, now: dt.datetime) -> Iterator[Duty]:
    """Who is on call in the time that calendars show, on these schedules or all of them; gaps are left out."""
    first, last = window(now)
    asked = Schedule.objects.prefetch_related(*READ)
    called: dict[str, str] = {}
    for schedule in asked if schedules is None else asked.filter(pk__in=schedules):
        shifts = schedule.shifts(milliseconds(first), milliseconds(last))
        names = {s.person for s in shifts} - called.keys()
        called |= {u.username: u.called for u in User.objects.filter(username__in=names)}
        for s in shifts:
            if s.person:
                yield Duty(schedule.name, str(schedule.pk), s.person, called.get(s.person, s.person), s.begins_ms,
                           s.ends_ms)  # fmt: skip
