"""Ticket templates, declared."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from rest_framework import serializers

from watchkeeper.domains.desk.prefilling.models import TicketTemplate
from watchkeeper.domains.desk.prefilling.opening import open_from, steps_of
from watchkeeper.domains.identity.naming import Person
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import Action, Done
from watchkeeper.kernel.rest import RecordSerializer


class TicketTemplateSerializer(RecordSerializer):
    """Steps are lines."""

    class Meta:
        model = TicketTemplate
        fields = (
            "id",
            "name",
            "type",
            "title",
            "description",
            "impact",
            "urgency",
            "queue",
            "items",
            "skills",
            "steps",
        )
        read_only_fields = ("id",)
        extra_kwargs = {
            "name": {"help_text": "by which agents choose it"},
            "title": {"help_text": "of the tickets that are opened from it"},
            "steps": {"help_text": "what has to be done, one step a line", "style": {"rows": 6}},
        }

    def validate_steps(self, value: str) -> str:
        """Raises ValidationError."""
        try:
            steps_of(value)
        except Invalid as error:
            raise serializers.ValidationError(error.more["errors"]["steps"]) from error
        return value


class Differing(serializers.Serializer[Any]):
    """What is said otherwise than in the template."""

    title = serializers.CharField(max_length=300, required=False, help_text="empty: that of the template")
    description = serializers.CharField(
        max_length=20_000, required=False, style={"base_template": "textarea.html"},
        help_text="empty: that of the template",
    )  # fmt: skip
    requester = Person(required=False, allow_null=True, help_text="a user name; empty: whoever opens it")


def _open(actor: Actor, template: TicketTemplate, data: dict[str, Any]) -> Done:
    with transaction.atomic():
        ticket = open_from(actor, template, **data)
    return Done(body={"ticket": ticket.pk, "number": ticket.number, "see": f"/tickets/{ticket.pk}/"})


plain(
    TicketTemplate, "ticket template", "ticket-templates", "name title type queue",
    serializer=TicketTemplateSerializer, search=("name", "title", "description"),
    policy_attributes=("name", "queue__name"),
    actions=(Action("open", "Open a ticket…", _open, Differing),),
)  # fmt: skip
