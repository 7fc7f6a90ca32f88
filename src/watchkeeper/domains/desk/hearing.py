"""Hears of situations, for incidents that are opened and resolved by rule, of agreements, by which due times change, and of
what requesters write, by which clocks begin anew, and of which whoever works on the ticket or watches it is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Q

from watchkeeper.domains.desk import moving, opening, promising, rules
from watchkeeper.domains.desk.conversation.saying import is_agent
from watchkeeper.domains.desk.models import IncidentRule, Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox import reading, telling
from watchkeeper.domains.situations.models import Situation
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.events import By, Event
from watchkeeper.kernel.resource import registry

_PROMISES = {"calendars", "service-level-agreements", "agreement-targets", "queues"}


class Situations:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Situations, while there is a rule."""
        wanted = {"situations"} & set(kinds)
        return wanted if wanted and IncidentRule.objects.filter(enabled=True).exists() else ()

    def hear(self, events: Sequence[Event]) -> str:
        """Open incidents of those that match a rule, and resolve those of situations that are over."""
        said = (self._about(event) for event in events)
        return ", ".join(filter(None, said))

    def _about(self, event: Event) -> str:
        if event.act in ("open", "escalate", "change") and event.record["state"] != "resolved":
            rule = opening.matching(event.record)
            if rule is None or opening.incident_of(event.key) is not None:
                return ""
            situation = Situation.objects.filter(pk=event.key).first()
            if situation is None or situation.merged_into:
                return ""
            return f"incident {opening.open_incident(SYSTEM, situation, rule.queue, rule.urgency).number}"
        if event.act == "resolve" and (ticket := opening.incident_of(event.key)) is not None:
            rule = opening.matching(event.record)
            if rule is not None and rule.resolves and ticket.status in rules.OPEN:
                moving.resolve(SYSTEM, ticket, "All alerts of its situation have ended.")
                return f"{ticket.number} resolved"
        return ""


class Agreements:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Whatever due times follow from."""
        return _PROMISES & set(kinds)

    def hear(self, events: Sequence[Event]) -> str:
        """Find out anew when open tickets are due."""
        if not any(event.act in ("create", "change", "remove") for event in events):
            return ""
        promised = (
            Q(agreement__isnull=False)
            | Q(queue__agreement__isnull=False)
            | Q(resolution_due_at__isnull=False)
        )
        agreed = any(event.kind == "service-level-agreements" for event in events)
        open_ = Ticket.objects.filter(promised, status__in=rules.OPEN)
        changed = promising.reckon(open_, told_otherwise=agreed)
        return f"{changed} due times changed"


class Messages:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """What is said on tickets."""
        return {"ticket-messages"} & set(kinds)

    def hear(self, events: Sequence[Event]) -> str:
        """Tell of replies that are not an agent's, and note when the requester last wrote: with some agreements the clock
        begins anew."""
        created = [event for event in events if event.act == "create" and event.record["sort"] == "reply"]
        for event in created:
            _tell(event)
        return ", ".join(filter(None, (self._about(event.record) for event in created)))

    def _about(self, message: dict[str, Any]) -> str:
        written = dt.datetime.fromisoformat(message["created_at"])
        with transaction.atomic():
            ticket = Ticket.objects.select_for_update(of=("self",)).filter(pk=message["ticket_id"]).first()
            if ticket is None or not _by_requester(message, ticket):
                return ""
            if ticket.status not in rules.OPEN or (ticket.restarted_at or ticket.opened_at) >= written:
                return ""
            ticket.restarted_at = written
            promising.follow(ticket)
            ticket.save(update_fields=["restarted_at", *promising.FOLLOWS])
        return f"{ticket.number}: its requester has written"


def _tell(event: Event) -> None:
    ticket = Ticket.objects.select_related("assignee").filter(pk=event.record["ticket_id"]).first()
    if ticket is None or _by_agent(event.record, ticket):
        return
    by = event.actor if event.record["author_id"] else By(name=event.record["sender"])
    about = msgspec.structs.replace(
        event, id=f"reply:{event.key}", kind="tickets", key=str(ticket.pk), act="reply", actor=by,
        name=registry["tickets"].title(ticket), record={}, before={}, after={},
    )  # fmt: skip
    telling.tell([ticket.assignee] if ticket.assignee else [], about, "You work on it.")
    telling.tell_subscribers(about)


def _by_agent(message: dict[str, Any], ticket: Ticket) -> bool:
    """Also by a program, which has no address."""
    author = User.objects.filter(pk=message["author_id"]).first()
    return is_agent(reading.actor(author), ticket) if author else "@" not in message["sender"]


def _by_requester(message: dict[str, Any], ticket: Ticket) -> bool:
    """Also somebody without an account, who is known by an address."""
    if message["author_id"] is None:
        return "@" in message["sender"]
    return bool(message["author_id"] == ticket.requester_id)
