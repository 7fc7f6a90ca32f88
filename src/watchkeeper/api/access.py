"""/api/access/explain, /api/access/who and /api/access/effect: may somebody do something, why, who may, and what a
draft of a policy would change."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.domains import access
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.problems import BadQuery

_ABOUT = {
    "action": "read, create, change, remove or an action that the kind declares",
    "kind": "the path of a kind of record, such as items; platform for pages that are no records",
    "record": "the id of one record; without it the question is about the kind",
}


class Reason(serializers.Serializer[Any]):
    """A rule that decided."""

    policy = serializers.CharField()
    rule = serializers.CharField()
    effect = serializers.CharField(help_text="permit or forbid; empty where no rule allows it")
    text = serializers.CharField()


class UsedGrant(serializers.Serializer[Any]):
    """A grant by which somebody has a role that a deciding rule names."""

    id = serializers.IntegerField(allow_null=True, help_text="null: by the user's own record")
    role = serializers.CharField()
    holder = serializers.CharField()
    where = serializers.CharField(help_text="empty: everywhere")
    reason = serializers.CharField()
    valid_from = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    approved_by = serializers.CharField()


class Explanation(serializers.Serializer[Any]):
    """Whether one user may."""

    user = serializers.CharField()
    name = serializers.CharField()
    allowed = serializers.BooleanField()
    partly = serializers.BooleanField(help_text="of a kind: for some of its records only")
    because = Reason(many=True)
    grants = UsedGrant(many=True)


class Answer(serializers.Serializer[Any]):
    """Everybody who may."""

    count = serializers.IntegerField()
    results = Explanation(many=True)


class Example(serializers.Serializer[Any]):
    """A record with which it changes."""

    id = serializers.CharField()
    name = serializers.CharField()


class EffectRow(serializers.Serializer[Any]):
    """An act on a kind of record that some would gain or lose."""

    kind = serializers.CharField()
    action = serializers.CharField()
    effect = serializers.ChoiceField(choices=("gained", "lost"))
    before = serializers.ChoiceField(
        choices=("none", "some", "all"), help_text="with which records of the kind"
    )
    after = serializers.ChoiceField(choices=("none", "some", "all"))
    people = serializers.ListField(child=serializers.CharField(), help_text="user names")
    roles = serializers.ListField(
        child=serializers.CharField(), help_text="whoever has this role and no other"
    )
    examples = Example(many=True)


class Effect(serializers.Serializer[Any]):
    """What is lost first."""

    count = serializers.IntegerField()
    results = EffectRow(many=True)


def _given(request: Request, *known: str) -> dict[str, str]:
    given: dict[str, str] = request.query_params.dict()
    for name in given:
        if name not in known:
            raise BadQuery(f"{name!r} is not known here; there are: {', '.join(known)}", name)
    return given


class _Asking(APIView):
    """Everybody may ask about themselves; the domain says who may ask more."""

    def asks(self, _: Request) -> tuple[()]:
        """Nothing more than to be known."""
        return ()


class Explain(_Asking):
    """May this user do that, and why or why not."""

    @extend_schema(
        parameters=[
            OpenApiParameter("user", str, description="a user name; without it, yourself"),
            *(OpenApiParameter(n, str, required=n != "record", description=d) for n, d in _ABOUT.items()),
        ],
        responses=Explanation,
    )
    def get(self, request: Request) -> Response:
        """The decision with the rules and grants that made it."""
        given, actor = _given(request, *_ABOUT, "user"), actor_of(request)
        answer = access.explain(actor, given.get("user", ""), access.asked(actor, given))
        return Response(Explanation(answer).data)


class Who(_Asking):
    """Who may do that, and by which grant."""

    @extend_schema(
        parameters=[
            OpenApiParameter(n, str, required=n != "record", description=d) for n, d in _ABOUT.items()
        ],
        responses=Answer,
    )
    def get(self, request: Request) -> Response:
        """Every active user who may."""
        actor = actor_of(request)
        found = access.who(actor, access.asked(actor, _given(request, *_ABOUT)))
        return Response(Answer({"count": len(found), "results": found}).data)


class DraftEffect(_Asking):
    """Whose rights a draft of a policy would change, if it were put into effect now."""

    @extend_schema(
        parameters=[OpenApiParameter("draft", int, required=True, description="the id of a policy draft")],
        responses=Effect,
    )
    def get(self, request: Request) -> Response:
        """By kind and action, with people, roles and records as examples."""
        found = access.effect(actor_of(request), _given(request, "draft").get("draft", ""))
        return Response(Effect({"count": len(found), "results": found}).data)
