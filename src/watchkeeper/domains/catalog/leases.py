"""Leases over their life: lent, warned of, extended, and taken back when they end. Timers are effects of the outbox
whose ids are derived from the lease and its end, so that an extension has new ones and the old do nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.access.placing import leave
from watchkeeper.domains.approvals import Asked, ask, fingerprint
from watchkeeper.domains.catalog import tasks, tickets
from watchkeeper.domains.catalog.acts import act, person_of, team_of
from watchkeeper.domains.catalog.models import Lease, Order, RequestTask
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox import note
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.outgoing import mail
from watchkeeper.domains.outgoing.webhooks import message_id
from watchkeeper.kernel import audit, outbox
from watchkeeper.kernel.acting import SYSTEM, Actor
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Done, registry

WARN_DAYS = (14, 3)
WARNING, ENDING, MAIL = "lease-warning", "lease-end", "lease-mail"  # kinds of effect


def lend(actor: Actor, holder: User, what: str, **more: Any) -> Lease:
    """Note that somebody has something, in the caller's transaction."""
    lease = Lease.objects.create(holder=holder, what=what[:200], **more)
    audit.record(actor, "lease.create", lease, after=audit.state_of(lease))
    timed(lease)
    return lease


def timed(lease: Lease) -> None:
    """Set the timers of its end: warnings that are still to come, and the end."""
    if lease.until is None:
        return
    now, key = timezone.now(), f"{lease.pk}:{round(lease.until.timestamp())}"
    payload = {"lease": lease.pk, "until": lease.until.isoformat()}
    warnings = ((days, lease.until - dt.timedelta(days=days)) for days in WARN_DAYS)
    outbox.add(
        [
            *(outbox.Effect(f"{WARNING}:{key}:{days}", WARNING, f"leases/{lease.pk}", {**payload, "days": days}, at)
              for days, at in warnings if at > now),
            outbox.Effect(f"{ENDING}:{key}", ENDING, f"leases/{lease.pk}", payload, lease.until),
        ]
    )  # fmt: skip


def _meant(row: OutboxRow) -> Lease | None:
    """The lease of this timer, if it still ends then."""
    until = dt.datetime.fromisoformat(row.payload["until"])
    return (
        Lease.objects.select_for_update(of=("self",)).filter(pk=row.payload["lease"], state=Lease.State.ACTIVE, until=until)
        .select_related("holder").first()
    )  # fmt: skip


@outbox.handler(WARNING)
def warn(row: OutboxRow) -> str:
    """Tell whoever has it that it ends soon, in the inbox and by mail."""
    with transaction.atomic():
        lease = _meant(row)
        if lease is None:
            return "it ends at another time now"
        text = f"{lease.what} is yours for {row.payload['days']} more days"
        note([lease.holder], row.pk, text, "It is lent to you.", about=("leases", str(lease.pk)))
        if lease.holder.email:
            outbox.add(
                [outbox.Effect(f"{MAIL}:{row.pk}", MAIL, row.subject, {"lease": lease.pk, "text": text})]
            )
    return f"{lease.holder} is told"


@outbox.handler(MAIL)
def send(row: OutboxRow) -> str:
    """The warning as a mail. Raises TryAgain, GiveUp or OSError."""
    lease = Lease.objects.select_related("holder").filter(pk=row.payload["lease"]).first()
    if lease is None or not lease.holder.email or not lease.holder.is_active:
        return "nobody is left to be told"
    lines = [
        f"{row.payload['text']}.",
        "",
        f"Do you need it for longer? {settings.PUBLIC_URL}/leases/{lease.pk}/",
    ]
    said = mail.compose(message_id(row.pk), [lease.holder.email], row.payload["text"], lines)
    return mail.send(said, [lease.holder.email])


@outbox.handler(ENDING)
def run_out(row: OutboxRow) -> str:
    """What is lent until now is to be given back."""
    with transaction.atomic():
        lease = _meant(row)
        if lease is None:
            return "it ends at another time now"
        take_back(SYSTEM, lease)
        audit.record(SYSTEM, "lease.run-out", lease, before={"state": "active"}, after={"state": lease.state})
    return f"{lease} is to be given back"


def take_back(
    actor: Actor, lease: Lease, ticket: Any = None, due_at: dt.datetime | None = None
) -> RequestTask:
    """The task that takes it back: the platform's own where it is a membership, which lasts until then, else one for
    people."""
    ticket = ticket or tickets.opened(actor, f"Take back: {lease}", "", requester=lease.holder)
    Lease.objects.filter(pk=lease.pk).update(state=Lease.State.RETURNING)
    lease.state = Lease.State.RETURNING
    if lease.team is not None:
        given = {"team": lease.team.pk, "person": lease.holder.pk, "lease": lease.pk}
        at = min(filter(None, (due_at, lease.until)), default=None) if due_at else None
        return tasks.add(
            ticket,
            f"End the membership: {lease}",
            does="end-membership",
            given=given,
            begins_at=at,
            due_at=at,
        )
    return tasks.add(
        ticket, f"Take back: {lease.what} from {lease.holder}", team=lease.returned_to, given={"return": lease.pk},
        due_at=due_at or timezone.now() + dt.timedelta(days=7),
    )  # fmt: skip


