"""Proves that nothing is left with somebody who has left: what was taken back, when and by whom, and what the live
state has now. It may be asked at will, and each answer is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.utils import timezone

from watchkeeper.domains.access.models import AccessRequest, Emergency, Grant
from watchkeeper.domains.approvals.models import Vote
from watchkeeper.domains.catalog.models import Lease, Order
from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.models import ApiToken, Session, User
from watchkeeper.domains.onboarding.models import Onboarding, Proof
from watchkeeper.domains.oncall.models import Override, Turn
from watchkeeper.kernel.acting import Actor


def _account(user: User) -> Iterable[str]:
    return ["the account can be used"] if user.is_active else []


def _administrator(user: User) -> Iterable[str]:
    return ["is an administrator"] if user.is_administrator and user.is_active else []


def _sessions(user: User) -> Iterable[str]:
    found = Session.objects.filter(user=user, expire_date__gt=timezone.now())
    return [f"a session from {s.address}, last seen {s.last_seen_at:%Y-%m-%d %H:%M}" for s in found]


def _tokens(user: User) -> Iterable[str]:
    now = timezone.now()
    found = ApiToken.objects.filter(user=user, revoked_at=None).exclude(expires_at__lte=now)
    return [f"the token {t.name}" for t in found]


def _grants(user: User) -> Iterable[str]:
    found = Grant.objects.filter(user=user).exclude(expires_at__lte=timezone.now()).select_related("role")
    return [f"the role {g.role}{g.where}" for g in found]


def _requests(user: User) -> Iterable[str]:
    found = AccessRequest.objects.filter(user=user, state__in=("requested", "approved")).select_related(
        "role"
    )
    return [f"a request for the role {r.role}" for r in found]


def _emergencies(user: User) -> Iterable[str]:
    return [f"the role {e.role} in an emergency" for e in Emergency.objects.filter(user=user, state="active")]


def _teams(user: User) -> Iterable[str]:
    return [f"a member of {team}" for team in user.teams.all()]


def _leases(user: User) -> Iterable[str]:
    return [x.what for x in Lease.objects.filter(holder=user).exclude(state=Lease.State.ENDED)]


def _orders(user: User) -> Iterable[str]:
    waiting = Order.objects.filter(person=user, state__in=("ordered", "approved", "fulfilling"))
    return [f"the order {o}" for o in waiting.select_related("ticket", "item", "person")]


def _tickets(user: User) -> Iterable[str]:
    return [f"the ticket {t}" for t in Ticket.objects.filter(assignee=user, status__in=rules.OPEN)[:50]]


def _service_accounts(user: User) -> Iterable[str]:
    return [f"the service account {u}" for u in user.service_accounts.filter(is_active=True)]


def _on_call(user: User) -> Iterable[str]:
    return [f"a turn in the schedule {name}" for name in on_call_in(user)]


def on_call_in(user: User) -> list[str]:
    """The schedules in which somebody has turns, or stands in from now on."""
    turns = Turn.objects.filter(person=user).values_list("layer__schedule__name", flat=True)
    stands_in = Override.objects.filter(person=user, ends_at__gt=timezone.now())
    return sorted({*turns, *stands_in.values_list("schedule__name", flat=True)})


def _votes(user: User) -> Iterable[str]:
    found = Vote.objects.filter(approver=user, answer="open").select_related("step__request")
    return [f"an answer to: {v}" for v in found[:50]]


#: what is looked at: what people call it, and what of it is left
CHECKS: tuple[tuple[str, Callable[[User], Iterable[str]]], ...] = (
    ("Account", _account),
    ("Administrator", _administrator),
    ("Sessions", _sessions),
    ("API tokens", _tokens),
    ("Roles", _grants),
    ("Access requests", _requests),
    ("Emergencies", _emergencies),
    ("Teams", _teams),
    ("Hardware, licence seats, access", _leases),
    ("Orders", _orders),
    ("Approvals that wait for them", _votes),
    ("On call", _on_call),
    ("Tickets to work on", _tickets),
    ("Service accounts", _service_accounts),
)


def left_of(user: User) -> list[dict[str, str]]:
    """What somebody still has, by what was looked at."""
    return [{"what": label, "left": text} for label, check in CHECKS for text in check(user)]


def revoked_of(onboarding: Onboarding) -> list[dict[str, Any]]:
    """What was taken back: what, how it ended, when, by whom."""
    if onboarding.ticket is None:
        return []
    found = onboarding.ticket.request_tasks.order_by("ended_at", "id")
    return [
        {"what": t.title, "state": t.get_state_display(), "note": t.note, "by": t.ended_by,
         "at": t.ended_at.isoformat() if t.ended_at else ""}
        for t in found
    ]  # fmt: skip


def prove(actor: Actor, onboarding: Onboarding) -> Proof:
    """Look now, and keep the answer. In the caller's transaction."""
    person: Any = onboarding.person
    left = left_of(person)
    return Proof.objects.create(
        onboarding=onboarding, by=actor.name[:200], clean=not left, left=left, revoked=revoked_of(onboarding)
    )
