"""Starts what was planned: the ticket, and a task for each part, in time for the day."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.catalog import forms, leases, tasks, tickets
from watchkeeper.domains.catalog.models import CatalogItem, Lease, Order
from watchkeeper.domains.catalog.ordering import order
from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.onboarding import acts, planning, proving  # noqa: F401  (acts register)
from watchkeeper.domains.onboarding.bundles import Part
from watchkeeper.domains.onboarding.models import Onboarding
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Refused

Sort = Onboarding.Sort
_LENT = {"hardware": Lease.Sort.HARDWARE, "software": Lease.Sort.SEAT, "server": Lease.Sort.ACCESS}


def start(actor: Actor, onboarding: Onboarding) -> None:
    """Make the account of a joiner, the ticket, and the tasks. In the caller's transaction, saved. Raises Refused."""
    if onboarding.sort == Sort.JOINER and onboarding.person is None:
        onboarding.person = _account(actor, onboarding)
    person = onboarding.person
    if person is None:
        raise Refused("whom is it about?")
    onboarding.ticket = tickets.opened(
        actor, f"{onboarding}: {onboarding.position or onboarding.previous or 'no position'}, {onboarding.day}", "",
        requester=onboarding.manager,
    )  # fmt: skip
    onboarding.started_at = timezone.now()
    onboarding.save()
    tickets.moved(actor, onboarding.ticket, "start")
    changes = planning.plan(onboarding)
    for part in changes.give:
        _give(actor, onboarding, person, part)
    if onboarding.sort == Sort.LEAVER:
        _let_go(actor, onboarding, person)
    else:
        for part in changes.take:
            _take(actor, onboarding, person, part)
    if not onboarding.ticket.request_tasks.exists():
        raise Refused("there is nothing to give and nothing to take back")


def _account(actor: Actor, onboarding: Onboarding) -> User:
    """A new account, with which somebody can sign in once they have a password or come from a provider."""
    if User.objects.filter(username=onboarding.username).exists():
        raise Refused(f"{onboarding.username} is somebody's user name already")
    user = User.objects.create_user(onboarding.username, name=onboarding.full_name, email=onboarding.email)
    audit.record(actor, "user.create", user, after=audit.state_of(user))
    return user


def _give(actor: Actor, onboarding: Onboarding, person: User, part: Part) -> None:
    ticket: Any = onboarding.ticket
    day = planning.begins(onboarding)
    its = {"given": {part.sort: int(part.key), "person": person.pk}, "begins_at": day, "due_at": day} if part.sort in (
        "team", "role") else {}  # fmt: skip
    match part.sort:
        case "team":
            tasks.add(ticket, f"Member of {part.name}", does="join-team", **its)
        case "role":
            tasks.add(ticket, f"Role {part.name}", does="grant-role", **its)
        case "catalog":
            _ordered(actor, onboarding, person, part)
        case _:
            _handed_out(onboarding, person, part)


def _handed_out(onboarding: Onboarding, person: User, part: Part) -> None:
    """By the team that the position names, else the manager sees to it; what was handed out is noted as a lease."""
    ticket: Any = onboarding.ticket
    name = _FIELD[part.sort]
    team = getattr(onboarding.position, f"{name}_team")
    start_by = planning.due_before(onboarding, getattr(onboarding.position, f"{name}_hours"))
    lend = {"what": part.name, "sort": _LENT[part.sort], "holder": person.pk, "part": planning.key_of(part)}
    if part.sort in ("software", "server"):
        lend["item"] = part.key
    tasks.add(
        ticket, f"{_DONE[part.sort]} {part.name} for {person.called}", team=team,
        person=None if team else onboarding.manager, due_at=planning.due_before(onboarding, 0), given={"lend": lend},
        description=f"To be begun by {start_by:%Y-%m-%d %H:%M %Z} at the latest.",
    )  # fmt: skip


_FIELD = {"hardware": "hardware", "software": "software", "server": "access"}
_DONE = {"hardware": "Hand out", "software": "Seat of", "server": "Access to"}


