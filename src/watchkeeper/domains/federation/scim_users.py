"""People as SCIM users. Whom the directory removes is switched off and no longer seen there; the record stays, for
the audit trail and for what refers to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from scim2_models import InvalidValueException, UniquenessException

from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Team
from watchkeeper.domains.federation.models import Provisioned
from watchkeeper.domains.federation.scim_records import meta, row_of, save
from watchkeeper.domains.federation.scim_schema import User
from watchkeeper.domains.identity.models import AccountKind
from watchkeeper.domains.identity.models import User as Person
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor


class Users:
    """For one actor."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    def found(self, narrowed: dict[str, str]) -> Iterator[User]:
        """Everybody, or those whose `pk`, `username`, `name` or `external_id` is this; in three queries."""
        people = Person.objects.filter(kind=AccountKind.PERSON).order_by("pk")
        rows = {r.user_id: r for r in Provisioned.objects.filter(user__isnull=False)}
        if pk := narrowed.get("pk"):
            people = people.filter(pk=pk) if pk.isdecimal() else people.none()
        if name := narrowed.get("username"):
            people = people.filter(username__iexact=name)
        if external := narrowed.get("external_id"):
            people = people.filter(pk__in=[pk for pk, r in rows.items() if r.external_id == external])
        people = people.exclude(pk__in=[pk for pk, r in rows.items() if r.gone_at])
        teams = defaultdict(list)
        through = Team.members.through.objects.filter(user__in=people).order_by("team_id")
        for user, team, called in through.values_list("user_id", "team_id", "team__name"):
            teams[user].append({"value": str(team), "$ref": f"Groups/{team}", "display": called})
        for person in people:
            yield _shown(person, rows.get(person.pk), teams[person.pk])

    def make(self, said: User) -> str:
        """The id of a new user, or of one whom the directory had removed. Raises UniquenessException."""
        name = _name(said)
        known = Person.objects.filter(username__iexact=name).first()
        if known is not None and (known.is_service or row_of(user=known).gone_at is None):
            raise UniquenessException(detail=f"There is a user {name} already")
        person = known or Person.objects.create_user(name)
        before = audit.state_of(person) if known else None
        self._say(person, said)
        act = "user.change" if known else "user.create"
        audit.record(self._actor, act, person, before=before, after=audit.state_of(person))
        return str(person.pk)

    def change(self, key: str, said: User) -> None:
        """Raises UniquenessException, or Refused for the last administrator."""
        person = Person.objects.select_for_update().get(pk=key)
        before, name = audit.state_of(person), _name(said)
        if Person.objects.filter(username__iexact=name).exclude(pk=person.pk).exists():
            raise UniquenessException(detail=f"There is a user {name} already")
        person.username = name
        self._say(person, said)
        audit.record(self._actor, "user.change", person, before=before, after=audit.state_of(person))

    def remove(self, key: str) -> None:
        """Switched off, and not seen any more. Raises Refused for the last administrator."""
        person = Person.objects.select_for_update().get(pk=key)
        before = audit.state_of(person)
        row = row_of(user=person)
        save(row, row.external_id)
        Provisioned.objects.filter(pk=row.pk).update(gone_at=timezone.now())
        self._switch_off(person)
        audit.record(self._actor, "user.change", person, before=before, after=audit.state_of(person))

    def _say(self, person: Person, said: User) -> None:
        """What the directory says, into the records."""
        emails = [e for e in said.emails or [] if e.value]
        first = next((e for e in emails if e.primary), emails[0] if emails else None)
        person.name = (said.display_name or "")[:150]
        person.email = str(first.value)[:254] if first else ""
        person.is_active = said.active is not False
        person.save()
        kept = said.model_dump(exclude_none=True)
        document = {k: kept[k] for k in ("name", "emails") if k in kept}
        save(row_of(user=person), said.external_id, {**document, "active": said.active})
        if not person.is_active:
            self._switch_off(person)

    @staticmethod
    def _switch_off(person: Person) -> None:
        if person.is_administrator:
            identity.switch_off(person)
        else:
            person.is_active = False
            person.save(update_fields=["is_active"])
            identity.end_access(person)


def _name(said: User) -> str:
    name = Person.normalize_username((said.user_name or "").strip())
    try:
        Person.username_validator(name)
    except ValidationError as error:
        raise InvalidValueException(detail=f"userName: {' '.join(error.messages)}") from error
    if len(name) > 150:
        raise InvalidValueException(detail="userName: it is longer than 150 characters")
    return name


def _shown(person: Person, row: Provisioned | None, teams: list[dict[str, Any]]) -> User:
    document = dict(row.document) if row else {}
    emails = document.get("emails", [])
    if person.email and person.email not in [e.get("value") for e in emails]:
        emails = [{"value": person.email, "primary": True}]  # somebody has changed it here
    active = (
        document.get("active")
        if person.is_active and document.get("active") is None and row
        else person.is_active
    )
    content = {
        "schemas": [str(User.__schema__)],
        "id": str(person.pk),
        "externalId": (row.external_id if row else "") or None,
        "userName": person.username,
        "displayName": person.name or None,
        "name": document.get("name"),
        "emails": emails or None,
        "active": active,
        "groups": teams or None,
    }
    made = User.model_validate({k: v for k, v in content.items() if v is not None})
    made.meta = meta("User", row, person.created_at, content)
    return made
