"""Organisations, teams and roles, declared; what else there is to declare is in the modules named first."""

from __future__ import annotations

from typing import Any

from django.db.models import ProtectedError
from rest_framework import serializers

from watchkeeper.domains.access import (  # noqa: F401  (they declare)
    campaigns,
    emergencies,
    findings,
    granting,
    policies,
    proving,
    requesting,
    safety,
    separations,
)
from watchkeeper.domains.access.facts import Uid
from watchkeeper.domains.access.models import Approvers, Organisation, Role, Team
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.rest import Choice, RecordSerializer


def _removed(kind: str) -> Any:
    """Removal of a group that nothing needs any more. Raises Refused naming what does."""

    def remove(_: Actor, record: Any) -> None:
        safety.unnamed(Uid(kind, record.name))
        try:
            record.delete()
        except ProtectedError as error:
            needed = ", ".join(sorted({str(o) for o in error.protected_objects})[:3])
            raise Refused(f"{record} is still needed by {needed}") from error
        safety.assure()

    return remove


def _renamed(kind: str, record: Any, data: dict[str, Any]) -> None:
    if data.get("name", record.name) != record.name:
        safety.unnamed(Uid(kind, record.name))


def _assign(record: Any, data: dict[str, Any]) -> Any:
    for name, value in data.items():
        if name not in ("members", "owners"):
            setattr(record, name, value)
    record.save()
    for name in ("members", "owners"):
        if name in data:
            getattr(record, name).set(data[name])
    return record


def _change_organisation(_: Actor, record: Organisation, data: dict[str, Any]) -> Organisation:
    _renamed("Organisation", record, data)
    above = data.get("parent")
    while above is not None:
        if above.pk == record.pk:
            raise Invalid(f"{record.name} cannot be a part of itself or of its parts", "parent")
        above = above.parent
    _assign(record, data)
    safety.assure()
    return record


class OrganisationSerializer(RecordSerializer):
    """What it is part of, with its name."""

    parent_name = serializers.CharField(source="parent.name", read_only=True, default=None)

    class Meta:
        model = Organisation
        fields = ("id", "name", "kind", "parent", "parent_name", "owners")


plain(
    Organisation, "organisation", "organisations", "name kind parent:Part_of",
    description="Parts of the enterprise, customers, partners and auditors.",
    fields=OrganisationSerializer.Meta.fields,
    serializer=OrganisationSerializer,
    orderable=(),
    change=_change_organisation,
    remove=_removed("Organisation"),
    write_scope=Scope.ADMIN,
    policy_attributes=("name", "kind"),
    related={"teams": lambda o: o.teams.all()},
)  # fmt: skip


def _change_team(_: Actor, record: Team, data: dict[str, Any]) -> Team:
    _renamed("Team", record, data)
    _assign(record, data)
    safety.assure()
    return record


class TeamSerializer(RecordSerializer):
    """Its organisation with its name."""

    organisation_name = serializers.CharField(source="organisation.name", read_only=True, default=None)

    class Meta:
        model = Team
        fields = ("id", "name", "organisation", "organisation_name", "members", "owners")


plain(
    Team, "team", "teams", "name organisation",
    description="People who work together. What is granted to a team is granted to each of its members.",
    fields=TeamSerializer.Meta.fields,
    serializer=TeamSerializer,
    orderable=(),
    change=_change_team,
    remove=_removed("Team"),
    write_scope=Scope.ADMIN,
    policy_attributes=("name", "organisation__name"),
)  # fmt: skip


class RoleSerializer(RecordSerializer):
    """Its home page is an address of the console."""

    approvers = serializers.ListField(
        child=Choice(choices=Approvers.choices), default=list, max_length=3, label="Who approves",
        help_text="who is asked when the role is asked for; administrators, where these are too few",
    )  # fmt: skip
    approvals_needed = serializers.IntegerField(min_value=1, max_value=20, default=1)

    class Meta:
        model = Role
        fields = ("id", "name", "purpose", "home_page", "owners", "requestable", "approvers", "approvals_needed",
                  "longest_days", "emergency_minutes")  # fmt: skip

    def validate_home_page(self, value: str) -> str:
        """Raises ValidationError for an address that leads elsewhere."""
        if not value.startswith("/") or value.startswith(("//", "/\\")):
            raise serializers.ValidationError("an address of this console, such as /situations/")
        return value


plain(
    Role, "role", "roles", "name purpose:What_it_is_for requestable emergency_minutes",
    description="What people do for the organisation. Policies say what a role may do, grants who has it.",
    fields=RoleSerializer.Meta.fields,
    serializer=RoleSerializer,
    filters={"name": ["exact", "icontains"], "owners": ["exact"], "requestable": ["exact"]},
    search=("name", "purpose"),
    orderable=(),
    writable=RoleSerializer.Meta.fields[2:],
    create_only=("name",),
    allow=frozenset({"create", "change"}),
    write_scope=Scope.ADMIN,
    related={"grants": lambda role: role.grants.all()},
)  # fmt: skip
