"""Separation rules and exceptions from them, declared."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.access.models import SeparationException, SeparationRule
from watchkeeper.domains.access.separating import excepted
from watchkeeper.kernel.acting import Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.rest import RecordSerializer


class SeparationRuleSerializer(RecordSerializer):
    """A rule needs at least two roles."""

    why = serializers.CharField(max_length=2000, help_text="what could happen if somebody had both")

    class Meta:
        model = SeparationRule
        fields = ("id", "name", "why", "roles", "same_scope", "enabled")

    def validate_roles(self, value: list[Any]) -> list[Any]:
        """Raises ValidationError."""
        if len(set(value)) < 2:
            raise serializers.ValidationError("two roles at least")
        return value


class ExceptionSerializer(RecordSerializer):
    """For a reason and for a time."""

    class Meta:
        model = SeparationException
        fields = ("id", "rule", "user", "reason", "expires_at", "approved_by")
        read_only_fields = ("id", "approved_by")

    def validate_expires_at(self, value: Any) -> Any:
        """Raises ValidationError."""
        if value <= timezone.now():
            raise serializers.ValidationError("that is over already")
        return value


plain(
    SeparationRule, "separation rule", "separation-rules", "name why same_scope enabled",
    fields=SeparationRuleSerializer.Meta.fields,
    serializer=SeparationRuleSerializer,
    read_scope=Scope.ADMIN,
    write_scope=Scope.ADMIN,
    related={
        "access-findings": lambda rule: rule.findings.filter(state="open"),
        "separation-exceptions": lambda rule: rule.exceptions.all(),
    },
)  # fmt: skip

plain(
    SeparationException, "separation exception", "separation-exceptions", "user rule reason expires_at approved_by",
    fields=ExceptionSerializer.Meta.fields,
    serializer=ExceptionSerializer,
    search=("user__username", "rule__name", "reason"),
    ordering=("-id",),
    orderable=("expires_at",),
    writable=(),
    create_only=("rule", "user", "reason", "expires_at"),
    allow=frozenset({"create", "remove"}),
    create=lambda actor, data: excepted(actor, **data),
    read_scope=Scope.ADMIN,
    write_scope=Scope.ADMIN,
)  # fmt: skip
