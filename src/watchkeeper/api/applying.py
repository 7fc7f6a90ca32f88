"""/api/apply/: records as YAML documents declare them, for pipelines that have no shell on the host."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.api.records.bodies import unknown, validate
from watchkeeper.domains import federation
from watchkeeper.domains.configuration import applying
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import SignedIn
from watchkeeper.kernel.resource import Resource
from watchkeeper.model.errors import Malformed


class Declared(serializers.Serializer[Any]):
    """What shall be applied."""

    set = serializers.CharField(max_length=100, help_text="the set that the files are")
    files = serializers.DictField(
        child=serializers.CharField(trim_whitespace=False, allow_blank=True),
        help_text="YAML documents by the name of their file",
    )
    dry_run = serializers.BooleanField(default=False, help_text="only say what would be done")
    prune = serializers.BooleanField(
        default=False, help_text="remove what the set made and does not declare any more"
    )
    take_over = serializers.BooleanField(default=False, help_text="also records that another set manages")


class ByHand(serializers.Serializer[Any]):
    """Who changed the record since it was applied."""

    actor = serializers.CharField()
    at = serializers.DateTimeField()


class Changed(serializers.Serializer[Any]):
    """What is done with one record; `values` are before and after by field."""

    act = serializers.ChoiceField(choices=("create", "change", "unchanged", "remove", "release"))
    kind = serializers.CharField()
    key = serializers.CharField(help_text="the record's id; in a dry run, of no use for a new one")
    title = serializers.CharField()
    file = serializers.CharField()
    document = serializers.IntegerField()
    values = serializers.DictField(child=serializers.ListField(child=serializers.JSONField()))
    by_hand = ByHand(allow_null=True)


class Applied(serializers.Serializer[Any]):
    """What was done, or in a dry run would be."""

    applied = serializers.BooleanField()
    differs = serializers.BooleanField(help_text="whether the records were not as declared")
    changes = Changed(many=True)
    undeclared = serializers.ListField(
        child=serializers.CharField(), help_text="of the set, and declared no more"
    )
    shown_once = serializers.DictField(help_text="secrets of new records, by their titles")


class Apply(APIView):
    """What may be applied is asked for each record."""

    permission_classes = (SignedIn,)

    def asks(self, _: Request) -> tuple[tuple[str, Resource], ...]:
        """Nothing before the documents are read."""
        return ()

    @extend_schema(operation_id="apply", request=Declared, responses=Applied)
    def post(self, request: Request) -> Response:
        """All or nothing; errors name file, document, line and field."""
        given = Declared(data=request.data)
        validate(given, unknown(given, request.data))
        data = given.validated_data
        if not data["dry_run"]:  # of whatever kinds they are, and what is pruned
            federation.require_confirmed(request)
        files = {name: text.encode() for name, text in data["files"].items()}
        asked = applying.Asked(files, data["set"], data["dry_run"], data["prune"], data["take_over"])
        done = applying.apply(asked, actor_of(request), _not_here)
        return Response(
            {
                "applied": not asked.dry_run,
                "differs": done.differs,
                "changes": [_shown(c) for c in done.changes],
                "undeclared": done.undeclared,
                "shown_once": done.once,
            }
        )


def _not_here(way: str, word: str) -> str:
    """The server's own variables and files are nobody's to read. Raises Malformed."""
    raise Malformed(
        f"{way}: {word} is fetched by `watchkeeper apply`; put the value in before you send it here"
    )


def _shown(change: applying.Change) -> dict[str, Any]:
    hand = change.by_hand
    return {
        "act": change.act, "kind": change.kind, "key": change.key, "title": change.title, "file": change.file,
        "document": change.document, "values": change.values,
        "by_hand": {"actor": hand[0], "at": hand[1]} if hand else None,
    }  # fmt: skip
