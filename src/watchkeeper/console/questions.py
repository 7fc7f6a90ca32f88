"""The questions of a form as rows of texts, and rows as the JSON Schema that they stand for. What a row has no box for
(limits, patterns, defaults) is kept in a hidden one, so that editing in rows loses nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

Row = dict[str, str]
TYPES = (("text", "a line of text"), ("long", "a longer text"), ("integer", "a whole number"), ("number", "a number"),
         ("yes", "yes or no"), ("date", "a date"), ("email", "an e-mail address"), ("one", "one of"),
         ("several", "any number of"))  # fmt: skip
NEEDED = (("", "may be left out"), ("yes", "has to be answered"))
#: as repeated.Part takes them: name, label, choices, hidden
PARTS: tuple[tuple[Any, ...], ...] = (
    ("label", "Question"),
    ("type", "Answer", TYPES),
    ("choices", "Choices, separated by commas"),
    ("needed", "Needed", NEEDED),
    ("help", "Hint"),
    ("key", "Name", (), True),
    ("more", "Limits", (), True),
)
_OF_TYPE: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "long": {"type": "string", "contentMediaType": "text/plain"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "yes": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "email": {"type": "string", "format": "email"},
    "one": {"type": "string"},
    "several": {"type": "array", "uniqueItems": True},
}
_SHOWN = ("type", "title", "description", "enum", "items", "contentMediaType", "uniqueItems")


def type_of(part: Mapping[str, Any]) -> str:
    """Which of TYPES a property of a schema is."""
    match part:
        case {"type": "array"}:
            return "several"
        case {"enum": _}:
            return "one"
        case {"type": "boolean"}:
            return "yes"
        case {"type": "integer" | "number" as kind}:
            return str(kind)
        case {"format": "date" | "email" as kind}:
            return str(kind)
        case {"contentMediaType": _}:
            return "long"
    return "text"


def choices_of(part: Mapping[str, Any]) -> list[str]:
    """What can be chosen."""
    return list(
        part.get("items", {}).get("enum", []) if part.get("type") == "array" else part.get("enum", [])
    )


def rows_of(schema: Mapping[str, Any]) -> list[Row]:
    """A row for each question."""
    required = schema.get("required", [])
    return [_row(name, part, name in required) for name, part in schema.get("properties", {}).items()]


def _row(name: str, part: Mapping[str, Any], needed: bool) -> Row:
    kind = type_of(part)
    own = {"format"} if kind in ("date", "email") else set()
    more = {k: v for k, v in part.items() if k not in _SHOWN and k not in own}
    return {
        "label": str(part.get("title", name)), "type": kind, "choices": ", ".join(choices_of(part)),
        "needed": "yes" if needed else "", "help": str(part.get("description", "")), "key": name,
        "more": json.dumps(more) if more else "",
    }  # fmt: skip


def schema_of(rows: list[Row]) -> dict[str, Any]:
    """The schema of these questions; names are made of what is asked, and stay when that is reworded.

    >>> schema_of(rows_of({"properties": {"n": {"type": "integer", "title": "How many", "minimum": 1}}}))["properties"]
    {'n': {'type': 'integer', 'minimum': 1, 'title': 'How many'}}
    """
    properties: dict[str, Any] = {}
    required = []
    for row in rows:
        label = row["label"].strip() or row["key"]
        name = _free(row["key"].strip() or _name(label), properties)
        properties[name] = _part(row, label)
        if row["needed"]:
            required.append(name)
    return {"type": "object", "properties": properties, "required": required}


def _part(row: Row, label: str) -> dict[str, Any]:
    kind = row["type"] if row["type"] in _OF_TYPE else "text"
    try:
        more = json.loads(row["more"] or "{}")
    except ValueError:
        more = {}
    part = {**_OF_TYPE[kind], **(more if isinstance(more, dict) else {}), "title": label}
    options = list(dict.fromkeys(c.strip() for c in row["choices"].split(",") if c.strip()))
    if kind == "one":
        part["enum"] = options
    if kind == "several":
        part["items"] = {"type": "string", "enum": options}
    if row["help"].strip():
        part["description"] = row["help"].strip()
    return part


def _name(label: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:50]
    return name if name[:1].isalpha() else f"q_{name}".rstrip("_")


def _free(name: str, taken: Mapping[str, Any]) -> str:
    found, n = name, 2
    while found in taken:
        found, n = f"{name}_{n}", n + 1
    return found
