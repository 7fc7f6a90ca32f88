"""Recurring tickets, declared."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rest_framework import serializers

from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.desk.recurring import opening, rules
from watchkeeper.domains.desk.recurring.models import RecurringTicket
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.rest import RecordSerializer, time_zone


class RecurringTicketSerializer(RecordSerializer):
    """A rule of RFC 5545, by the clocks of a zone."""

    zone = serializers.CharField(max_length=64, default="UTC", label="Time zone", validators=[time_zone],
                                 help_text="by whose clocks: Europe/Berlin")  # fmt: skip

    class Meta:
        model = RecurringTicket
        fields = ("id", "name", "enabled", "template", "rule", "starts_on", "at", "zone", "next_at")
        read_only_fields = ("id", "next_at")
        extra_kwargs = {
            "rule": {"label": "How often", "help_text":
                     "every day: FREQ=DAILY. Mondays and Thursdays: FREQ=WEEKLY;BYDAY=MO,TH. The first of each month: "
                     "FREQ=MONTHLY;BYMONTHDAY=1. Its second Tuesday: FREQ=MONTHLY;BYDAY=2TU. As RFC 5545 says"},
            "at": {"style": {"input": "clock"}},
            "starts_on": {"help_text": "the rule is counted from it"},
        }  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        now = {n: attrs.get(n, getattr(self.instance, n, RecurringTicket._meta.get_field(n).get_default()))
               for n in ("rule", "starts_on", "at")}  # fmt: skip
        try:
            rules.check(now["rule"], dt.datetime.combine(now["starts_on"], now["at"]))
        except rules.NoRule as error:
            raise serializers.ValidationError({"rule": [str(error)]}) from error
        return attrs


def _create(_: Actor, data: dict[str, Any]) -> RecurringTicket:
    made = RecurringTicket.objects.create(**data)
    opening.begin(made)
    return made


def _change(_: Actor, recurring: RecurringTicket, data: dict[str, Any]) -> RecurringTicket:
    for name, value in data.items():
        setattr(recurring, name, value)
    recurring.save()
    opening.begin(recurring)
    return recurring


plain(
    RecurringTicket, "recurring ticket", "recurring-tickets", "name next_at:Next template rule enabled:On", ("next_at",),
    serializer=RecurringTicketSerializer, create=_create, change=_change, search=("name",),
    filters={"name": ["exact", "icontains"], "enabled": ["exact"], "template__name": ["exact", "icontains"],
             "next_at": ["gte", "lte", "isnull"]},
    related={"tickets": lambda r: Ticket.objects.filter(occurrences__recurring=r)},
)  # fmt: skip
