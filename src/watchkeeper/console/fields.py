"""Form fields for people, derived from REST serializers, so that a kind of record is described once."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import NOT_PROVIDED
from django.http import QueryDict
from rest_framework import serializers

from watchkeeper.kernel.resource import registry

MOST_CHOICES = 500
_NAME = {"scheme", "value"}  # of an identifier


@dataclass(frozen=True)
class Field:
    """One input. `shape`: text, long, number, yes, choice, date, time, list (one entry a line), json, pick
    (any number of the choices), pairs (name=value, one a line), names (identifiers, scheme=value, one a line)."""

    name: str
    label: str
    shape: str
    help: str = ""
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    value: Any = ""
    error: str = ""
    rows: int = 3  # of a long text

    def filled(self, given: QueryDict, error: Exception) -> Field:
        """With what was typed and what was wrong with it."""
        detail = getattr(error, "detail", {})
        wrong = detail.get(self.name) if isinstance(detail, dict) else None
        text = "; ".join(str(w) for w in wrong) if isinstance(wrong, list) else str(wrong or "")
        value = given.getlist(self.name) if self.shape == "pick" else given.get(self.name, "")
        return replace(self, value=value, error=text)


def fields_of(serializer: type[serializers.BaseSerializer[Any]] | None) -> list[Field]:
    """The inputs of a serializer, in its order."""
    if serializer is None:
        return []
    made: Any = serializer()
    return [_field(name, f) for name, f in made.fields.items() if not f.read_only]


#: serializer field → shape, the more special before the more general
_SHAPES: tuple[tuple[tuple[type, ...], str], ...] = (
    ((serializers.MultipleChoiceField, serializers.ListField), "list"),
    ((serializers.ChoiceField, serializers.PrimaryKeyRelatedField), "choice"),
    ((serializers.BooleanField,), "yes"),
    ((serializers.IntegerField, serializers.FloatField, serializers.DecimalField), "number"),
    ((serializers.DateTimeField,), "time"),
    ((serializers.DateField,), "date"),
    ((serializers.DictField,), "pairs"),
    ((serializers.ListSerializer, serializers.JSONField), "json"),
)


def _field(name: str, field: serializers.Field[Any, Any, Any, Any]) -> Field:
    default = _default(name, field)
    label = str(field.label or name.replace("_", " ").capitalize())
    shape, choices = _shape(field)
    rows = int(field.style.get("rows", 3))
    return Field(name, label, shape, str(field.help_text or ""), field.required, choices, default, rows=rows)


def _shape(field: serializers.Field[Any, Any, Any, Any]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Its shape, and what can be chosen."""
    if field.style.get("input") == "kind":
        return "choice", tuple((r.path, r.name) for r in sorted(registry, key=lambda r: r.name))
    if "input" in field.style:
        return str(field.style["input"]), ()
    match field:
        case serializers.ListField(child=serializers.ChoiceField() as child):
            return "pick", tuple((str(k), str(v).replace("_", " ")) for k, v in child.choices.items())
        case serializers.ListSerializer(child=serializers.Serializer() as child) if (
            set(child.fields) == _NAME
        ):
            return "names", ()
        case serializers.PrimaryKeyRelatedField() | serializers.ManyRelatedField():
            shape = "pick" if isinstance(field, serializers.ManyRelatedField) else "choice"
            return shape, tuple((str(k), str(v)) for k, v in field.get_choices(cutoff=MOST_CHOICES).items())
    shape = next((shape for types, shape in _SHAPES if isinstance(field, types)), "")
    if shape == "choice":
        return shape, tuple((str(k), str(v)) for k, v in field.choices.items())
    return shape or ("long" if field.style.get("base_template") == "textarea.html" else "text"), ()


def _default(name: str, field: serializers.Field[Any, Any, Any, Any]) -> Any:
    """What the box holds at first: the serializer's default, else the model's."""
    value = field.default
    if value is serializers.empty:
        model = getattr(getattr(field.parent, "Meta", None), "model", None)
        known = {f.name: f for f in model._meta.concrete_fields} if model else {}
        value = known[name].default if name in known else ""
    return "" if value is None or callable(value) or value is NOT_PROVIDED else value


def shown(field: Field, value: Any) -> Field:
    """The input with a record's present value in it."""
    if isinstance(value, dict):
        value = (
            "\n".join(f"{k}={v}" for k, v in value.items()) if field.shape == "pairs" else json.dumps(value)
        )
    elif isinstance(value, list | tuple) and field.shape == "list":
        value = "\n".join(str(v) for v in value)
    elif isinstance(value, list | tuple) and field.shape == "pick":
        value = [str(v) for v in value]
    elif field.shape == "choice" and isinstance(value, int):
        value = str(value)  # the key of another record
    return replace(field, value="" if value is None else value)


def read(fields: list[Field], given: QueryDict) -> dict[str, Any]:
    """What was typed, as the serializer takes it. An empty box is as if it were not there."""
    out: dict[str, Any] = {}
    for f in fields:
        text = "\n".join(given.getlist(f.name)) if f.shape in ("list", "pick") else given.get(f.name, "")
        if f.shape == "yes":
            out[f.name] = f.name in given
        elif f.shape in ("list", "pick") and text.strip():
            out[f.name] = [line.strip() for line in text.replace(",", "\n").splitlines() if line.strip()]
        elif f.shape == "pairs" and text.strip():
            lines = [line.partition("=") for line in text.splitlines() if line.strip()]
            out[f.name] = {name.strip(): value.strip() for name, _, value in lines}
        elif f.shape == "names" and text.strip():
            named = (line.partition("=") for line in text.splitlines() if line.strip())
            out[f.name] = [{"scheme": scheme.strip(), "value": value.strip()} for scheme, _, value in named]
        elif f.shape == "json" and text.strip():
            try:
                out[f.name] = json.loads(text)
            except ValueError:
                out[f.name] = text
        elif text.strip():
            out[f.name] = text
    return out
