"""What REST and the console take and show of the catalogue: forms, texts and inventory records are checked here, so
that an order can be fulfilled."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.catalog import carrying, forms, texts
from watchkeeper.domains.catalog.models import (
    CatalogApproval,
    CatalogItem,
    CatalogTask,
    Lease,
    Order,
    RequestTask,
)
from watchkeeper.domains.identity.naming import People, Person
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.outgoing import addresses
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import Choice, RecordSerializer

_LONG = {"base_template": "textarea.html"}


class Form(serializers.JSONField):
    """A JSON Schema that a form can be drawn from; the console asks for its questions in rows."""

    def __init__(self, **options: Any) -> None:
        super().__init__(style={"input": "questions"}, **options)

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError, which says where it is wrong."""
        schema = super().to_internal_value(data)
        try:
            forms.check(schema)
        except forms.BadForm as error:
            raise serializers.ValidationError(str(error)) from error
        return schema


class CatalogItemSerializer(RecordSerializer):
    """With its form, and what is made of the answers."""

    owner = Person(required=False, allow_null=True)
    form = Form(required=False, help_text="what whoever orders it is asked", label="Questions")
    record_fields = serializers.DictField(
        child=serializers.CharField(max_length=2000, allow_blank=True), required=False, label="Its fields",
        help_text="a field of the record, and what it gets: a text with $person, $ticket or the name of a question, "
        "such as $size",
    )  # fmt: skip
    handover_text = serializers.CharField(
        required=False, allow_blank=True, max_length=20_000, style=_LONG, label="Hand-over mail",
        help_text="sent when it is delivered; $person_name, $item, $ticket, $record and the names of questions are "
        "filled in",
    )  # fmt: skip
    price = serializers.CharField(read_only=True)

    WRITTEN = ("name", "category", "description", "enabled", "teams", "organisations", "owner", "cost", "currency",
               "billing", "form", "queue", "calendar", "handover_text", "record_kind", "record_fields", "lease_days",
               "extension_approved")  # fmt: skip

    class Meta:
        model = CatalogItem
        fields = ("id", "name", "category", "description", "enabled", "teams", "organisations", "owner", "cost",
                  "currency", "billing", "price", "form", "queue", "calendar", "handover_text", "record_kind",
                  "record_fields", "lease_days", "extension_approved")  # fmt: skip
        read_only_fields = ("id",)
        extra_kwargs = {
            "description": {"help_text": "Markdown"},
            "teams": {"help_text": "only their members see it and can order it; empty: everybody"},
            "organisations": {"help_text": "only for the teams of these customers and other organisations"},
            "currency": {"help_text": "three letters, such as EUR"},
            "queue": {"help_text": "where the tickets of its orders go"},
            "calendar": {"help_text": "by which the times of its tasks are counted; empty: day and night"},
            "record_kind": {
                "help_text": "made when it is delivered, such as devices or virtual-machines; empty: none"
            },
            "lease_days": {"help_text": "empty: for good"},
        }

    def validate_currency(self, value: str) -> str:
        """Three capital letters. Raises ValidationError."""
        if value and not (len(value) == 3 and value.isascii() and value.isalpha()):
            raise serializers.ValidationError("three letters, such as EUR")
        return value.upper()

    def validate_record_kind(self, value: str) -> str:
        """A kind of the inventory. Raises ValidationError, and Forbidden for whoever may make none themselves."""
        known = {r.path for r in registry if issubclass(r.model, Item) and "create" in r.allow}
        if value and value not in known:
            raise serializers.ValidationError(
                f"no kind of the inventory; there are: {', '.join(sorted(known))}"
            )
        if (
            value
            and value != getattr(self.instance, "record_kind", "")
            and (actor := self.context.get("actor"))
        ):
            require(actor, "create", registry[value])
        return value

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """What texts and fields name has to be there. Raises ValidationError naming the field."""

        def now(name: str, otherwise: Any) -> Any:
            return data.get(name, getattr(self.instance, name, otherwise))

        questions = now("form", forms.EMPTY).get("properties", {})
        kind, fields = now("record_kind", ""), now("record_fields", {})
        _fits("handover_text", now("handover_text", ""), questions)
        for text in fields.values():
            _fits("record_fields", str(text), questions)
        if fields and not kind:
            raise serializers.ValidationError({"record_kind": "of which kind are these fields?"})
        known = set(registry[kind].writable) | set(registry[kind].create_only) if kind else set()
        if unknown := sorted(set(fields) - known):
            there = ", ".join(sorted(known))
            raise serializers.ValidationError(
                {"record_fields": f"{kind} has no {unknown[0]}; there are: {there}"}
            )
        return data


def _fits(field: str, text: str, questions: Any) -> None:
    try:
        texts.check(text, questions)
    except texts.BadText as error:
        raise serializers.ValidationError({field: str(error)}) from error


class Asked(People):
    """User names of those who are asked."""

    def to_representation(self, data: Any) -> list[str]:
        """Of a relation as well as of a list."""
        found = data.all() if hasattr(data, "all") else data
        return [getattr(u, "username", str(u)) for u in found]


class CatalogApprovalSerializer(RecordSerializer):
    """Somebody is asked: people, a team, or both."""

    people = Asked(required=False, max_length=50, help_text="user names, one a line")

    class Meta:
        model = CatalogApproval
        fields = ("id", "item", "position", "name", "people", "team", "needed")
        read_only_fields = ("id",)
        extra_kwargs = {"name": {"help_text": "such as budget or security"}}

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        team = data.get("team", getattr(self.instance, "team", None))
        people = data.get("people", self.instance.people.all() if self.instance else ())
        if not team and not people:
            raise serializers.ValidationError({"people": "who is asked? People, a team, or both"})
        return data


