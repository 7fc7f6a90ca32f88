"""Ticket messages, declared. What was said stays said: nobody changes or removes it alone."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.desk.conversation import reading, saying  # noqa: F401  (reading says who sees which)
from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.identity.naming import Person
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer

LONGEST = 100_000  # characters


class TicketMessageSerializer(RecordSerializer):
    """A reply or an internal note."""

    author = Person(read_only=True)
    body = serializers.CharField(max_length=LONGEST, help_text="Markdown")
    left_out = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="what came with it and was not kept, and why"
    )

    class Meta:
        model = TicketMessage
        fields = ("id", "ticket", "sort", "body", "author", "sender", "source", "created_at", "message_id",
                  "left_out")  # fmt: skip
        read_only_fields = ("author", "sender", "source", "created_at", "message_id")
        extra_kwargs = {"sort": {"help_text": "reply: the requester reads it too; note: internal"}}


def _create(actor: Actor, data: dict[str, Any]) -> TicketMessage:
    ticket = data["ticket"]
    if not visible(actor, "tickets").filter(pk=ticket.pk).exists():
        raise serializers.ValidationError({"ticket": [f'Invalid pk "{ticket.pk}" - object does not exist.']})
    is_public = data.get("sort", TicketMessage.Sort.REPLY) == TicketMessage.Sort.REPLY
    return saying.add(actor, ticket, data["body"], public=is_public, audited=False)


registry.add(
    Resource(
        model=TicketMessage,
        path="ticket-messages",
        name="ticket message",
        description="Replies and internal notes on tickets. Replies are for whoever may read the ticket, notes for those "
        "who work on it.",
        fields=TicketMessageSerializer.Meta.fields,
        serializer=TicketMessageSerializer,
        columns=(
            Column("__str__", "Message", link=True),
            Column("ticket"),
            Column("sort", "For", Show.STATE),
            Column("by", "From"),
            Column("created_at", "Written", Show.TIME),
        ),
        filters={
            "ticket": ["exact", "in"],
            "sort": ["exact"],
            "source": ["exact", "in"],
            "author__username": ["exact"],
            "sender": ["exact", "icontains"],
            "message_id": ["exact"],
            "created_at": ["gte", "lt"],
        },
        search=("body", "sender"),
        ordering=("-created_at", "-id"),
        orderable=("created_at",),
        create_only=("ticket", "sort", "body"),
        allow=frozenset({"create"}),
        prepare=lambda found: found.select_related("ticket", "author"),
        create=_create,
        policy_attributes=("sort", "ticket__queue__name", "ticket__requester__username"),
    )
)