def _ordered(actor: Actor, onboarding: Onboarding, person: User, part: Part) -> None:
    """Ordered at once where its form asks nothing that has to be answered; else somebody orders it."""
    item = CatalogItem.objects.get(pk=part.key)
    given = {"orders": item.pk, "person": person.pk}
    if item.enabled and not forms.wrong(item.form, forms.completed(item.form, {})):
        made = order(actor, item, person, {})
        given["order"] = made.pk
        title, said = f"Order {made.ticket.number}: {item}", "It was ordered; done once it is delivered."
    else:
        title = f"Order {item} for {person.called}"
        said = f"Its form has to be filled in: /catalog/{item.pk}/?for={person.username}"
    tasks.add(
        onboarding.ticket, title, person=onboarding.manager, description=said,  # type: ignore[arg-type]
        due_at=planning.due_before(onboarding, 0), given=given,
    )  # fmt: skip


def _take(actor: Actor, onboarding: Onboarding, person: User, part: Part) -> None:
    """Take one part of the old bundle back, on the day."""
    ticket: Any = onboarding.ticket
    day = planning.begins(onboarding)
    lease = planning.lease_of(person, part)
    if part.sort == "team":
        tasks.add(ticket, f"No member of {part.name}", does="leave-team", given={"team": int(part.key), "person": person.pk},
                  begins_at=day, due_at=day)  # fmt: skip
    elif part.sort == "role":
        tasks.add(ticket, f"No role {part.name}", does="end-role", given={"role": int(part.key), "person": person.pk},
                  begins_at=day, due_at=day)  # fmt: skip
    elif lease is not None:
        leases.take_back(actor, lease, ticket, day)
    else:
        ordered = Lease.objects.filter(holder=person, order__item=part.key).exclude(state=Lease.State.ENDED)
        for lent in ordered if part.sort == "catalog" else ():
            leases.take_back(actor, lent, ticket, day)


def _let_go(actor: Actor, onboarding: Onboarding, person: User) -> None:
    """All that somebody who leaves has, as the live state has it."""
    ticket: Any = onboarding.ticket
    day = planning.begins(onboarding)
    its: dict[str, Any] = {"given": {"person": person.pk}, "begins_at": day, "due_at": day}
    off = tasks.add(ticket, "Switch the account off, end sessions, revoke tokens", does="switch-off", **its)
    tasks.add(ticket, "End roles", does="end-grants", after=[off], **its)
    tasks.add(ticket, "Out of all teams", does="leave-teams", after=[off], **its)
    for lease in Lease.objects.filter(holder=person).exclude(state=Lease.State.ENDED):
        leases.take_back(actor, lease, ticket, day)
    for waiting in Order.objects.filter(person=person, state__in=("ordered", "approved", "fulfilling")):
        tasks.add(ticket, f"Call off the order {waiting}", does="call-off", after=[off],
                  **{**its, "given": {"person": person.pk, "order": waiting.pk}})  # fmt: skip
    if (left := Ticket.objects.filter(assignee=person, status__in=rules.OPEN).count()) > 0:
        tasks.add(ticket, f"Hand over {left} open tickets of {person.called}", person=onboarding.manager, due_at=day,
                  description=f"/tickets/?assignee__username={person.username}")  # fmt: skip
    if schedules := proving.on_call_in(person):
        tasks.add(
            ticket, f"Out of the schedules: {', '.join(schedules)}", person=onboarding.manager, due_at=day
        )
    if owned := list(person.service_accounts.filter(is_active=True)):
        names = ", ".join(str(u) for u in owned)
        tasks.add(
            ticket, f"Another owner for service accounts: {names}", person=onboarding.manager, due_at=day
        )


def finish(actor: Actor, ticket: Ticket) -> None:
    """The last task is over: it is done, and its ticket resolved."""
    found = (
        Onboarding.objects.select_for_update().filter(ticket=ticket, state=Onboarding.State.STARTED).first()
    )
    if found is None:
        return
    found.state, found.ended_at = Onboarding.State.DONE, timezone.now()
    found.save(update_fields=["state", "ended_at"])
    audit.record(actor, "onboarding.finish", found, before={"state": "started"}, after={"state": "done"})
    tickets.moved(actor, ticket, "resolve", resolution=f"{found}: everything is done.")


tasks.finished.append(finish)


def call_off(actor: Actor, onboarding: Onboarding) -> None:
    """It does not happen: what is left of it is skipped, and what was still to be taken back is kept."""
    onboarding.ended_at = timezone.now()
    onboarding.save(update_fields=["ended_at"])
    if onboarding.ticket is not None:
        with transaction.atomic():
            leases.keep(actor, onboarding.ticket)
            tasks.skip_all(actor, onboarding.ticket, "it was called off")
            tickets.moved(actor, onboarding.ticket, "cancel")
