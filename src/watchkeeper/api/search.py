"""/api/search/: one ranked list over every kind of record."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.domains import search
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.problems import BadQuery
from watchkeeper.kernel.resource import registry

MOST = 100


class Hit(serializers.Serializer[Any]):
    """A record that matches, and where."""

    kind = serializers.CharField(help_text="path of the kind")
    name = serializers.CharField(help_text="of the kind, as people say it")
    id = serializers.CharField()
    title = serializers.CharField()
    field = serializers.CharField(help_text="the field that matches best")
    text = serializers.CharField(help_text="what it says, long ones around the match")
    marks = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        help_text="where the words are in the text: beginning and end of each",
    )
    match = serializers.ChoiceField(["exact", "begins", "words", "within"], help_text="how well, best first")
    api = serializers.CharField()
    url = serializers.CharField()


class Kind(serializers.Serializer[Any]):
    """How many records of a kind match."""

    kind = serializers.CharField()
    name = serializers.CharField()
    count = serializers.IntegerField()
    more = serializers.BooleanField(help_text="there are more than were counted")
    api = serializers.CharField(help_text="its list, searched for the same words")


class SearchAnswer(serializers.Serializer[Any]):
    """The best matches, and the counts of their kinds."""

    query = serializers.CharField()
    results = Hit(many=True)
    kinds = Kind(many=True)
    cut_off = serializers.BooleanField(help_text="it took too long, and there may be others")


class Search(APIView):
    """The records of every kind that match these words, as far as you may read them: exact before beginning before
    whole words before the rest."""

    def asks(self, _: Request) -> tuple[()]:
        """Each kind is asked about by the search itself."""
        return ()

    @extend_schema(
        parameters=[
            OpenApiParameter("q", str, required=True, description="words, each of which has to occur"),
            OpenApiParameter("kind", str, description="path of a kind, or several with commas between"),
            OpenApiParameter("limit", int, description=f"how many, at most {MOST}; 20 by default"),
        ],
        responses=SearchAnswer,
    )
    def get(self, request: Request) -> Response:
        """The ranked list."""
        given: dict[str, str] = request.query_params.dict()
        for name in given:
            if name not in ("q", "kind", "limit"):
                raise BadQuery(f"{name!r} is not known here; there are: q, kind, limit", name)
        words = given.get("q", "").strip()
        if not words:
            raise BadQuery("say what to look for", "q")
        found = search.find(actor_of(request), words, kinds=_kinds(given), limit=_limit(given))
        return Response(SearchAnswer(_told(words, found)).data)


def _kinds(given: dict[str, str]) -> list[str]:
    paths = [p for p in given.get("kind", "").split(",") if p]
    known = {r.path for r in registry if r.search}
    for path in paths:
        if path not in known:
            raise BadQuery(f"{path!r} is no kind that can be searched", "kind")
    return paths


def _limit(given: dict[str, str]) -> int:
    text = given.get("limit", "20")
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MOST):
        raise BadQuery(f"limit={text!r} is not a whole number from 1 to {MOST}", "limit")
    return int(text)


def _told(words: str, found: search.Found) -> dict[str, Any]:
    results = [
        {
            "kind": h.resource.path,
            "name": h.resource.name,
            "id": str(h.record.pk),
            "title": h.title,
            "field": h.field,
            "text": h.text,
            "marks": h.marks,
            "match": h.match.name.lower(),
            "api": f"/api{h.url}",
            "url": h.url,
        }
        for h in found.hits
    ]
    kinds = [
        {
            "kind": c.resource.path,
            "name": c.resource.name,
            "count": c.count,
            "more": c.more,
            "api": f"/api/{c.resource.path}/?search={quote(words)}",
        }
        for c in found.counts
    ]
    return {"query": words, "results": results, "kinds": kinds, "cut_off": found.cut_off}
