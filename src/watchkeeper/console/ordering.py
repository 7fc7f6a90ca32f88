"""An order's form as inputs, drawn from the schema of its catalogue item, and what was typed as answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from watchkeeper.console.fields import Field
from watchkeeper.console.questions import choices_of, type_of
from watchkeeper.domains.catalog.forms import label_of

_SHAPES = {"text": "text", "email": "text", "long": "long", "integer": "number", "number": "number", "yes": "yes",
           "date": "date", "one": "choice", "several": "pick"}  # fmt: skip


def inputs(schema: Mapping[str, Any], answers: Mapping[str, Any], wrong: Mapping[str, str]) -> list[Field]:
    """An input for each question, with what was answered and what is wrong with it."""
    required = schema.get("required", [])
    return [
        Field(
            name, label_of(name, part), _SHAPES[type_of(part)], str(part.get("description", "")),
            required=name in required, choices=tuple((c, c) for c in choices_of(part)),
            value=answers.get(name, part.get("default", [] if part.get("type") == "array" else "")),
            error=wrong.get(name, ""),
        )
        for name, part in schema.get("properties", {}).items()
    ]  # fmt: skip


def answered(schema: Mapping[str, Any], given: QueryDict) -> dict[str, Any]:
    """What was typed; an empty box is no answer. What is no number stays a text, which is refused."""
    out: dict[str, Any] = {}
    for name, part in schema.get("properties", {}).items():
        match type_of(part):
            case "yes":
                out[name] = name in given
            case "several":
                if chosen := given.getlist(name):
                    out[name] = chosen
            case kind if text := given.get(name, "").strip():
                out[name] = _number(text, kind) if kind in ("integer", "number") else text
    return out


def _number(text: str, kind: str) -> Any:
    try:
        value = float(text)
        return int(value) if value.is_integer() else value if kind == "number" else text
    except (ValueError, OverflowError):
        return text
