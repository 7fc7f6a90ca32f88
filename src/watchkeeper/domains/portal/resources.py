"""Portal contacts and surveys, declared."""

from __future__ import annotations

from watchkeeper.domains.identity.naming import Person
from watchkeeper.domains.portal.models import Contact, Survey
from watchkeeper.kernel.acting import Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.rest import RecordSerializer


class ContactSerializer(RecordSerializer):
    """The person is a user name."""

    user = Person(help_text="who sees the tickets; a user name")

    class Meta:
        model = Contact
        fields = ("id", "user", "organisation")
        read_only_fields = ("id",)


class SurveySerializer(RecordSerializer):
    """The person is a user name."""

    requester = Person(read_only=True)

    class Meta:
        model = Survey
        fields = ("id", "ticket", "requester", "asked_at", "answered_at", "score", "comment")
        read_only_fields = fields


plain(
    Contact, "portal contact", "portal-contacts", "user organisation:Sees_the_tickets_of",
    serializer=ContactSerializer,
    filters={"user__username": ["exact"], "organisation": ["exact"]},
    search=("user__username", "organisation__name"),
    ordering=("organisation__name", "user__username", "id"),
    orderable=(),
    writable=(),
    create_only=("user", "organisation"),
    allow=frozenset({"create", "remove"}),
    read_scope=Scope.ADMIN,
    write_scope=Scope.ADMIN,
)  # fmt: skip

plain(
    Survey, "survey", "surveys", "ticket score comment requester:Asked asked_at answered_at",
    serializer=SurveySerializer,
    filters={
        "ticket": ["exact"],
        "ticket__queue": ["exact"],
        "requester__username": ["exact"],
        "score": ["exact", "gte", "lte", "isnull"],
        "asked_at": ["gte", "lt"],
        "answered_at": ["gte", "lt", "isnull"],
    },
    search=("ticket__number", "ticket__title", "comment"),
    ordering=("-id",),
    orderable=("asked_at", "answered_at", "score"),
    writable=(),
    allow=frozenset(),
    policy_attributes=("ticket__queue__name",),
    default_filters={"answered_at__isnull": "false"},
    prepare=lambda found: found.select_related("ticket", "requester"),
)  # fmt: skip
