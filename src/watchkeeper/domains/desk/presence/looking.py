"""Notes who has a ticket open, and tells who else has."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.desk.presence.models import Looking
from watchkeeper.domains.identity.models import User

EVERY = 10  # seconds between two words of an open page
_GONE = dt.timedelta(seconds=30)  # without a word: the page is shut


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else at the ticket."""

    name: str
    editing: bool


def look(ticket: Ticket, person: User, *, editing: bool) -> list[Other]:
    """This person has the ticket open now; who else has."""
    now = timezone.now()
    Looking.objects.update_or_create(
        ticket=ticket, person=person, defaults={"editing": editing, "seen_at": now}
    )
    Looking.objects.filter(seen_at__lt=now - 10 * _GONE).delete()
    return others(ticket, person)


def others(ticket: Ticket, person: User) -> list[Other]:
    """Who else has it open: those who change it first."""
    here = Looking.objects.filter(ticket=ticket, seen_at__gte=timezone.now() - _GONE).exclude(person=person)
    found = here.select_related("person").order_by("-editing", "person__username")
    return [Other(entry.person.username, entry.editing) for entry in found]
