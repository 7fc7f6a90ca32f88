"""/api/logs/: the lines that match a query, when they were, what they have in common, and those that arrive."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from watchkeeper.api import log_files
from watchkeeper.api.graph import known
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import SignedIn, may
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.problems import BadQuery, NotThere
from watchkeeper.telemetry import following
from watchkeeper.telemetry.queries import log_groups, log_values, logs
from watchkeeper.telemetry.queries.log_language import parse

MOST = 10_000
MOST_BARS = 500
MOST_TOP = 100
_HOUR_MS = 3_600_000
_QUERY = OpenApiParameter("q", str, description="the query; empty: every line")
_FROM = OpenApiParameter(
    "from", int, description="Unix milliseconds; an hour before `to` unless said otherwise"
)
_TO = OpenApiParameter("to", int, description="Unix milliseconds, not included; now unless said otherwise")
_TIME = ("q", "from", "to")


class LineSerializer(serializers.Serializer[Any]):
    """One line."""

    id = serializers.CharField(
        source="place", help_text="its time in nanoseconds and its position; `before` takes it"
    )
    time = serializers.DateTimeField()
    level = serializers.CharField(help_text="the severity as a word")
    severity = serializers.IntegerField(help_text="OpenTelemetry's number, 0 when it is not known")
    host = serializers.CharField()
    service = serializers.CharField()
    source = serializers.CharField()
    body = serializers.CharField()
    template = serializers.CharField(source="template_id")
    trace = serializers.CharField(source="trace_id")
    span = serializers.CharField(source="span_id")
    door = serializers.CharField()
    labels = serializers.DictField(child=serializers.CharField())


class FoundSerializer(serializers.Serializer[Any]):
    """The newest lines that match."""

    results = LineSerializer(many=True)
    before = serializers.CharField(help_text="give it as `before` for older lines; empty: there are none")


class BarSerializer(serializers.Serializer[Any]):
    """Lines of one stretch of time, counted exactly."""

    time = serializers.DateTimeField()
    count = serializers.IntegerField()
    severities = serializers.DictField(child=serializers.IntegerField())


class ValueSerializer(serializers.Serializer[Any]):
    """A value of a field, and how many lines have it."""

    value = serializers.CharField()
    count = serializers.IntegerField()


class FacetsSerializer(serializers.Serializer[Any]):
    """The most frequent values of each field."""

    severity = ValueSerializer(many=True)
    host = ValueSerializer(many=True)
    service = ValueSerializer(many=True)
    source = ValueSerializer(many=True)


class PatternSerializer(serializers.Serializer[Any]):
    """A template of messages, and how many lines have it, in all and over time."""

    template = serializers.CharField(source="id")
    text = serializers.CharField()
    count = serializers.IntegerField()
    course = serializers.ListField(child=serializers.IntegerField())


class SpreadSerializer(serializers.Serializer[Any]):
    """How the numbers of a place are spread."""

    least = serializers.FloatField()
    median = serializers.FloatField()
    p95 = serializers.FloatField()
    p99 = serializers.FloatField()
    most = serializers.FloatField()


class PlaceSerializer(serializers.Serializer[Any]):
    """One <*> of a template."""

    number = serializers.IntegerField(help_text="which <*> of the wording, from 1")
    before = serializers.CharField(help_text="the words in front of it")
    unit = serializers.CharField(help_text="that follows it; empty: none does")
    kind = serializers.CharField(
        help_text="number, address, duration, size, time, id, url, path, host, user or word"
    )
    lines = serializers.IntegerField()
    distinct = serializers.IntegerField(help_text="different values, about")
    top = ValueSerializer(many=True)
    spread = SpreadSerializer(allow_null=True)


class TemplateValuesSerializer(serializers.Serializer[Any]):
    """A template and the values of its newest lines, at most 50,000."""

    template = serializers.CharField(source="id")
    text = serializers.CharField()
    became = serializers.CharField(
        help_text="the template that it has turned out to be; 0: it is still itself"
    )
    lines = serializers.IntegerField()
    places = PlaceSerializer(many=True)


class EventStream(JSONRenderer):
    """What a follower asks for; errors before the stream begins are JSON."""

    media_type = "text/event-stream"
    format = "event-stream"


class Logs(viewsets.ViewSet):
    """Questions to the log."""

    permission_classes = (SignedIn,)

    @extend_schema(
        operation_id="logs_search", responses=FoundSerializer,
        parameters=[
            _QUERY, _FROM, _TO,
            OpenApiParameter("before", str, description="the `before` of an answer"),
            OpenApiParameter("limit", int, description=f"1 to {MOST}; 100 unless said otherwise"),
        ],
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        """The newest lines that match, a page at a time."""
        asked = _asked(request, "before", "limit")
        limit = _whole(request, "limit", 100, MOST)
        before = request.query_params.get("before", "")
        found, more = logs.search(ports.the_telemetry(), **asked, before=before, limit=limit)
        return Response({"results": LineSerializer(found, many=True).data, "before": more})

    @extend_schema(
        operation_id="logs_histogram", responses=BarSerializer(many=True),
        parameters=[_QUERY, _FROM, _TO, OpenApiParameter("bars", int, description=f"about so many, 1 to {MOST_BARS}")],
    )  # fmt: skip
    @action(detail=False)
    def histogram(self, request: Request) -> Response:
        """How many lines match, over time and by severity."""
        asked = _asked(request, "bars")
        bars = logs.histogram(ports.the_telemetry(), **asked, bars=_whole(request, "bars", 60, MOST_BARS))
        return Response([asdict(b) for b in bars])

    @extend_schema(operation_id="logs_facets", responses=FacetsSerializer, parameters=[_QUERY, _FROM, _TO])
    @action(detail=False)
    def facets(self, request: Request) -> Response:
        """The most frequent values of severity, host, service and source among the lines that match."""
        found = log_groups.facets(ports.the_telemetry(), **_asked(request))
        return Response({name: [asdict(v) for v in values] for name, values in found.items()})

    @extend_schema(
        operation_id="logs_patterns", responses=PatternSerializer(many=True), parameters=[_QUERY, _FROM, _TO]
    )
    @action(detail=False)
    def patterns(self, request: Request) -> Response:
        """The lines that match, grouped by what their messages have in common."""
        found = log_groups.templates(ports.the_telemetry(), **_asked(request))
        return Response(PatternSerializer(found, many=True).data)

    @extend_schema(
        operation_id="logs_values", responses=TemplateValuesSerializer,
        parameters=[
            OpenApiParameter("template", int, required=True, description="its number, as `patterns` gives it"),
            _QUERY, _FROM, _TO, OpenApiParameter("top", int, description=f"values of each place, 1 to {MOST_TOP}"),
        ],
    )  # fmt: skip
    @action(detail=False)
    def values(self, request: Request) -> Response:
        """What stands where a template says <*>: the most frequent values, and percentiles of numbers."""
        asked = _asked(request, "template", "top")
        template, top = _whole(request, "template", 0, 2**64 - 1), _whole(request, "top", 8, MOST_TOP)
        found = log_values.values(ports.the_telemetry(), template, **asked, limit=top)
        if found is None:
            raise NotThere(f"there is no template {template}")
        return Response(TemplateValuesSerializer(found).data)

    @extend_schema(
        operation_id="logs_export", responses={(200, "text/csv"): str, (200, "application/x-ndjson"): str},
        parameters=[_QUERY, _FROM, _TO, OpenApiParameter("as", str, enum=tuple(log_files.FORMATS))],
    )  # fmt: skip
    @action(detail=False)
    def export(self, request: Request) -> HttpResponse:
        """The newest lines that match as a file, at most 10,000."""
        asked = _asked(request, "as")
        name = request.query_params.get("as", "csv")
        if name not in log_files.FORMATS:
            raise BadQuery(f"as={name!r} is none of {', '.join(log_files.FORMATS)}", "as")
        found, _ = logs.search(ports.the_telemetry(), **asked, limit=MOST)
        rows = LineSerializer(found, many=True).data
        headers = {"Content-Disposition": f'attachment; filename="logs.{name}"'}
        write, media_type = log_files.FORMATS[name]
        return HttpResponse(write(rows), content_type=media_type, headers=headers)

    @extend_schema(
        operation_id="logs_tail", responses={(200, "text/event-stream"): OpenApiTypes.STR},
        parameters=[_QUERY, OpenApiParameter("after", str, description="id of the last event that was seen; empty: now")],
    )  # fmt: skip
    @action(detail=False, renderer_classes=(JSONRenderer, EventStream))
    def tail(self, request: Request) -> StreamingHttpResponse:
        """Server-sent events without an end: lines that match, as they arrive; `skipped` counts those that were too
        many for one event. Last-Event-ID goes before `after`."""
        known(request.query_params, ("q", "after"))
        query = request.query_params.get("q", "")
        parse(query)
        following.admit()
        after = request.headers.get("Last-Event-ID") or request.query_params.get("after", "")
        stream = following.follow(
            ports.the_telemetry(), query, following.position_in(after),
            lambda lines: list(LineSerializer(lines, many=True).data), _still(actor_of(request)),
        )  # fmt: skip
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingHttpResponse(stream, content_type="text/event-stream", headers=headers)


def _still(actor: Actor) -> Any:
    """Whether the reader may read the log now: a stream may outlive a grant, so the person is looked at anew."""

    def allowed() -> bool:
        person = (
            actor.person and type(actor.person).objects.filter(pk=actor.person.pk, is_active=True).first()
        )
        gone = actor.person is not None and person is None
        return not gone and may(replace(actor, person=person), "read", None)

    return sync_to_async(allowed)


def _asked(request: Request, *others: str) -> dict[str, Any]:
    """Query and time. Raises BadQuery."""
    known(request.query_params, (*_TIME, *others))
    end = _whole(request, "to", int(time.time() * 1000), 2**43)
    begin = _whole(request, "from", max(1, end - _HOUR_MS), 2**43)
    if begin >= end:
        raise BadQuery("from lies after to", "from")
    return {"query": request.query_params.get("q", ""), "from_ms": begin, "to_ms": end}


def _whole(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text[:20]) <= most and len(text) <= 20):
        raise BadQuery(f"{name}={text!r} is not a whole number from 1 to {most}", name)
    return int(text)
