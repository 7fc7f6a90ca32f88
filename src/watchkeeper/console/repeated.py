"""What a form asks for again and again, in rows that can be added and taken away: labels with their values, identifiers,
matchers. Here a value becomes rows of texts, and rows become a value as the serializer takes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from django.http import QueryDict

from watchkeeper.console import questions

Row = dict[str, str]

SIGNS = (("is", "is"), ("is_not", "is not"), ("matches", "matches"), ("not_matches", "does not match"))
_SIGN_OF = {
    (False, True): "is",
    (False, False): "is_not",
    (True, True): "matches",
    (True, False): "not_matches",
}
_MEANING = {sign: meaning for meaning, sign in _SIGN_OF.items()}


class Part(NamedTuple):
    """One input of a row; with `choices` one of these."""

    name: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    hidden: bool = False  # what people do not see, and what has to stay


class Repeated(NamedTuple):
    """Rows of one sort; a row counts when any of its texts (not a choice) is not empty."""

    one: str  # what a row is
    parts: tuple[Part, ...]
    rows: Callable[[Any], list[Row]]
    value: Callable[[list[Row]], Any]


def _pairs(value: dict[str, Any]) -> list[Row]:
    return [{"name": str(k), "value": str(v)} for k, v in value.items()]


def _names(value: list[Any]) -> list[Row]:
    return [{"scheme": str(x["scheme"]), "value": str(x["value"])} for x in value]


def _matchers(value: list[Any]) -> list[Row]:
    return [
        {"name": str(m.get("name", "")), "sign": _SIGN_OF[bool(m.get("isRegex", False)), bool(m.get("isEqual", True))],
         "value": str(m.get("value", ""))}
        for m in value
    ]  # fmt: skip


def _matcher(row: Row) -> dict[str, Any]:
    regex, equal = _MEANING.get(row["sign"], (False, True))
    return {"name": row["name"], "value": row["value"], "isRegex": regex, "isEqual": equal}


def _answers(value: list[Any]) -> list[Row]:
    return [{"answer": str(x["answer"]), "step": str(x["step"])} for x in value]


#: by the shape of the field
REPEATED = {
    "pairs": Repeated("name and value", (Part("name", "Name"), Part("value", "Value")), _pairs,
                      lambda rows: {r["name"].strip(): r["value"].strip() for r in rows}),
    "names": Repeated("identifier", (Part("scheme", "Scheme, such as fqdn"), Part("value", "Value")), _names,
                      lambda rows: [{k: v.strip() for k, v in r.items()} for r in rows]),
    "answers": Repeated("answer", (Part("answer", "Answer"), Part("step", "Goes to step")), _answers,
                        lambda rows: [{k: v.strip() for k, v in r.items()} for r in rows]),
    "matchers": Repeated("label", (Part("name", "Label"), Part("sign", "How", SIGNS), Part("value", "Value")), _matchers,
                         lambda rows: [_matcher(r) for r in rows]),
    "questions": Repeated("question", tuple(Part(*p) for p in questions.PARTS), questions.rows_of, questions.schema_of),
}  # fmt: skip
#: names of the fields of a list's members → its shape
SHAPES = {
    frozenset({"scheme", "value"}): "names",
    frozenset({"answer", "step"}): "answers",
    frozenset({"name", "value", "isRegex", "isEqual"}): "matchers",
}


def rows_of(shape: str, value: Any) -> list[Row]:
    """The rows of a value as REST has it, or of its JSON as a link has it; none of what cannot be read."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    try:
        return REPEATED[shape].rows(value) if value else []
    except (AttributeError, KeyError, TypeError):
        return []


def typed(shape: str, name: str, given: QueryDict) -> list[Row]:
    """The rows that were typed into the field of this name."""
    parts = REPEATED[shape].parts
    columns = [given.getlist(f"{name}__{part.name}") for part in parts]
    rows = [dict(zip((p.name for p in parts), texts, strict=True)) for texts in zip(*columns, strict=False)]
    return [r for r in rows if any(r[p.name].strip() for p in parts if not p.choices and not p.hidden)]
