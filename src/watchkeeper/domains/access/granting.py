"""Grants, declared. One is made with a reason, and ended, never changed: what somebody was allowed, and when, stays
to be read."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.access import safety
from watchkeeper.domains.access.models import Grant
from watchkeeper.domains.access.standing import ADMINISTRATOR
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.problems import Forbidden
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer

_HOLDERS = ("user", "team", "everyone_else")


class GrantSerializer(RecordSerializer):
    """For one holder, with a reason, for a time that is not over."""

    reason = serializers.CharField(max_length=10_000, style={"base_template": "textarea.html"})
    valid_from = serializers.DateTimeField(required=False, help_text="empty: from now")
    user_name = serializers.CharField(source="user.username", read_only=True, default=None)
    role_name = serializers.CharField(source="role.name", read_only=True)
    team_name = serializers.CharField(source="team.name", read_only=True, default=None)
    in_organisation_name = serializers.CharField(source="in_organisation.name", read_only=True, default=None)
    in_team_name = serializers.CharField(source="in_team.name", read_only=True, default=None)

    class Meta:
        model = Grant
        extra_kwargs = {
            "everyone_else": {"help_text": "whoever has no other grant"},
            "in_organisation": {"help_text": "only for its records and those of its parts; empty: for all"},
            "in_team": {"help_text": "only for its records; empty: for all"},
            "expires_at": {"help_text": "empty: until somebody ends it"},
        }
        fields = ("id", "role", "role_name", "user", "user_name", "team", "team_name", "everyone_else",
                  "in_organisation", "in_organisation_name", "in_team", "in_team_name", "reason", "valid_from",
                  "expires_at", "approved_by", "created_at")  # fmt: skip
        read_only_fields = ("id", "approved_by", "created_at")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        if sum(bool(data.get(h)) for h in _HOLDERS) != 1:
            raise serializers.ValidationError(
                {"user": "a user, a team, or everyone else: exactly one of them"}
            )
        if data.get("in_organisation") and data.get("in_team"):
            raise serializers.ValidationError({"in_team": "an organisation or a team, not both"})
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
    return Grant.objects.create(**data, approved_by=actor.name[:200])


def _end(_: Actor, grant: Grant, __: dict[str, Any]) -> Done:
    with transaction.atomic():
        now = timezone.now()
        grant.expires_at, grant.valid_from = now, min(grant.valid_from, now)
        grant.save(update_fields=["expires_at", "valid_from"])
        safety.assure()
    return Done()


def _lives(grant: Grant) -> bool:
    return grant.expires_at is None or grant.expires_at > timezone.now()


registry.add(
    Resource(
        model=Grant,
        path="grants",
        name="grant",
        description="Who has which role, why, since when and until when; for all records, or for those of one "
        "organisation or team.",
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
            "valid_from": ["gte", "lt"],
            "expires_at": ["gte", "lt", "isnull"],
        },
        search=("role__name", "user__username", "team__name", "reason"),
        ordering=("-id",),
        orderable=("valid_from", "expires_at"),
        create_only=("role", "user", "team", "everyone_else", "in_organisation", "in_team", "reason", "valid_from",
                     "expires_at"),
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
