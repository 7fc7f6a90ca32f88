"""/api/inbox/ and /api/subscriptions/: what the caller was told and what they watch. Each is one person's own, so
policies are asked about the records, and not about these."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from watchkeeper.api.records.bodies import unknown, validate
from watchkeeper.domains.inbox import subscribing
from watchkeeper.domains.inbox.models import Notice, Preference, Subscription
from watchkeeper.domains.inbox.reading import readable
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.lists import Pages
from watchkeeper.kernel.problems import BadQuery, NotThere


class NoticeSerializer(serializers.ModelSerializer[Notice]):
    """One thing that the caller was told."""

    class Meta:
        model = Notice
        fields = ("id", "at", "text", "why", "kind", "record", "gone", "subscription", "event", "read_at",
                  "mailed_at")  # fmt: skip
        read_only_fields = fields


class SubscriptionSerializer(serializers.ModelSerializer[Subscription]):
    """A record, or what a query finds of a kind."""

    record = serializers.CharField(max_length=128, required=False, help_text="its id; empty: of the kind")
    query = serializers.CharField(max_length=1000, required=False, help_text="as after ? in a list's address")

    class Meta:
        model = Subscription
        fields = ("id", "kind", "record", "query", "title", "muted", "created_at")
        read_only_fields = ("id", "title", "created_at")


class PreferenceSerializer(serializers.ModelSerializer[Preference]):
    """Whether notices come by mail as well."""

    class Meta:
        model = Preference
        fields = ("by_mail", "hour")
        extra_kwargs = {"hour": {"min_value": 0, "max_value": 23, "help_text": "UTC, of the daily mail"}}


class Muting(serializers.Serializer[Any]):
    """Whether it is muted."""

    muted = serializers.BooleanField()


class _Own(viewsets.GenericViewSet[Any]):
    """Everybody may see and change their own."""

    lookup_value_regex = "[0-9]{1,18}"
    lookup_url_kwarg = "id"
    pagination_class = Pages

    def asks(self, _: Request) -> tuple[()]:
        """Nothing more than to be known."""
        return ()

    def given(self, request: Request, shape: type[serializers.BaseSerializer[Any]], *of: Any) -> Any:
        """A body that is valid."""
        made = shape(*of, data=request.data, partial=bool(of))
        validate(made, unknown(made, request.data))
        return made.validated_data

    def paged(self, found: QuerySet[Any], shape: Any, known: tuple[str, ...] = ()) -> Response:
        """A page of what is the caller's own."""
        for name in self.request.query_params:
            if name not in ("limit", "offset", *known):
                raise BadQuery(
                    f"{name!r} is not known here; there are: limit, offset, {', '.join(known)}", name
                )
        return self.get_paginated_response(shape(self.paginate_queryset(found), many=True).data)


class Inbox(_Own):
    """What the caller was told, newest first, while they may read the record."""

    serializer_class = NoticeSerializer
    queryset = Notice.objects.none()

    @extend_schema(parameters=[OpenApiParameter("unread", bool, description="only what was not read")])
    def list(self, request: Request) -> Response:
        """The notices."""
        user = subscribing.person(actor_of(request))
        found = Notice.objects.filter(user=user)
        unread = request.query_params.get("unread", "false")
        if unread not in ("true", "false"):
            raise BadQuery(f"unread={unread!r} is neither true nor false", "unread")
        if unread == "true":
            found = found.filter(read_at=None)
        seen = readable(user, found[:1000])
        return self.paged(found.filter(pk__in=[n.pk for n in seen]), NoticeSerializer, ("unread",))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, id: str) -> Response:
        """Mark one as read."""
        actor = actor_of(request)
        found = Notice.objects.filter(pk=id, user=subscribing.person(actor))
        if not found.exists():
            raise NotThere(f"there is no notice {id} for you")
        return Response({"read": subscribing.mark_read(actor, found)})

    @extend_schema(request=None)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request) -> Response:
        """Mark all as read."""
        return Response({"read": subscribing.mark_read(actor_of(request), Notice.objects.all())})

    @extend_schema(request=PreferenceSerializer, responses=PreferenceSerializer)
    @action(detail=False, methods=["get", "patch"])
    def preferences(self, request: Request) -> Response:
        """Whether notices come by mail as well."""
        actor = actor_of(request)
        now = subscribing.preference(actor)
        if request.method == "PATCH":
            now = subscribing.prefer(actor, self.given(request, PreferenceSerializer, now))
        return Response(PreferenceSerializer(now).data)


class Subscriptions(_Own):
    """What the caller watches."""

    serializer_class = SubscriptionSerializer
    queryset = Subscription.objects.none()

    def _one(self, request: Request, number: str) -> Subscription:
        found = subscribing.own(actor_of(request)).filter(pk=number).first()
        if found is None:
            raise NotThere(f"there is no subscription {number} of yours")
        return found

    def list(self, request: Request) -> Response:
        """By kind and title."""
        return self.paged(subscribing.own(actor_of(request)), SubscriptionSerializer)

    def create(self, request: Request) -> Response:
        """Watch a record, a kind, or what a query finds of a kind."""
        given = self.given(request, SubscriptionSerializer)
        given.pop("muted", None)
        made = subscribing.subscribe(actor_of(request), **given)
        return Response(SubscriptionSerializer(made).data, status=201)

    @extend_schema(request=Muting, responses=SubscriptionSerializer)
    def partial_update(self, request: Request, id: str) -> Response:
        """Mute it, or hear of it again."""
        found = self._one(request, id)
        subscribing.mute(actor_of(request), found, self.given(request, Muting)["muted"])
        return Response(SubscriptionSerializer(found).data)

    def destroy(self, request: Request, id: str) -> Response:
        """Watch it no more."""
        subscribing.unsubscribe(actor_of(request), self._one(request, id))
        return Response(status=204)