def keep(actor: Actor, ticket: Ticket) -> None:
    """What this request, which is called off, was still to take back stays with who has it until it ends, unless another
    request takes it back. In the caller's transaction, before the tasks are skipped."""
    left = RequestTask.objects.exclude(state__in=RequestTask.OVER)
    for task in left.filter(ticket=ticket):
        key = task.given.get("return") or task.given.get("lease")
        lease = Lease.objects.select_for_update().filter(pk=key, state=Lease.State.RETURNING).first()
        others = left.exclude(ticket=ticket).filter(Q(given__return=key) | Q(given__lease=key))
        if lease is None or others.exists():
            continue
        lease.state = Lease.State.ACTIVE
        lease.save(update_fields=["state"])
        audit.record(actor, "lease.resume", lease, before={"state": "returning"}, after={"state": "active"})
        if lease.until is not None and lease.until <= timezone.now():
            take_back(actor, lease)  # its timers have come to nothing meanwhile
        timed(lease)


def end(actor: Actor, lease: Lease) -> None:
    """It was given back, or taken back."""
    before = lease.state
    lease.state, lease.ended_at, lease.ended_by = Lease.State.ENDED, timezone.now(), actor.name[:200]
    lease.save(update_fields=["state", "ended_at", "ended_by"])
    audit.record(actor, "lease.end", lease, before={"state": before}, after={"state": lease.state})


def _returned(actor: Actor, task: RequestTask, _: Item | None) -> None:
    lease = Lease.objects.filter(pk=task.given["return"]).exclude(state=Lease.State.ENDED).first()
    if lease is not None:
        end(actor, lease)


def _lent(actor: Actor, task: RequestTask, item: Item | None) -> None:
    given = task.given["lend"]
    holder = User.objects.filter(pk=given["holder"]).first()
    if holder is None:
        raise Refused("the account of whoever gets it is gone")
    what = f"{given['what']} ({item.name})" if item else given["what"]
    thing = item or Item.objects.filter(pk=given.get("item")).first()
    lend(
        actor, holder, what, returned_to=task.team, sort=given["sort"], item=thing, part=given.get("part", "")
    )
    if item is not None:
        task.ticket.items.add(item)


tasks.when_done |= {"return": _returned, "lend": _lent}


def print_of(lease: Lease) -> str:
    """What an approval of an extension is bound to."""
    return fingerprint({"lease": lease.pk, "until": str(lease.until), "wanted": str(lease.wanted_until)})


class Longer(serializers.Serializer[Any]):
    """For how much longer."""

    until = serializers.DateTimeField(help_text="until when it is needed")

    def validate_until(self, value: dt.datetime) -> dt.datetime:
        """Raises ValidationError for a time that is over."""
        if value <= timezone.now():
            raise serializers.ValidationError("that is over already")
        return value


def extended(actor: Actor, lease: Lease, until: dt.datetime) -> None:
    """Lend it for longer, with new timers."""
    before = lease.until
    lease.until, lease.wanted_until = until, None
    lease.save(update_fields=["until", "wanted_until"])
    audit.record(
        actor,
        "lease.extend",
        lease,
        before=audit.plain({"until": before}),
        after=audit.plain({"until": until}),
    )
    timed(lease)


def declined(actor: Actor, lease: Lease) -> None:
    """It is not lent for longer."""
    before, lease.wanted_until = lease.wanted_until, None
    lease.save(update_fields=["wanted_until"])
    audit.record(
        actor,
        "lease.not-extend",
        lease,
        before=audit.plain({"wanted_until": before}),
        after={"wanted_until": None},
    )


def extend(actor: Actor, lease: Lease, data: dict[str, Any]) -> Done:
    """Lend it for longer, or ask whoever has to agree. Raises Invalid, or Refused where they could not be asked."""
    if lease.until is not None and data["until"] <= lease.until:
        raise Invalid("it is lent until then anyway", "until")
    order = lease.order
    steps = _steps(order) if lease.extension_approved and order else []
    if not steps:
        if lease.extension_approved and not may(actor, "change", registry["leases"], lease):
            raise Refused("it is lent for longer only with approval: ask whoever looks after it")
        extended(actor, lease, data["until"])
        return Done()
    lease.wanted_until = data["until"]
    lease.save(update_fields=["wanted_until"])
    subject = f"{lease} for longer, until {data['until']:%Y-%m-%d}"
    ask(actor, lease, steps, print_of(lease), subject, requester=lease.holder)
    return Done(pending=True)


def _steps(order: Order) -> list[Asked]:
    found = order.item.approvals.order_by("position", "id")
    return [
        Asked(a.name, people=tuple(a.people.all()), teams=(a.team,) if a.team else (), quorum=a.needed)
        for a in found
    ]


def give_back(actor: Actor, lease: Lease, _: dict[str, Any]) -> Done:
    """Somebody needs it no more."""
    take_back(actor, lease)
    return Done()


def noted(_: Actor, data: dict[str, Any]) -> Lease:
    """A lease that somebody writes down."""
    made = Lease.objects.create(**data)
    timed(made)
    return made


def changed(_: Actor, lease: Lease, data: dict[str, Any]) -> Lease:
    """A lease that somebody has corrected, with its timers."""
    for name, value in data.items():
        setattr(lease, name, value)
    lease.save()
    timed(lease)
    return lease


@act("end-membership")
def _end_membership(task: RequestTask) -> str:
    user, team = person_of(task), team_of(task)
    said = (
        f"{user} is no member of {team} any more"
        if leave(user, team, SYSTEM)
        else f"{user} was not in {team}"
    )
    lease = Lease.objects.filter(pk=task.given.get("lease")).exclude(state=Lease.State.ENDED).first()
    if lease is not None:
        end(SYSTEM, lease)
    return said
