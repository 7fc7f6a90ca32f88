"""Teams as SCIM groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import ProtectedError
from scim2_models import InvalidValueException, UniquenessException

from watchkeeper.domains.access.models import Team
from watchkeeper.domains.federation.models import Provisioned
from watchkeeper.domains.federation.scim_records import meta, row_of, save
from watchkeeper.domains.federation.scim_schema import Group
from watchkeeper.domains.identity.models import AccountKind, User
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import authority
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import registry


class Groups:
    """For one actor."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    def found(self, narrowed: dict[str, str]) -> Iterator[Group]:
        """All teams, or those whose `pk`, `name` or `external_id` is this; in three queries."""
        teams = Team.objects.order_by("pk")
        rows = {r.team_id: r for r in Provisioned.objects.filter(team__isnull=False)}
        if pk := narrowed.get("pk"):
            teams = teams.filter(pk=pk) if pk.isdecimal() else teams.none()
        if name := narrowed.get("name"):
            teams = teams.filter(name__iexact=name)
        if external := narrowed.get("external_id"):
            teams = teams.filter(pk__in=[pk for pk, r in rows.items() if r.external_id == external])
        members = defaultdict(list)
        through = Team.members.through.objects.filter(team__in=teams, user__kind=AccountKind.PERSON)
        for team, user in through.order_by("user_id").values_list("team_id", "user_id"):
            members[team].append({"value": str(user), "$ref": f"Users/{user}"})
        for found in teams:
            yield _shown(found, rows.get(found.pk), members[found.pk])

    def make(self, said: Group) -> str:
        """The id of a new team. Raises UniquenessException."""
        name = _free(said)
        team = Team.objects.create(name=name)
        team.members.set(_people(said))
        save(row_of(team=team), said.external_id)
        authority().assure()
        audit.record(self._actor, "team.create", team, after=audit.state_of(team))
        return str(team.pk)

    def change(self, key: str, said: Group) -> None:
        """Raises UniquenessException, or Refused for a name that a policy has or when nobody could administer."""
        team = Team.objects.get(pk=key)
        before = audit.state_of(team)
        services = team.members.filter(kind=AccountKind.SERVICE)
        # As anybody's change of a team, so that its rules for names and for who administers hold.
        change = registry["teams"].change
        assert change is not None
        members = [*_people(said), *services]
        change(self._actor, team, {"name": _free(said, but=team.pk), "members": members})
        save(row_of(team=team), said.external_id)
        audit.record(self._actor, "team.change", team, before=before, after=audit.state_of(team))

    def remove(self, key: str) -> None:
        """Raises Refused for a team that grants or policies need."""
        team = Team.objects.get(pk=key)
        audit.record(self._actor, "team.remove", team, before=audit.state_of(team))
        remove = registry["teams"].remove
        assert remove is not None
        try:
            remove(self._actor, team)
        except ProtectedError as error:
            raise Refused(f"{team} is still needed") from error


def _free(said: Group, but: int | None = None) -> str:
    name = (said.display_name or "").strip()
    if not name or len(name) > 150:
        raise InvalidValueException(detail="displayName: a name of 1 to 150 characters is needed")
    if Team.objects.filter(name__iexact=name).exclude(pk=but).exists():
        raise UniquenessException(detail=f"There is a team {name} already")
    return name


def _people(said: Group) -> list[User]:
    keys = [str(m.value) for m in said.members or []]
    found = User.objects.filter(pk__in=[k for k in keys if k.isdecimal()], kind=AccountKind.PERSON)
    people = {str(u.pk): u for u in found}
    if unknown := [k for k in keys if k not in people]:
        raise InvalidValueException(detail=f"members: there is no user {unknown[0]}")
    return list(people.values())


def _shown(team: Team, row: Provisioned | None, members: list[dict[str, Any]]) -> Group:
    content = {
        "schemas": [str(Group.__schema__)],
        "id": str(team.pk),
        "externalId": (row.external_id if row else "") or None,
        "displayName": team.name,
        "members": members or None,
    }
    made = Group.model_validate({k: v for k, v in content.items() if v is not None})
    made.meta = meta("Group", row, row.created_at if row else None, content)
    return made
