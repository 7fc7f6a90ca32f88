"""/api/rule-groups/import/: a rule file of Prometheus becomes rule groups, all of it or nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.api.records.bodies import unknown, validate
from watchkeeper.domains.alerting import import_file
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.resource import Resource, registry


class RuleFile(serializers.Serializer[Any]):
    """A file."""

    file = serializers.CharField(
        max_length=300, help_text="its name; the groups that it brought before are replaced"
    )
    text = serializers.CharField(
        max_length=2_000_000, trim_whitespace=False, help_text="its content, YAML: groups, each with rules"
    )


class ImportedGroups(serializers.Serializer[Any]):
    """Names of groups by what was done with them, and what is odd in the file."""

    created = serializers.ListField(child=serializers.CharField())
    changed = serializers.ListField(child=serializers.CharField())
    removed = serializers.ListField(child=serializers.CharField())
    same = serializers.ListField(child=serializers.CharField())
    odd = serializers.ListField(child=serializers.CharField())


class Import(APIView):
    """Whoever may make, change and remove groups may import them."""

    def asks(self, _: Request) -> tuple[tuple[str, Resource], ...]:
        """To make groups."""
        return (("create", registry["rule-groups"]),)

    @extend_schema(request=RuleFile, responses=ImportedGroups)
    def post(self, request: Request) -> Response:
        """What is wrong is said with its line, and nothing is changed."""
        given = RuleFile(data=request.data)
        validate(given, unknown(given, request.data))
        data = given.validated_data
        return Response(asdict(import_file(actor_of(request), data["file"], data["text"])))
