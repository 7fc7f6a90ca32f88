"""Grants, declared. One is made with a reason, and ended, never changed: what somebody was allowed, and when, stays
to be read. `give` is the one way to make one."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.access import safety, separating
from watchkeeper.domains.access.facts import ITEM, kind_of
from watchkeeper.domains.access.models import Grant
from watchkeeper.domains.access.standing import ADMINISTRATOR
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.permissions import belonging
from watchkeeper.kernel.problems import Forbidden
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer

_HOLDERS = ("user", "team", "everyone_else")


def known_attributes() -> set[str]:
    """What a role can be had for: attributes of some kind of record, and what items belong to."""
    return {*belonging, *(c.name for r in registry for c in kind_of(r).columns)} - {ITEM}


def checked_scope(data: dict[str, Any]) -> None:
    """One scope at most, and one that some kind of record knows. Raises ValidationError naming the field."""
    attribute, values = data.get("attribute", ""), data.get("values", [])
    given = [n for n in ("in_organisation", "in_team", "attribute") if data.get(n)]
    if len(given) > 1:
        raise serializers.ValidationError({given[1]: "an organisation, a team or an attribute: one of them"})
    if not attribute:
        if values:
            raise serializers.ValidationError({"attribute": "which attribute is one of these values?"})
        return
    known = sorted(known_attributes())
    if attribute not in known:
        raise serializers.ValidationError(
            {"attribute": f"no kind of record has it; there are: {', '.join(known)}"}
        )
    if not values:
        raise serializers.ValidationError({"values": f"which {attribute.replace('_', ' ')}?"})


class ScopedSerializer(RecordSerializer):
    """What grants and requests for them share."""

    reason = serializers.CharField(max_length=10_000, style={"base_template": "textarea.html"})
    values = serializers.ListField(
        child=serializers.CharField(max_length=255), default=list, max_length=100, label="Is one of",
        help_text="such as the names of sites, one a line",
    )  # fmt: skip
    user_name = serializers.CharField(source="user.username", read_only=True, default=None)
    role_name = serializers.CharField(source="role.name", read_only=True)
    in_organisation_name = serializers.CharField(source="in_organisation.name", read_only=True, default=None)
    in_team_name = serializers.CharField(source="in_team.name", read_only=True, default=None)


class GrantSerializer(ScopedSerializer):
    """For one holder, with a reason, for a time that is not over."""

    valid_from = serializers.DateTimeField(required=False, help_text="empty: from now")
    team_name = serializers.CharField(source="team.name", read_only=True, default=None)

    class Meta:
        model = Grant
        extra_kwargs = {
            "everyone_else": {"help_text": "whoever has no other grant"},
            "expires_at": {"help_text": "empty: until somebody ends it"},
        }
        fields = ("id", "role", "role_name", "user", "user_name", "team", "team_name", "everyone_else",
                  "in_organisation", "in_organisation_name", "in_team", "in_team_name", "attribute", "values",
                  "reason", "valid_from", "expires_at", "approved_by", "created_at")  # fmt: skip
        read_only_fields = ("id", "approved_by", "created_at")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        if sum(bool(data.get(h)) for h in _HOLDERS) != 1:
            raise serializers.ValidationError(
                {"user": "a user, a team, or everyone else: exactly one of them"}
            )
        checked_scope(data)
        if data["role"].name == ADMINISTRATOR and not data.get("user"):
            raise serializers.ValidationError({"user": "only a user can be granted the role administrator"})
        data["valid_from"] = data.get("valid_from") or timezone.now()
        ends = data.get("expires_at")
        if ends is not None and ends <= max(data["valid_from"], timezone.now()):
            raise serializers.ValidationError({"expires_at": "it would be over before it begins"})
        return data


def _make(actor: Actor, data: dict[str, Any]) -> Grant:
    """Whoever makes a grant approves it; the trail has both in one."""
    if data["role"].name == ADMINISTRATOR and actor.person is not None and not actor.person.is_administrator:
        raise Forbidden("create", "grants", ("Only an administrator makes administrators.",))
    return give(data, actor.name)


def give(data: dict[str, Any], approved_by: str) -> Grant:
    """Make a grant in the caller's transaction. Raises Refused when it brings together what is kept apart."""
    with transaction.atomic():
        made = Grant.objects.create(**data, approved_by=approved_by[:200])
        separating.refuse_grant(made)
    return made


def end(grant: Grant) -> None:
    """End it at this moment. Raises Refused when nobody could administer after it."""
    with transaction.atomic():
        now = timezone.now()
        grant.expires_at, grant.valid_from = now, min(grant.valid_from, now)
        grant.save(update_fields=["expires_at", "valid_from"])
        safety.assure()


def _end(_: Actor, grant: Grant, __: dict[str, Any]) -> Done:
    end(grant)
    return Done()


def _lives(grant: Grant) -> bool:
    return grant.expires_at is None or grant.expires_at > timezone.now()


registry.add(
    Resource(
        model=Grant,
        path="grants",
        name="grant",
        description="Who has which role, why, since when and until when; for all records, or for those of one "
        "organisation, team, site or other attribute.",
        fields=GrantSerializer.Meta.fields,
        columns=(
            Column("role__name", "Role", link=True),
            Column("holder", "For"),
            Column("where", "Only"),
            Column("reason"),
            Column("valid_from", "From", Show.TIME),
            Column("expires_at", "Until", Show.TIME),
        ),
        filters={
            "role": ["exact"],
            "user": ["exact", "isnull"],
            "team": ["exact", "isnull"],
            "everyone_else": ["exact"],
            "attribute": ["exact"],
            "valid_from": ["gte", "lt"],
            "expires_at": ["gte", "lt", "isnull"],
        },
        search=("role__name", "user__username", "team__name", "reason"),
        ordering=("-id",),
        orderable=("valid_from", "expires_at"),
        create_only=("role", "user", "team", "everyone_else", "in_organisation", "in_team", "attribute", "values",
                     "reason", "valid_from", "expires_at"),
        policy_attributes=("role__name", "user__username"),
        allow=frozenset({"create"}),
        serializer=GrantSerializer,
        prepare=lambda found: found.select_related("role", "user", "team", "in_organisation", "in_team"),
        create=_make,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
        actions=(
            Action("end", "End it now", _end, scope=Scope.ADMIN, offered=_lives,
                   confirm="It counts no more from this moment.", bulk=True),
        ),
    )
)  # fmt: skip
