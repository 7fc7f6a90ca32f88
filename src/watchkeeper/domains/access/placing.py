"""Puts somebody into the teams and roles that an identity provider's groups stand for, and takes back what it gave."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.access import safety
from watchkeeper.domains.access.models import Grant, Role, Team
from watchkeeper.domains.access.standing import ADMINISTRATOR, standing_of
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor


def place(user: User, *, teams: Collection[Team], of_teams: Collection[Team], roles: Collection[Role], by: str,
          actor: Actor) -> None:  # fmt: skip
    """A member of `teams`, and of no other of `of_teams`; granted `roles`, and nothing else that was granted `by`
    this. Raises Refused when nobody could administer after it."""
    with transaction.atomic():
        changed = [_membership(user, team, team in teams, actor) for team in of_teams]
        held = Grant.objects.in_force(timezone.now()).filter(user=user, approved_by=by)
        for grant in held.exclude(role__in=roles):
            grant.expires_at = timezone.now()
            grant.save(update_fields=["expires_at"])
            audit.record(actor, "grant.end", grant)
            changed.append(True)
        for role in set(roles) - {g.role for g in held.select_related("role")}:
            grant = Grant.objects.create(
                role=role, user=user, reason=f"Given by a {by}.", valid_from=timezone.now(), approved_by=by
            )
            audit.record(actor, "grant.create", grant, after=audit.state_of(grant))
            changed.append(True)
        if any(changed):
            safety.assure()


def _membership(user: User, team: Team, wanted: bool, actor: Actor) -> bool:
    """Whether it had to be changed."""
    if team.members.filter(pk=user.pk).exists() == wanted:
        return False
    before = audit.state_of(team)
    (team.members.add if wanted else team.members.remove)(user)
    audit.record(actor, "team.change", team, before=before, after=audit.state_of(team))
    return True


def roles_of(user: User) -> frozenset[str]:
    """The names of the roles that somebody has now, wherever they count."""
    standing = standing_of(user)
    own = {ADMINISTRATOR} if standing.is_administrator else set()
    return frozenset(own | {g.role for g in standing.grants})


def join(user: User, team: Team, actor: Actor) -> bool:
    """Make somebody a member of a team, audited; whether they were none. In the caller's transaction."""
    return _membership(user, team, wanted=True, actor=actor)


def leave(user: User, team: Team, actor: Actor) -> bool:
    """Take somebody out of a team, audited; whether they were in it. Raises Refused when nobody could administer
    after it."""
    changed = _membership(user, team, wanted=False, actor=actor)
    if changed:
        safety.assure()
    return changed
