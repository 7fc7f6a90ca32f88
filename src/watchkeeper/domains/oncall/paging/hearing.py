"""Hears of situations and tickets: they begin escalations, and end them when somebody has acknowledged or it is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from django.db.models import Q, QuerySet
from django.utils import timezone

from watchkeeper.domains.oncall.paging import beginning, ending
from watchkeeper.domains.oncall.paging.ending import end
from watchkeeper.domains.oncall.paging.models import BY_HAND, Escalation, EscalationRule, Page
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
        wanted: list[Escalation] = []
        ended = 0
        for event in events:
            if event.kind == "tickets":
                ended += _ticket(event, now)
            elif event.record.get("state") == "open":
                wanted += filter(None, [_opened(event, in_force, now)])
            else:
                ended += _over(event, now)
        begun = beginning.begin(wanted) if wanted else 0
        said = (f"{begun} escalations begun" if begun else "", f"{ended} ended" if ended else "")
        return ", ".join(filter(None, said))


def _opened(event: Event, in_force: list[EscalationRule], now: dt.datetime) -> Escalation | None:
    """The escalation of a situation that has opened or changed, or that nobody has acknowledged any more. One that no rule
    fitted before may fit one now: it is graver, its title has other words, an alert of another item has joined."""
    if event.record.get("merged_into"):
        end(_about(event), State.RESOLVED, "", now, "It went into another situation.")
        return None
    again = event.act == "unacknowledge" or event.before.get("state") == "acknowledged"
    if not again and event.act not in ("open", "escalate", "change"):
        return None
    rule = beginning.matching(in_force, event.record, now)
    cause = f"again:{event.id}" if again else f"situations:{event.key}"
    return beginning.begun(rule, cause, event.record, now) if rule else None


def _over(event: Event, now: dt.datetime) -> int:
    """Acknowledged, or resolved. Of people who were paged by hand one of themselves has to acknowledge it: that somebody
    else has it was no reason not to page them."""
    by = event.actor.name if event.actor.kind != "system" else ""
    found = _about(event)
    if event.record.get("state") != "acknowledged":
        return end(found, State.RESOLVED, by, now)
    enough = ~Q(cause__startswith=BY_HAND)
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
