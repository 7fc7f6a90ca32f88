"""What somebody is when policies look at them: roles by the grants in force at this moment, teams, organisations.
A few queries for one person, or for everybody at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from watchkeeper.domains.access.facts import Principal, ScopedRole, Uid
from watchkeeper.domains.access.models import Grant, Organisation, Team
from watchkeeper.domains.identity.models import User

ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Standing:
    """A person as policies see them, and the grants that make it so."""

    principal: Principal
    grants: tuple[Grant, ...] = ()
    is_administrator: bool = False  # by the user's record, which no grant ends

    def granted(self, roles: Iterable[str]) -> list[Grant]:
        """The grants of these roles."""
        wanted = set(roles)
        return [g for g in self.grants if g.role.name in wanted]


def standing_of(user: User, now: dt.datetime | None = None) -> Standing:
    """One person's, read anew."""
    return standings([user], now)[user.pk]


def standings(users: Iterable[User], now: dt.datetime | None = None) -> dict[int, Standing]:
    """By the key of the user; the number of queries does not depend on how many."""
    people = list(users)
    one = people[0].pk if len(people) == 1 else None
    membership = Team.members.through.objects.select_related("team__organisation")
    grants = Grant.objects.in_force(now or timezone.now()).select_related(
        "role", "user", "team", "in_organisation", "in_team"
    )
    if one is not None:
        membership = membership.filter(user_id=one)
        grants = grants.filter(Q(user_id=one) | Q(team__members=one) | Q(everyone_else=True))
    teams: dict[int, list[Team]] = {}
    for row in membership:
        teams.setdefault(row.user_id, []).append(row.team)
    found = list(grants.order_by("id"))
    organised = any(t.organisation_id for own in teams.values() for t in own)
    tree = _Tree() if organised or any(g.in_organisation_id for g in found) else None
    return {u.pk: _standing(u, teams.get(u.pk, []), found, tree) for u in people}


def _standing(user: User, teams: list[Team], grants: list[Grant], tree: _Tree | None) -> Standing:
    mine = {t.pk for t in teams}
    own = [g for g in grants if g.user_id == user.pk or g.team_id in mine]
    if not own and not user.is_administrator:
        own = [g for g in grants if g.everyone_else]
    within = {Uid("Team", t.name) for t in teams}
    for t in teams:
        within |= {Uid("Organisation", name) for name in (tree.above(t.organisation_id) if tree else ())}
    within |= {Uid("Role", g.role.name) for g in own if not g.where}
    if user.is_administrator:
        within.add(Uid("Role", ADMINISTRATOR))
    scoped = tuple(_scoped(g, tree) for g in own if g.where)
    principal = Principal(user.username, frozenset(within), scoped, user.name, user.email)
    return Standing(principal, tuple(own), user.is_administrator)


def _scoped(grant: Grant, tree: _Tree | None) -> ScopedRole:
    if grant.in_team:
        return ScopedRole(grant.role.name, "team", frozenset((grant.in_team.name,)))
    return ScopedRole(
        grant.role.name, "organisation", tree.below(grant.in_organisation_id) if tree else frozenset()
    )


class _Tree:
    """Which organisation is part of which."""

    def __init__(self) -> None:
        self._rows = {pk: (name, parent) for pk, name, parent in
                      Organisation.objects.values_list("pk", "name", "parent_id")}  # fmt: skip

    def above(self, pk: int | None) -> list[str]:
        """Its name and those of what it is part of."""
        names: list[str] = []
        while pk is not None and self._rows[pk][0] not in names:
            name, pk = self._rows[pk]
            names.append(name)
        return names

    def below(self, pk: int | None) -> frozenset[str]:
        """Its name and those of its parts, and of theirs."""
        top = self._rows[pk][0] if pk is not None else ""
        return frozenset(name for own, (name, _) in self._rows.items() if top in self.above(own))


def administrators() -> list[User]:
    """Active users who are administrators by their own record."""
    return list(User.objects.filter(is_administrator=True, is_active=True))
