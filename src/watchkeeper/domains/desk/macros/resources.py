"""Macros, declared; and a ticket's action that applies one."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.annotations.tags import TagsField
from watchkeeper.domains.desk.macros import applying
from watchkeeper.domains.desk.macros.models import Macro
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.naming import Person
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.resource import Action, Done
from watchkeeper.kernel.rest import RecordSerializer

_TEXTS = f"{', '.join(f'${w}' for w in applying.WORDS)} stand for the ticket's"


class MacroSerializer(RecordSerializer):
    """What is left empty stays as the ticket has it."""

    person = Person(required=False, allow_null=True, help_text="a user name, where it is given to a person")

    class Meta:
        model = Macro
        fields = ("id", "name", "enabled", "description", "queue", "gives", "person", "impact", "urgency", "labels",
                  "moves", "resolution", "reply", "note")  # fmt: skip
        read_only_fields = ("id",)
        extra_kwargs = {
            "labels": {"help_text": "with commas between them"},
            "resolution": {"help_text": f"where it resolves; {_TEXTS}"},
            "reply": {"help_text": _TEXTS},
            "note": {"help_text": _TEXTS},
        }

    def validate_labels(self, value: str) -> str:
        """Raises ValidationError."""
        return ", ".join(TagsField().to_internal_value(value))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        now = {
            n: attrs.get(n, getattr(self.instance, n, "")) for n in ("gives", "person", "moves", "resolution")
        }
        if now["gives"] == Macro.Gives.PERSON and not now["person"]:
            raise serializers.ValidationError({"person": ["Say who gets it."]})
        if now["moves"] == Macro.Moves.RESOLVE and not now["resolution"]:
            raise serializers.ValidationError(
                {"resolution": ["Say what was done, for whoever has it again."]}
            )
        return attrs


class Which(serializers.Serializer[Any]):
    """The macro."""

    macro = serializers.PrimaryKeyRelatedField(queryset=Macro.objects.filter(enabled=True))


def _apply(actor: Actor, ticket: Ticket, data: dict[str, Any]) -> Done:
    applying.apply(actor, data["macro"], ticket)
    return Done()


ACTIONS = (Action("macro", "Macro…", _apply, Which, bulk=True),)

plain(
    Macro, "macro", "macros", "name description enabled:On moves queue", serializer=MacroSerializer,
    search=("name", "description"), policy_attributes=("name",),
)  # fmt: skip
