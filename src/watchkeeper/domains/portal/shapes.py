"""What is sent to the portal, checked in the words of its forms, and what it shows of a ticket: what concerns whoever asked,
and nothing of how the desk goes about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from watchkeeper.domains.annotations.models import File
from watchkeeper.domains.desk import conversation, rules
from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.portal.models import BEST, WORST
from watchkeeper.domains.portal.requesting import OPENED_AGAIN, TALKED_ABOUT
from watchkeeper.kernel.problems import NotThere

LONGEST = 20_000  # characters
_KIND = "ticket-messages"
#: states as whoever asked understands them
WORDS = {**rules.STATES, rules.ASKED: "waiting for you", rules.WITH_PARTNER: "in progress",
         rules.CANCELLED: "withdrawn"}  # fmt: skip


class Opening(serializers.Serializer[Any]):
    """A new ticket."""

    type = serializers.ChoiceField(
        choices=Ticket.Type.choices, default=Ticket.Type.INCIDENT, help_text="incident: something does not work; "
        "request: something is wanted",
    )  # fmt: skip
    title = serializers.CharField(max_length=300, help_text="in a few words")
    description = serializers.CharField(max_length=LONGEST, required=False, allow_blank=True, default="")
    about = serializers.CharField(
        max_length=200, required=False, allow_blank=True, default="",
        help_text="the service or device that it is about, as you call it",
    )  # fmt: skip


class Offered(serializers.Serializer[Any]):
    """Something that can be ordered."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    category = serializers.CharField()
    description = serializers.CharField(help_text="Markdown")
    price = serializers.CharField(help_text="in words; empty: nothing")
    form = serializers.DictField(help_text="what has to be answered, as a JSON Schema")


class Ordering(serializers.Serializer[Any]):
    """An order for oneself."""

    item = serializers.IntegerField(min_value=1, help_text="the id of what is ordered")
    answers = serializers.DictField(
        required=False, default=dict, help_text="by the names of the form's questions"
    )


class Saying(serializers.Serializer[Any]):
    """A reply, or why a ticket is opened again."""

    text = serializers.CharField(max_length=LONGEST)


class Rating(serializers.Serializer[Any]):
    """How somebody found it."""

    score = serializers.IntegerField(min_value=WORST, max_value=BEST, help_text="1 (bad) to 5 (very good)")
    comment = serializers.CharField(max_length=5_000, required=False, allow_blank=True, default="")


class PortalTicket(serializers.Serializer[Any]):
    """A ticket as whoever asked for it sees it."""

    number = serializers.CharField()
    type = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    status = serializers.CharField()
    status_words = serializers.SerializerMethodField()
    requester = serializers.CharField(source="requester.called")
    opened_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)

    def get_status_words(self, ticket: Ticket) -> str:
        """For people."""
        return WORDS[ticket.status]


class Attached(serializers.Serializer[Any]):
    """A file; its content is at attachments/ID/ of the ticket."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    size = serializers.IntegerField(help_text="bytes")


class Said(serializers.Serializer[Any]):
    """A public reply."""

    id = serializers.IntegerField()
    by = serializers.SerializerMethodField()
    body = serializers.CharField(help_text="Markdown")
    created_at = serializers.DateTimeField()
    files = Attached(many=True)

    def get_by(self, message: TicketMessage) -> str:
        """By name, or as the mail said."""
        return message.author.called if message.author else message.sender or "Service desk"


def conversation_of(ticket: Ticket) -> list[Any]:
    """The public replies in their order, each with its `files`; never an internal note."""
    messages: list[Any] = list(conversation.public(ticket).select_related("author"))
    held = defaultdict(list)
    for file in _files(messages).order_by("id"):
        held[file.record].append(file)
    for message in messages:
        message.files = held[str(message.pk)]
    return messages


def file_of(ticket: Ticket, number: int) -> File:
    """A file of a public reply on this ticket. Raises NotThere."""
    found = _files(conversation.public(ticket)).filter(pk=number).first()
    if found is None:
        raise NotThere("this ticket has no such file")
    return found


def _files(messages: Iterable[Any]) -> Any:
    return File.objects.filter(kind=_KIND, record__in=[str(m.pk) for m in messages])


def offered(ticket: Ticket) -> dict[str, Any]:
    """What can be done with it now, for its page."""
    return {
        "reply": ticket.status in TALKED_ABOUT,
        "close": "It is solved" if ticket.status == rules.RESOLVED else
                 "I no longer need this" if ticket.status in rules.OPEN else "",
        "reopen": ticket.status in OPENED_AGAIN,
    }  # fmt: skip
