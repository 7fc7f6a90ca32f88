"""Organisations, teams, roles and policies, declared; grants are in granting."""

from __future__ import annotations

from typing import Any

from django.db.models import ProtectedError
from rest_framework import serializers

from watchkeeper.domains.access import granting, safety  # noqa: F401  (granting declares)
from watchkeeper.domains.access.facts import Uid
from watchkeeper.domains.access.language import BadPolicy
from watchkeeper.domains.access.models import Organisation, Policy, Role, Team
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer


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
    members = data.pop("members", None)
    for name, value in data.items():
        setattr(record, name, value)
    record.save()
    if members is not None:
        record.members.set(members)
    return record


def _change_organisation(_: Actor, record: Organisation, data: dict[str, Any]) -> Organisation:
    _renamed("Organisation", record, data)
    above = data.get("parent")
    while above is not None:
        if above.pk == record.pk:
            raise Invalid(f"parent: {record.name} cannot be a part of itself or of its parts")
        above = above.parent
    _assign(record, data)
    safety.assure()
    return record


class OrganisationSerializer(RecordSerializer):
    """What it is part of, with its name."""

    parent_name = serializers.CharField(source="parent.name", read_only=True, default=None)

    class Meta:
        model = Organisation
        fields = ("id", "name", "kind", "parent", "parent_name")


registry.add(
    Resource(
        model=Organisation,
        path="organisations",
        name="organisation",
        description="Parts of the enterprise, customers, partners and auditors.",
        fields=OrganisationSerializer.Meta.fields,
        serializer=OrganisationSerializer,
        columns=(
            Column("name", link=True),
            Column("kind", show=Show.STATE),
            Column("parent__name", "Part of"),
        ),
        filters={"name": ["exact", "icontains"], "kind": ["exact"], "parent": ["exact", "isnull"]},
        search=("name",),
        ordering=("name",),
        writable=("name", "kind", "parent"),
        allow=frozenset({"create", "change", "remove"}),
        prepare=lambda found: found.select_related("parent"),
        change=_change_organisation,
        remove=_removed("Organisation"),
        write_scope=Scope.ADMIN,
        policy_attributes=("name", "kind"),
        related={"teams": lambda o: o.teams.all()},
    )
)


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
        fields = ("id", "name", "organisation", "organisation_name", "members")


registry.add(
    Resource(
        model=Team,
        path="teams",
        name="team",
        description="People who work together. What is granted to a team is granted to each of its members.",
        fields=TeamSerializer.Meta.fields,
        serializer=TeamSerializer,
        columns=(Column("name", link=True), Column("organisation__name", "Organisation")),
        filters={"name": ["exact", "icontains"], "organisation": ["exact"], "members": ["exact"]},
        search=("name",),
        ordering=("name",),
        writable=("name", "organisation", "members"),
        allow=frozenset({"create", "change", "remove"}),
        prepare=lambda found: found.select_related("organisation").prefetch_related("members"),
        change=_change_team,
        remove=_removed("Team"),
        write_scope=Scope.ADMIN,
        policy_attributes=("name", "organisation__name"),
    )
)


class RoleSerializer(RecordSerializer):
    """Its home page is an address of the console."""

    class Meta:
        model = Role
        fields = ("id", "name", "purpose", "home_page")

    def validate_home_page(self, value: str) -> str:
        """Raises ValidationError for an address that leads elsewhere."""
        if not value.startswith("/") or value.startswith(("//", "/\\")):
            raise serializers.ValidationError("an address of this console, such as /situations/")
        return value


registry.add(
    Resource(
        model=Role,
        path="roles",
        name="role",
        description="What people do for the organisation. Policies say what a role may do, grants who has it.",
        fields=RoleSerializer.Meta.fields,
        columns=(Column("name", link=True), Column("purpose", "What it is for"), Column("home_page")),
        filters={"name": ["exact", "icontains"]},
        search=("name", "purpose"),
        ordering=("name",),
        writable=("purpose", "home_page"),
        create_only=("name",),
        allow=frozenset({"create", "change"}),
        serializer=RoleSerializer,
        write_scope=Scope.ADMIN,
        related={"grants": lambda role: role.grants.all()},
    )
)


class PolicySerializer(RecordSerializer):
    """A text that cannot be used is refused with the reason."""

    text = serializers.CharField(
        max_length=200_000,
        trim_whitespace=False,
        style={"base_template": "textarea.html", "rows": 24},
        help_text="rules in Cedar; see docs/how-to/access.md",
    )

    class Meta:
        model = Policy
        fields = ("id", "name", "enabled", "text", "version")
        read_only_fields = ("id", "version")

    def validate_text(self, value: str) -> str:
        """Raises ValidationError naming the line or rule. Browsers send lines that end in two characters."""
        text = value.replace("\r\n", "\n")
        try:
            safety.check(text)
        except BadPolicy as error:
            raise serializers.ValidationError(str(error)) from error
        return text


def _make_policy(_: Actor, data: dict[str, Any]) -> Policy:
    made = Policy.objects.create(**data)
    safety.assure()
    return made


def _change_policy(_: Actor, record: Policy, data: dict[str, Any]) -> Policy:
    record.version += 1
    _assign(record, data)
    safety.assure()
    return record


def _remove_policy(_: Actor, record: Policy) -> None:
    record.delete()
    safety.assure()


registry.add(
    Resource(
        model=Policy,
        path="policies",
        name="policy",
        description="Rules that say who may do what, written in Cedar. What is not allowed by a rule is denied.",
        fields=PolicySerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("enabled", "On", Show.YES),
            Column("version", show=Show.COUNT),
        ),
        filters={"name": ["exact", "icontains"], "enabled": ["exact"]},
        search=("name", "text"),
        ordering=("name",),
        writable=("name", "enabled", "text"),
        allow=frozenset({"create", "change", "remove"}),
        serializer=PolicySerializer,
        create=_make_policy,
        change=_change_policy,
        remove=_remove_policy,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)
