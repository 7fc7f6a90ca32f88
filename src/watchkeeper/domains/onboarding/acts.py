"""What the platform does by itself for those who join, move and leave: roles granted and ended, the account switched
off with all that is open. Each looks at the live state when its time has come, not at what was planned."""

from __future__ import annotations

from django.utils import timezone

from watchkeeper.domains.access.granting import end, give
from watchkeeper.domains.access.models import Grant, Role
from watchkeeper.domains.access.placing import leave
from watchkeeper.domains.catalog.acts import act, person_of
from watchkeeper.domains.catalog.models import Order, RequestTask
from watchkeeper.domains.catalog.ordering import CANCEL, cancel
from watchkeeper.domains.identity.ending import switch_off
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.problems import Refused

APPROVED_BY = "onboarding"  # of grants that come from a position


@act("grant-role")
def _grant(task: RequestTask) -> str:
    user, role = person_of(task), Role.objects.filter(pk=task.given.get("role")).first()
    if role is None:
        raise Refused("the role is gone")
    if Grant.objects.in_force(timezone.now()).filter(user=user, role=role, approved_by=APPROVED_BY).exists():
        return f"{user} had the role {role} already"
    reason = f"Belongs to the position: {task.ticket}"
    grant = give({"role": role, "user": user, "reason": reason, "valid_from": timezone.now()}, APPROVED_BY)
    audit.record(SYSTEM, "grant.create", grant, after=audit.state_of(grant))
    return f"{user} has the role {role}"


@act("end-role")
def _end_role(task: RequestTask) -> str:
    user = person_of(task)
    held = Grant.objects.in_force(timezone.now()).filter(
        user=user, role=task.given.get("role"), approved_by=APPROVED_BY
    )
    return _ended(held) or f"{user} did not have it from a position"


@act("end-grants")
def _end_grants(task: RequestTask) -> str:
    user = person_of(task)
    now = timezone.now()
    return _ended(Grant.objects.filter(user=user).exclude(expires_at__lte=now)) or f"{user} had no role"


def _ended(grants: list[Grant]) -> str:
    said = []
    for grant in grants:
        end(grant)
        audit.record(SYSTEM, "grant.end", grant)
        said.append(f"{grant.role}{grant.where}")
    return f"ended: {', '.join(said)}" if said else ""


@act("leave-teams")
def _leave_teams(task: RequestTask) -> str:
    user = person_of(task)
    left = [str(team) for team in list(user.teams.all()) if leave(user, team, SYSTEM)]
    return f"out of: {', '.join(left)}" if left else f"{user} was in no team"


@act("switch-off")
def _switch_off(task: RequestTask) -> str:
    """Sessions end and tokens are revoked with it."""
    user = person_of(task)
    sessions = user.sessions.count()
    tokens = user.tokens.filter(revoked_at=None).count()
    before = audit.state_of(user)
    switch_off(user)
    audit.record(SYSTEM, "user.change", user, before=before, after=audit.state_of(user))
    return f"the account is switched off; {sessions} sessions ended, {tokens} tokens revoked"


@act("call-off")
def _call_off(task: RequestTask) -> str:
    found = Order.objects.filter(pk=task.given.get("order"), state__in=CANCEL.origins).first()
    if found is None:
        return "it was over already"
    cancel(SYSTEM, found)
    return f"{found} is cancelled"
