"""Takes a merge back: what went over with it and is still there returns, by what the audit trail says."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from watchkeeper.domains.annotations.models import Link, Tagging
from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.joining import informing
from watchkeeper.domains.desk.joining.merging import HANGS, PATH, ROWS
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.desk.moving import settle
from watchkeeper.domains.inbox.models import Subscription
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import on
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Action, Done, registry

Moved = dict[str, list[Any]]


def unmerge(actor: Actor, ticket: Ticket) -> None:
    """The ticket is one of its own again, in the state that it had. Raises Refused, or Forbidden for who may not change the
    one that it went into."""
    if ticket.merged_into is not None:
        require(actor, "change", registry[PATH], ticket.merged_into)
    with transaction.atomic():
        locked = Ticket.objects.select_for_update().in_bulk(
            sorted({ticket.pk, ticket.merged_into_id or ticket.pk})
        )
        one = locked[ticket.pk]
        if one.merged_into_id is None:
            raise Refused(f"{one.number} is not merged into another ticket")
        other = locked[one.merged_into_id]
        if other.merged_into_id is not None:
            raise Refused(f"{other.number} was merged as well: take that back first")
        entry = _entry(one, other)
        moved: Moved = entry.after["moved"]
        _come_back(one, other, moved)
        before = {"status": one.status, "merged_into": other.pk}
        one.merged_into, one.status = None, entry.before["status"]
        if one.resolution == f"Merged into {other.number}.":
            one.resolution = ""
        settle(one)
        one.save()
        informing.unmerged(actor, one, other)
        after = {"status": one.status, "merged_into": None, "moved": moved}
        audit.record(actor, "ticket.unmerge", one, before=before, after=after)
        audit.record(actor, "ticket.let-go", other, after={"unmerged": one.number, "moved": moved})


def _entry(one: Ticket, other: Ticket) -> Any:
    """The last merge of these two. Raises Refused."""
    found = AuditEntry.objects.filter(kind="ticket", record=str(one.pk), act="ticket.merge").first()
    if found is None or not found.after or found.after.get("merged_into") != other.pk or not found.before:
        raise Refused("the audit trail does not say what went over with it")
    return found


def _come_back(one: Ticket, other: Ticket, moved: Moved) -> None:
    """What is no longer where it went stays where it is."""
    for name, to in ROWS.items():
        getattr(other, name).filter(pk__in=moved.get(name, ())).update(**{to: one})
    other.items.remove(*moved.get("items", ()))
    other.skills.remove(*moved.get("skills", ()))
    for name, model in HANGS.items():
        on(model, registry[PATH], [other.pk]).filter(pk__in=moved.get(name, ())).update(record=str(one.pk))
    theirs = {"pk__in": moved.get("links", ())}
    Link.objects.filter(kind=PATH, record=str(other.pk), **theirs).update(record=str(one.pk))
    Link.objects.filter(to_kind=PATH, to_record=str(other.pk), **theirs).update(to_record=str(one.pk))
    TicketMessage.objects.filter(ticket=other, pk__in=moved.get("messages", ())).update(ticket=one)
    there = [*one.participants.values_list("address", flat=True)]
    copies = other.participants.filter(pk__in=moved.get("participants", ()))
    copies.exclude(address__in=there).update(ticket=one)
    on(Tagging, registry[PATH], [other.pk]).filter(tag__in=moved.get("tags", ())).delete()
    watching = Subscription.objects.filter(kind=PATH, record=str(other.pk), query="")
    watching.filter(user__in=moved.get("watchers", ())).delete()


def _unmerge(actor: Actor, ticket: Ticket, _: dict[str, Any]) -> Done:
    unmerge(actor, ticket)
    return Done()


ACTIONS = (
    Action("unmerge", "Undo the merge", _unmerge, audited=False,
           confirm="What went over with it and is still there comes back.",
           offered=lambda t: t.merged_into_id is not None),
)  # fmt: skip
