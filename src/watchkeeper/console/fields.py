"""Form fields for people, derived from REST serializers, so that a kind of record is described once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict
from rest_framework import serializers


@dataclass(frozen=True)
class Field:
    """One input. `shape`: text, long, number, yes, choice, time, list (one entry a line), json, pick
    (any number of the choices)."""

    name: str
    label: str
    shape: str
    help: str = ""
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    value: Any = ""
    error: str = ""

    def filled(self, given: Mapping[str, str], error: Exception) -> Field:
        """With what was typed and what was wrong with it."""
        detail = getattr(error, "detail", {})
        wrong = detail.get(self.name) if isinstance(detail, dict) else None
        text = "; ".join(str(w) for w in wrong) if isinstance(wrong, list) else str(wrong or "")
        return replace(self, value=given.get(self.name, ""), error=text)


def fields_of(serializer: type[serializers.BaseSerializer[Any]] | None) -> list[Field]:
    """The inputs of a serializer, in its order."""
    if serializer is None:
        return []
    made: Any = serializer()
    return [_field(name, f) for name, f in made.fields.items() if not f.read_only]


def _field(name: str, field: serializers.Field[Any, Any, Any, Any]) -> Field:
    choices: tuple[tuple[str, str], ...] = ()
    match field:
        case serializers.MultipleChoiceField():
            shape = "list"
        case serializers.ChoiceField():
            shape, choices = "choice", tuple((str(k), str(v)) for k, v in field.choices.items())
        case serializers.BooleanField():
            shape = "yes"
        case serializers.IntegerField() | serializers.FloatField():
            shape = "number"
        case serializers.DateTimeField():
            shape = "time"
        case serializers.ListField() | serializers.ListSerializer():
            shape = "list"
        case serializers.JSONField():
            shape = "json"
        case _:
            shape = "long" if field.style.get("base_template") == "textarea.html" else "text"
    default = "" if field.default is serializers.empty or callable(field.default) else field.default
    label = str(field.label or name.replace("_", " ").capitalize())
    return Field(name, label, shape, str(field.help_text or ""), field.required, choices, default)


def read(fields: list[Field], given: QueryDict) -> dict[str, Any]:
    """What was typed, as the serializer takes it. An empty box is as if it were not there."""
    import json

    out: dict[str, Any] = {}
    for f in fields:
        text = "\n".join(given.getlist(f.name)) if f.shape in ("list", "pick") else given.get(f.name, "")
        if f.shape == "yes":
            out[f.name] = f.name in given
        elif f.shape in ("list", "pick") and text.strip():
            out[f.name] = [line.strip() for line in text.replace(",", "\n").splitlines() if line.strip()]
        elif f.shape == "json" and text.strip():
            try:
                out[f.name] = json.loads(text)
            except ValueError:
                out[f.name] = text
        elif text.strip():
            out[f.name] = text
    return out
