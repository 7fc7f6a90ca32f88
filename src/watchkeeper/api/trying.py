"""/api/event-rules/try: of how many of the last events a rule would have fired, before it is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.api.records.bodies import unknown, validate
from watchkeeper.domains.automation import trying
from watchkeeper.domains.automation.conditions import LENGTH
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import Resource, registry


class DraftedRule(serializers.Serializer[Any]):
    """What of a rule chooses events."""

    kinds = serializers.ListField(child=serializers.CharField(max_length=64), min_length=1, max_length=20)
    acts = serializers.ListField(child=serializers.CharField(max_length=64), default=list)
    condition = serializers.CharField(max_length=LENGTH, allow_blank=True, default="")
    last = serializers.IntegerField(
        min_value=1, max_value=1000, default=trying.LAST, help_text="so many events"
    )

    def validate_kinds(self, kinds: list[str]) -> list[str]:
        """Raises ValidationError."""
        known = {r.path for r in registry}
        if wrong := [k for k in kinds if k not in known]:
            raise serializers.ValidationError(f"there is no kind {wrong[0]!r}")
        return kinds


class TriedExample(serializers.Serializer[Any]):
    """An event that it would have fired for."""

    id = serializers.CharField()
    at = serializers.CharField()
    kind = serializers.CharField()
    act = serializers.CharField()
    key = serializers.CharField()
    name = serializers.CharField()
    actor = serializers.CharField()


class Undecided(serializers.Serializer[Any]):
    """Why the condition was neither true nor false, and how often."""

    reason = serializers.CharField()
    events = serializers.IntegerField()


class TriedOut(serializers.Serializer[Any]):
    """`matched` of `looked_at` events, newest first."""

    looked_at = serializers.IntegerField()
    matched = serializers.IntegerField()
    undecided = serializers.IntegerField()
    examples = TriedExample(many=True)
    reasons = Undecided(many=True)


def tried(request: Request, drafted: type[serializers.Serializer[Any]], try_out: Callable[..., Any]) -> Any:
    """What `try_out(actor, …)` makes of a draft, whose condition is refused by its name. Raises ValidationError."""
    given = drafted(data=request.data)
    validate(given, unknown(given, request.data))
    try:
        return try_out(actor_of(request), **given.validated_data)
    except Invalid as error:
        raise serializers.ValidationError({"condition": error.detail}) from error


class Try(APIView):
    """Whoever may make rules may try them."""

    def asks(self, _: Request) -> tuple[tuple[str, Resource]]:
        """To make event rules."""
        return (("create", registry["event-rules"]),)

    @extend_schema(request=DraftedRule, responses=TriedOut)
    def post(self, request: Request) -> Response:
        """Nothing is saved and nothing is sent."""
        return Response(trying.as_json(tried(request, DraftedRule, trying.try_out)))
