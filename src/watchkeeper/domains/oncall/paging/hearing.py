"""Hears of situations and tickets: they begin escalations, and end them when somebody has acknowledged or it is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from django.db.models import Q, QuerySet
from django.utils import timezone

from watchkeeper.domains.oncall.paging import again, beginning, ending
from watchkeeper.domains.oncall.paging.ending import end
from watchkeeper.domains.oncall.paging.models import BY_HAND, GRAVER, Escalation, EscalationRule, Page
from watchkeeper.kernel.events import Event

State = Escalation.State
#: of a ticket: its states in which somebody has it, and those in which nobody need be told any more
_TAKEN = ("in_progress", "waiting_for_requester", "waiting_for_partner")
_OVER = ("resolved", "closed", "cancelled")


class Situations:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Situations while there is a rule or an escalation that waits for an answer, tickets while there is one about a
        ticket."""
        wanted = {"situations", "tickets"} & set(kinds)
        if not wanted:
            return ()
        found = Escalation.objects.filter(ending.waiting(timezone.now())).order_by()
        heard = wanted & set(found.values_list("kind", flat=True).distinct())
        if "situations" in wanted - heard and EscalationRule.objects.filter(enabled=True).exists():
            heard.add("situations")
        return heard

    def hear(self, events: Sequence[Event]) -> str:
        """Begin and end."""
        now = timezone.now()
        in_force = beginning.rules_in_force()
        wanted: dict[str, Escalation] = {}  # by situation
        ended = begun = 0
        for event in events:
            if event.kind == "tickets":
                ended += _ticket(event, now)
                continue
            if event.key in wanted:  # what it begins depends on what has begun
                begun += again.begin(wanted.values(), now)
                wanted.clear()
            ended += _ended(event, now)
            if not _over(event) and (escalation := again.escalation_of(event, in_force, now)):
                wanted[event.key] = escalation
        begun += again.begin(wanted.values(), now) if wanted else 0
        said = (f"{begun} escalations begun" if begun else "", f"{ended} ended" if ended else "")
        return ", ".join(filter(None, said))


def _over(event: Event) -> bool:
    return event.record["state"] == "resolved" or bool(event.record.get("merged_into"))


def _ended(event: Event, now: dt.datetime) -> int:
    """Acknowledged, or resolved. Of people who were paged by hand one of themselves has to acknowledge it: that somebody
    else has it was no reason not to page them. What has become graver since has to be acknowledged again."""
    by = event.actor.name if event.actor.kind != "system" else ""
    found = _about(event)
    if _over(event):
        merged = "It went into another situation." if event.record.get("merged_into") else ""
        return end(found, State.RESOLVED, by, now, merged)
    if event.record["state"] != "acknowledged":
        return 0
    anew = event.act == "acknowledge" or "state" in event.after
    enough = ~Q(cause__startswith=BY_HAND) & (Q() if anew else ~Q(cause__startswith=GRAVER))
    if event.act == "acknowledge":
        enough |= Q(pk__in=Page.objects.filter(person__username=event.actor.name).values("escalation"))
    return end(found.filter(enough), State.ACKNOWLEDGED, by, now)


def _ticket(event: Event, now: dt.datetime) -> int:
    """Somebody begins to work on it, or it is over; what else happens to one that somebody has is no answer to a page."""
    begun = event.after.get("status") in _TAKEN and event.before.get("status") not in _TAKEN
    found = _about(event)
    if event.act == "take" or begun:
        return end(found.filter(began_at__lte=event.at), State.ACKNOWLEDGED, event.actor.name, now)
    if event.record.get("status") in _OVER or event.act == "remove":
        return end(found, State.RESOLVED, event.actor.name, now)
    return 0


def _about(event: Event) -> QuerySet[Escalation]:
    return Escalation.objects.filter(kind=event.kind, record=event.key)