class CatalogTaskSerializer(RecordSerializer):
    """Who does it, and how long it may take."""

    person = Person(required=False, allow_null=True)
    values = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=2000), required=False, label="With",
        help_text="what that is given, by the names of its fields; $person, $ticket and names of questions are filled in",
    )  # fmt: skip
    calls = serializers.BooleanField(read_only=True, label="Calls an address")

    class Meta:
        model = CatalogTask
        fields = (
            "id",
            "item",
            "step",
            "title",
            "description",
            "team",
            "person",
            "hours",
            "member_of",
            "does",
            "values",
            "address",
            "calls",
        )
        read_only_fields = ("id", "calls")
        extra_kwargs = {
            "address": {"help_text": "something else does it: https://…, which gets the order as a signed webhook. It is "
                        "not shown again"},
            "step": {"help_text": "tasks of one step are done at the same time, then those of the next"},
            "hours": {"help_text": "within how much working time, once it can be begun"},
            "member_of": {"help_text": "the platform does it: whoever it is for becomes a member of this team",
                          "label": "Makes them a member of"},
        }  # fmt: skip

    def get_fields(self) -> dict[str, Any]:
        """What can be carried out is known when all kinds and jobs are."""
        fields = super().get_fields()
        fields["does"] = Choice(
            choices=carrying.choices(), required=False, allow_blank=True, default="", label="The platform carries out",
            help_text="an action on the ticket of the order, or a job",
        )  # fmt: skip
        return fields

    def validate_member_of(self, team: Any) -> Any:
        """Raises Forbidden for whoever may not change this team themselves."""
        if team is not None and (actor := self.context.get("actor")) is not None:
            require(actor, "change", registry["teams"], team)
        return team

    def validate_address(self, address: str) -> str:
        """Raises Invalid."""
        if address:
            addresses.check_web(address)
        return address

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """It is done one way, which can be. Raises ValidationError naming the field, or Forbidden."""
        ways = [name for name in ("member_of", "does", "address") if self.now(data, name)]
        if len(ways) > 1:
            raise serializers.ValidationError(
                {ways[1]: "it is done another way already: make two tasks of it"}
            )
        does, values = self.now(data, "does"), self.now(data, "values") or {}
        if values and not does:
            raise serializers.ValidationError({"values": "only what is carried out is given something"})
        if does and {"does", "values"} & data.keys():
            try:
                carrying.check(
                    self.context.get("actor"), does, values, self.now(data, "item").form.get("properties", {})
                )
            except texts.BadText as error:
                raise serializers.ValidationError({"values": str(error)}) from error
            except Invalid as error:
                raise serializers.ValidationError(error.more["errors"]) from error
        return data


class OrderSerializer(RecordSerializer):
    """What is ordered, for whom, with the answers to its form."""

    person = Person(required=False, label="For", help_text="a user name; empty: for yourself")
    ordered_by = Person(read_only=True)
    answers = serializers.DictField(required=False, help_text="by the names of the form's questions")
    number = serializers.CharField(source="ticket.number", read_only=True)
    item_name = serializers.CharField(source="item.name", read_only=True)

    class Meta:
        model = Order
        fields = ("id", "number", "item", "item_name", "person", "answers", "state", "price", "note", "ticket",
                  "ordered_by", "record", "ordered_at", "decided_at", "ended_at")  # fmt: skip
        read_only_fields = (
            "id",
            "state",
            "price",
            "note",
            "ticket",
            "record",
            "ordered_at",
            "decided_at",
            "ended_at",
        )


class RequestTaskSerializer(RecordSerializer):
    """Its state is changed by actions."""

    person = Person(required=False, allow_null=True)
    whose = serializers.CharField(read_only=True)

    WRITTEN = ("title", "description", "team", "person", "begins_at", "due_at")

    class Meta:
        model = RequestTask
        fields = ("id", "ticket", "title", "description", "team", "person", "whose", "state", "begins_at", "due_at", "after",
                  "does", "note", "ended_at", "ended_by")  # fmt: skip
        read_only_fields = ("id", "state", "does", "note", "ended_at", "ended_by")
        extra_kwargs = {"after": {"help_text": "what has to be over before it can be begun"}}

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """It waits for tasks of its own request only. Raises ValidationError naming the field."""
        ticket = data.get("ticket")
        if any(t.ticket_id != ticket.pk for t in data.get("after", ()) if ticket):
            raise serializers.ValidationError({"after": "these are tasks of another request"})
        return data


class LeaseSerializer(RecordSerializer):
    """Who has what, until when."""

    holder = Person(label="Who")
    WRITTEN = ("what", "sort", "item", "holder", "until", "returned_to", "extension_approved")

    class Meta:
        model = Lease
        fields = ("id", "what", "sort", "item", "holder", "team", "until", "returned_to", "extension_approved", "state",
                  "order", "wanted_until", "began_at", "ended_at", "ended_by")  # fmt: skip
        read_only_fields = (
            "id",
            "team",
            "state",
            "order",
            "wanted_until",
            "began_at",
            "ended_at",
            "ended_by",
        )
        extra_kwargs = {"until": {"help_text": "empty: until it is given back"}}
