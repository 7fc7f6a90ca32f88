"""What the API says of service levels beside the records: the clocks of a ticket, which tickets of a queue will be late,
and objectives as documents of OpenSLO."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.api.records.bodies import unknown, validate
from watchkeeper.domains.agreements.clock import Clock
from watchkeeper.domains.desk import foreseeing, promising, rules
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.objectives.importing import as_openslo, import_text
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.fields import milliseconds, moment
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import Resource, registry

OBJECTIVES = "service-level-objectives"


def _seen(request: Request, path: str, key: int) -> Any:
    record = visible(actor_of(request), path).filter(pk=key).first()
    if record is None:
        raise Http404
    return record


class Foreseen(serializers.Serializer[Any]):
    """Of an open ticket."""

    ticket = serializers.IntegerField()
    late = serializers.FloatField(
        allow_null=True, help_text="0 to 1; null where there is too little to go by"
    )
    expected_at = serializers.DateTimeField(allow_null=True)
    because = serializers.CharField()


class OfQueue(serializers.Serializer[Any]):
    """Of a queue."""

    said = serializers.CharField()
    late = serializers.IntegerField(help_text="how many are expected to be late")
    tickets = Foreseen(many=True)


class OneClock(serializers.Serializer[Any]):
    """Of one promise; seconds are of working time."""

    promise = serializers.CharField()
    promised_seconds = serializers.IntegerField()
    used_seconds = serializers.IntegerField()
    left_seconds = serializers.IntegerField(help_text="negative: late by so much")
    began_at = serializers.DateTimeField()
    kept_at = serializers.DateTimeField(allow_null=True)
    paused_since = serializers.DateTimeField(allow_null=True)
    paused_because = serializers.CharField(allow_blank=True)
    broken = serializers.BooleanField()


class Clocks(serializers.Serializer[Any]):
    """Of a ticket."""

    agreement = serializers.IntegerField(allow_null=True)
    clocks = OneClock(many=True)
    foreseen = Foreseen(allow_null=True)


class TicketClocks(APIView):
    """How much of what was promised about a ticket is used."""

    def asks(self, _: Request, **__: Any) -> tuple[tuple[str, Resource], ...]:
        """To read tickets."""
        return (("read", registry["tickets"]),)

    @extend_schema(responses=Clocks)
    def get(self, request: Request, key: int) -> Response:
        """With when it stands and why, and whether it will be late."""
        ticket, now = _seen(request, "tickets", key), timezone.now()
        foreseen = foreseeing.of_ticket(ticket, now)
        clocks = [_clock(name.value, c, ticket, milliseconds(now)) for name, c in promising.named(ticket)]
        agreement = ticket.promise.pk if ticket.promise else None
        return Response(
            {"agreement": agreement, "clocks": clocks, "foreseen": foreseen and _foreseen(foreseen)}
        )


class QueueForecast(APIView):
    """Which open tickets of a queue will be late."""

    def asks(self, _: Request, **__: Any) -> tuple[tuple[str, Resource], ...]:
        """To read queues."""
        return (("read", registry["queues"]),)

    @extend_schema(responses=OfQueue)
    def get(self, request: Request, key: int) -> Response:
        """The likeliest first; those that may be read."""
        found = foreseeing.of_queue(_seen(request, "queues", key), timezone.now())
        seen = set(visible(actor_of(request), "tickets").filter(queue=key).values_list("pk", flat=True))
        tickets = [_foreseen(f) for f in found.tickets if f.ticket.pk in seen]
        return Response({"said": found.said, "late": found.late, "tickets": tickets})


def _foreseen(f: foreseeing.Foreseen) -> dict[str, Any]:
    return {"ticket": f.ticket.pk, "late": f.chance.late, "expected_at": f.expected_at, "because": f.because}


def _clock(name: str, clock: Clock, ticket: Ticket, now: int) -> dict[str, Any]:
    stands = clock.kept_ms is None and bool(clock.pauses) and clock.pauses[-1][1] is None
    used = clock.used(now)
    return {
        "promise": name, "promised_seconds": clock.promised_ms // 1000, "used_seconds": used // 1000,
        "left_seconds": (clock.promised_ms - used) // 1000, "began_at": moment(clock.began_ms),
        "kept_at": moment(clock.kept_ms) if clock.kept_ms else None,
        "paused_since": moment(clock.pauses[-1][0]) if stands else None,
        "paused_because": rules.STATES[ticket.status] if stands else "", "broken": clock.broken(now),
    }  # fmt: skip


class OpenSlo(serializers.Serializer[Any]):
    """Documents."""

    text = serializers.CharField(max_length=2_000_000, trim_whitespace=False, help_text="YAML of OpenSLO v1")


class ImportedObjectives(serializers.Serializer[Any]):
    """Names of objectives by what was done with them, and what is not followed."""

    created = serializers.ListField(child=serializers.CharField())
    changed = serializers.ListField(child=serializers.CharField())
    same = serializers.ListField(child=serializers.CharField())
    odd = serializers.ListField(child=serializers.CharField())


class ImportOpenSlo(APIView):
    """Whoever may make and change objectives may import them."""

    def asks(self, _: Request) -> tuple[tuple[str, Resource], ...]:
        """To make objectives."""
        return (("create", registry[OBJECTIVES]),)

    @extend_schema(request=OpenSlo, responses=ImportedObjectives)
    def post(self, request: Request) -> Response:
        """What is wrong is said with its place, and nothing is changed."""
        given = OpenSlo(data=request.data)
        validate(given, unknown(given, request.data))
        return Response(asdict(import_text(actor_of(request), given.validated_data["text"])))


class AsOpenSlo(APIView):
    """An objective as a document."""

    def asks(self, _: Request, **__: Any) -> tuple[tuple[str, Resource], ...]:
        """To read objectives."""
        return (("read", registry[OBJECTIVES]),)

    @extend_schema(responses={(200, "application/yaml"): OpenApiTypes.STR})
    def get(self, request: Request, key: int) -> HttpResponse:
        """YAML of OpenSLO v1."""
        text = as_openslo(_seen(request, OBJECTIVES, key))
        return HttpResponse(text, content_type="application/yaml; charset=utf-8")
