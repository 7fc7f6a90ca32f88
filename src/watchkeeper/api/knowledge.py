"""What may help: articles while somebody types, and what suits a ticket; the timeline of what happened; a report as a
file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.domains.knowledge import suggesting
from watchkeeper.domains.knowledge.suggesting import Suggested
from watchkeeper.domains.problems import workarounds
from watchkeeper.domains.problems.documents import FORMS, of_report
from watchkeeper.domains.problems.timeline import timeline
from watchkeeper.domains.problems.writing import ABOUT
from watchkeeper.domains.runbooks.suggesting import runbooks_for
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import SignedIn, visible
from watchkeeper.kernel.problems import BadQuery, NotThere
from watchkeeper.kernel.resource import Resource, registry

_TEXT = 4000  # characters of what somebody types
_ITEMS = 50


class SuggestionSerializer(serializers.Serializer[Any]):
    """A record that may help, how well it suits from 0 to 1, and why."""

    kind = serializers.CharField()
    id = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField(
        help_text="of an article its beginning, of a ticket what solved it, of a problem the workaround"
    )
    score = serializers.FloatField()
    because = serializers.ListField(child=serializers.CharField())


class HelpSerializer(serializers.Serializer[Any]):
    """What may help with a ticket."""

    workarounds = SuggestionSerializer(many=True)
    articles = SuggestionSerializer(many=True)
    solved = SuggestionSerializer(many=True)
    runbooks = SuggestionSerializer(many=True)


class HappenedSerializer(serializers.Serializer[Any]):
    """Something that happened; `sort` is what told it: alert, situation, act, note or line."""

    at = serializers.DateTimeField()
    text = serializers.CharField()
    sort = serializers.CharField()
    by = serializers.CharField()
    url = serializers.CharField(help_text="of the console's page")


def _shown(kind: str, found: Iterable[Suggested], text: str) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind,
            "id": str(s.record.pk),
            "title": str(s.record),
            "text": str(getattr(s.record, text))[:500],
            "score": s.score,
            "because": list(s.because),
        }
        for s in found
    ]


def _one(actor: Actor, kind: str, key: str) -> tuple[Resource, Any]:
    resource = registry[kind]
    try:
        return resource, visible(actor, resource).get(pk=key)
    except (ObjectDoesNotExist, ValueError, OverflowError) as error:
        raise NotThere("there is no such record") from error


class OfKind(APIView):
    """Asked of a record of one kind, which one has to be allowed to read."""

    permission_classes = (SignedIn,)

    def asks(self, request: Request) -> tuple[tuple[str, Resource], ...]:  # noqa: ARG002
        """Reading the kind."""
        return (("read", registry[self.kwargs.get("kind", "articles")]),)


class ArticlesFor(OfKind):
    """Articles for what somebody types."""

    @extend_schema(
        responses=SuggestionSerializer(many=True),
        parameters=[
            OpenApiParameter("text", str, required=True, description="what was typed so far"),
            OpenApiParameter("item", str, many=True, description="ids of items that it is about"),
        ],
    )
    def get(self, request: Request) -> Response:
        """Published articles that the caller may read and that suit a text, the best first."""
        text, items = request.query_params.get("text", ""), request.query_params.getlist("item")
        if len(text) > _TEXT:
            raise BadQuery(f"text: at most {_TEXT} characters", "text")
        if len(items) > _ITEMS:
            raise BadQuery(f"item: at most {_ITEMS}", "item")
        found = suggesting.articles_for(actor_of(request), text.replace("\x00", ""), items)
        return Response(_shown("articles", found, "body"))


class HelpFor(OfKind):
    """What may help with a ticket."""

    def asks(self, request: Request) -> tuple[tuple[str, Resource], ...]:  # noqa: ARG002
        """Reading tickets."""
        return (("read", registry["tickets"]),)

    @extend_schema(responses=HelpSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Workarounds of known errors, articles, tickets that were solved before, and runbooks, each with its reasons."""
        actor = actor_of(request)
        _, ticket = _one(actor, "tickets", key)
        items = [str(pk) for pk in ticket.items.values_list("pk", flat=True)]
        articles = suggesting.articles_for(actor, suggesting.said(ticket), items)
        return Response(
            {
                "workarounds": _shown("problems", workarounds.for_ticket(actor, ticket), "workaround"),
                "articles": _shown("articles", articles, "body"),
                "solved": _shown("tickets", suggesting.solved_like(actor, ticket), "resolution"),
                "runbooks": _shown("runbooks", runbooks_for(actor, ticket), "description"),
            }
        )


class Happened(OfKind):
    """The timeline of a ticket, a problem or a situation."""

    @extend_schema(
        responses=HappenedSerializer(many=True),
        parameters=[OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=ABOUT)],
    )
    def get(self, request: Request, kind: str, key: str) -> Response:
        """What happened, the earliest first: alerts, changes of situations, what people did, notes and added lines."""
        found = timeline(actor_of(request), *_one(actor_of(request), kind, key))
        return Response(HappenedSerializer(found, many=True).data)


class ReportFile(OfKind):
    """A report as a file."""

    def asks(self, request: Request) -> tuple[tuple[str, Resource], ...]:  # noqa: ARG002
        """Reading reports."""
        return (("read", registry["post-incident-reports"]),)

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("form", str, OpenApiParameter.PATH, enum=FORMS)],
    )
    def get(self, request: Request, key: str, form: str) -> HttpResponse:
        """The report as Markdown, as a page of HTML, or as PDF."""
        _, report = _one(actor_of(request), "post-incident-reports", key)
        if form not in FORMS:
            raise NotThere(f"a report can be had as: {', '.join(FORMS)}")
        made = of_report(report, form)
        headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
        return HttpResponse(made.content, content_type=made.type, headers=headers)
