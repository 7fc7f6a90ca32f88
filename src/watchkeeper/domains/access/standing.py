"""What somebody is when policies look at them: roles by the grants in force at this moment, teams, organisations.
A few queries for one person, or for everybody at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone

from watchkeeper.domains.access.facts import Principal, ScopedRole, Uid
from watchkeeper.domains.access.models import Grant, Organisation, Team
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.permissions import belonging

ADMINISTRATOR = "administrator"
CUSTOMER = "customer"  # takes away and gives nothing, so it counts everywhere, however it was granted


class Held(NamedTuple):
    """What of a grant decides."""

    pk: int
    role: str
    user: int | None
    team: int | None
    everyone_else: bool
    in_organisation: int | None
    in_team: str | None
    attribute: str
    values: list[str]

    @property
    def scoped(self) -> bool:
        """It counts for some records only."""
        return self.in_organisation is not None or self.in_team is not None or bool(self.attribute)


_HELD = ("pk", "role__name", "user_id", "team_id", "everyone_else", "in_organisation_id", "in_team__name",
         "attribute", "values")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """A person as policies see them, and the grants that make it so."""

    principal: Principal
    grants: tuple[Held, ...] = ()
    is_administrator: bool = False  # by the user's record, which no grant ends


def standing_of(user: User) -> Standing:
    """One person's, read anew."""
    return standings([user])[user.pk]


def standings(users: Iterable[User]) -> dict[int, Standing]:
    """By the key of the user; the number of queries does not depend on how many."""
    people = list(users)
    one = people[0] if len(people) == 1 else None
    membership = Team.members.through.objects.values_list(
        "user_id", "team_id", "team__name", "team__organisation_id"
    )
    teams: dict[int, list[tuple[int, str, int | None]]] = {}
    for user, *team in membership.filter(user_id=one.pk) if one else membership:
        teams.setdefault(user, []).append(tuple(team))
    grants = Grant.objects.in_force(timezone.now())
    if one:
        own = Q(user_id=one.pk) | Q(everyone_else=True)
        if one.pk in teams:
            own |= Q(team_id__in=[pk for pk, *_ in teams[one.pk]])
        grants = grants.filter(own)
    held = [Held(*row) for row in grants.order_by("id").values_list(*_HELD)]
    organised = any(organisation for own in teams.values() for *_, organisation in own)
    tree = _Tree() if organised or any(g.in_organisation for g in held) else None
    return {u.pk: _standing(u, teams.get(u.pk, []), held, tree) for u in people}


def _standing(
    user: User, teams: list[tuple[int, str, int | None]], grants: list[Held], tree: _Tree | None
) -> Standing:
    mine = {pk for pk, *_ in teams}
    own = [g for g in grants if g.user == user.pk or g.team in mine]
    if not own and not user.is_administrator:
        own = [g for g in grants if g.everyone_else]
    within = {Uid("Team", name) for _, name, _ in teams}
    for *_, organisation in teams:
        within |= {Uid("Organisation", name) for name in (tree.above(organisation) if tree else ())}
    within |= {Uid("Role", g.role) for g in own if not g.scoped or g.role == CUSTOMER}
    if user.is_administrator:
        within.add(Uid("Role", ADMINISTRATOR))
    scoped = tuple(_scoped(g, tree) for g in own if g.scoped)
    principal = Principal(user.username, frozenset(within), scoped, user.name, user.email)
    return Standing(principal, tuple(own), user.is_administrator)


def _scoped(grant: Held, tree: _Tree | None) -> ScopedRole:
    if grant.in_team is not None:
        return ScopedRole(grant.role, "team", frozenset((grant.in_team,)))
    if grant.attribute:
        names = frozenset(grant.values)
        items = belonging[grant.attribute](names) if grant.attribute in belonging else frozenset()
        return ScopedRole(grant.role, grant.attribute, names, _one(items))
    return ScopedRole(grant.role, "organisation", tree.below(grant.in_organisation) if tree else frozenset())


@lru_cache(maxsize=64)
def _one(names: frozenset[str]) -> frozenset[str]:
    """The same object for equal sets, because what is decided is kept by what it was decided for."""
    return names


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
