"""Separation of duties: roles that nobody may hold together. Asked before a grant counts, when somebody joins a team
or becomes an administrator, and of everybody for the list of findings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations

from django.db.models import Q
from django.utils import timezone

from watchkeeper.domains.access.models import (
    Grant,
    Organisation,
    Role,
    SeparationException,
    SeparationRule,
    Team,
)
from watchkeeper.domains.access.standing import ADMINISTRATOR
from watchkeeper.domains.identity.behind import behind
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Forbidden, Refused

_EVER = dt.datetime.max.replace(tzinfo=dt.UTC)
ScopeKey = tuple[object, ...]  # see Scoped.scope_key
EVERYWHERE: ScopeKey = (None, None, "", ())


@dataclass(frozen=True, slots=True)
class Holding:
    """A role that somebody has or will have, from when until when, where, and by which grant (None: by the user's
    own record) of which team."""

    role: int
    scope: ScopeKey
    begins: dt.datetime
    ends: dt.datetime
    grant: int | None
    team: int | None

    def overlaps(self, other: Holding) -> bool:
        """Both at one moment."""
        return self.begins < other.ends and other.begins < self.ends


@dataclass(frozen=True, slots=True)
class Conflict:
    """What a rule keeps apart, in one hand."""

    rule: SeparationRule
    user: User
    holdings: tuple[Holding, Holding]
    roles: tuple[str, str]

    @property
    def text(self) -> str:
        """As a sentence."""
        return (f"{self.user} would be {self.roles[0]} and {self.roles[1]}, which “{self.rule}” keeps apart: "
                f"{self.rule.why}")  # fmt: skip


def conflicts(users: Iterable[User] | None = None) -> list[Conflict]:
    """Of these people, or of all active ones; what is excepted is left out. The number of queries does not depend on
    how many people there are."""
    rules = list(SeparationRule.objects.filter(enabled=True).prefetch_related("roles"))
    if not rules:
        return []
    people = list(User.objects.filter(is_active=True)) if users is None else list(users)
    excepted = set(
        SeparationException.objects.filter(expires_at__gt=timezone.now()).values_list("rule", "user")
    )
    held, parts = _holdings(people), _parts()
    found = []
    for rule in rules:
        names = {r.pk: r.name for r in rule.roles.all()}
        for person in people:
            if (rule.pk, person.pk) in excepted:
                continue
            own = [h for h in held[person.pk] if h.role in names]
            for a, b in combinations(own, 2):
                if (
                    a.role != b.role
                    and a.overlaps(b)
                    and (not rule.same_scope or _meet(a.scope, b.scope, parts))
                ):
                    found.append(Conflict(rule, person, (a, b), (names[a.role], names[b.role])))
    return found


def excepted(
    actor: Actor, rule: SeparationRule, user: User, reason: str, expires_at: dt.datetime
) -> SeparationException:
    """Let one hand hold what this rule keeps apart, until then. Raises Forbidden for one's own."""
    if user in (actor.person, behind(actor)):
        raise Forbidden("create", "separation-exceptions", ("Nobody excepts themselves.",))
    return SeparationException.objects.create(
        rule=rule, user=user, reason=reason, expires_at=expires_at, approved_by=actor.name[:200]
    )


def refuse(users: Iterable[User], because: Callable[[Holding], bool]) -> None:
    """Raises Refused naming the rule when one of these people holds together what is kept apart, because of such a
    holding."""
    for conflict in conflicts(users):
        if any(because(h) for h in conflict.holdings):
            raise Refused(conflict.text)


def refuse_grant(grant: Grant) -> None:
    """Raises Refused when this grant, which is made already, brings together what is kept apart."""
    if grant.user_id is not None:
        users = User.objects.filter(pk=grant.user_id, is_active=True)
    elif grant.team_id is not None:
        users = grant.team.members.filter(is_active=True)
    else:
        users = User.objects.filter(is_active=True)
    refuse(users, lambda h: h.grant == grant.pk)


def _holdings(people: list[User]) -> dict[int, list[Holding]]:
    now = timezone.now()
    living = Q(expires_at=None) | Q(expires_at__gt=now)
    by_user: dict[int, list[Holding]] = {}
    by_team: dict[int, list[Holding]] = {}
    others: list[Holding] = []
    for g in Grant.objects.filter(living):
        holding = Holding(g.role_id, g.scope_key, g.valid_from, g.expires_at or _EVER, g.pk, g.team_id)
        if g.everyone_else:
            others.append(holding)
        elif g.user_id is not None:
            by_user.setdefault(g.user_id, []).append(holding)
        else:
            by_team.setdefault(g.team_id, []).append(holding)
    teams: dict[int, list[int]] = {}
    for user, team in Team.members.through.objects.values_list("user_id", "team_id"):
        teams.setdefault(user, []).append(team)
    role = Role.objects.filter(name=ADMINISTRATOR).values_list("pk", flat=True).first()
    out: dict[int, list[Holding]] = {}
    for person in people:
        own = [
            *by_user.get(person.pk, ()),
            *(h for t in teams.get(person.pk, ()) for h in by_team.get(t, ())),
        ]
        if person.is_administrator and role is not None:
            own.append(Holding(role, EVERYWHERE, now, _EVER, None, None))
        out[person.pk] = own or others
    return out


def _meet(a: ScopeKey, b: ScopeKey, parts: dict[int, set[int]]) -> bool:
    """Whether some record may be in both scopes: different ones of a sort have none in common, and a part is in its
    whole; of different sorts nobody can say, so they may."""
    (org_a, team_a, attribute_a, values_a), (org_b, team_b, attribute_b, values_b) = a, b
    if org_a is not None and org_b is not None:
        return org_a in parts.get(org_b, set()) or org_b in parts.get(org_a, set())  # type: ignore[call-overload]
    if team_a is not None and team_b is not None:
        return team_a == team_b
    if attribute_a and attribute_a == attribute_b:
        return bool(set(values_a) & set(values_b))  # type: ignore[call-overload]
    return True


def _parts() -> dict[int, set[int]]:
    """Every organisation with all that is part of it, itself included."""
    parents = dict(Organisation.objects.values_list("pk", "parent_id"))
    found: dict[int, set[int]] = {pk: {pk} for pk in parents}
    for pk in parents:
        above, seen = parents[pk], {pk}
        while above is not None and above not in seen:
            found[above].add(pk)
            seen.add(above)
            above = parents[above]
    return found
