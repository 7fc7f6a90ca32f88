"""Forms of catalogue items as JSON Schema (draft 2020-12), of the part that a form can draw: an object of plain answers.
Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import re2

if TYPE_CHECKING:  # loaded where somebody fills in a form, not by every process and command
    from jsonschema import ValidationError

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EMPTY: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
_TOP = frozenset(
    {"$schema", "type", "title", "description", "properties", "required", "additionalProperties"}
)
_PART = frozenset(
    {"type", "title", "description", "default", "enum", "format", "minLength", "maxLength", "pattern", "minimum", "maximum",
     "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "items", "uniqueItems", "minItems", "maxItems",
     "contentMediaType"}
)  # fmt: skip
_TYPES = frozenset({"string", "number", "integer", "boolean", "array"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
QUESTIONS = 50  # of one form


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    """In linear time, whatever pattern and value are."""
    from jsonschema import ValidationError

    if isinstance(value, str) and not re2.search(pattern, value):
        yield ValidationError(f"it does not look like {pattern}")


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    return extend(Draft202012Validator, {"pattern": _pattern})


class BadForm(ValueError):
    """A schema that is none, or that no form can be drawn from."""


def check(schema: Any) -> None:
    """Raises BadForm, which says what is wrong with this schema and where."""
    from jsonschema import SchemaError

    if not isinstance(schema, dict):
        raise BadForm("a form is a JSON Schema of type object")
    try:
        _validator().check_schema(schema)
    except SchemaError as error:
        raise BadForm(
            f"{'.'.join(map(str, error.absolute_path)) or 'the schema'}: {error.message}"
        ) from error
    if schema.get("$schema", DIALECT) != DIALECT:
        raise BadForm(f"$schema: {DIALECT} is the only one")
    if schema.get("type") != "object":
        raise BadForm("type: the answers to a form are an object")
    if unknown := sorted(schema.keys() - _TOP):
        raise BadForm(f"{unknown[0]}: a form cannot show this; it may have {', '.join(sorted(_TOP))}")
    properties = schema.get("properties", {})
    if len(properties) > QUESTIONS:
        raise BadForm(f"properties: a form has at most {QUESTIONS} questions")
    if missing := [n for n in schema.get("required", []) if n not in properties]:
        raise BadForm(f"required: {missing[0]} is not among the properties")
    for name, part in properties.items():
        _check_part(name, part)


def _check_part(name: str, part: Any) -> None:
    if not _NAME.fullmatch(name):
        raise BadForm(f"{name[:70]}: a name has letters, digits and _ and begins with no digit")
    if not isinstance(part, dict) or part.get("type") not in _TYPES:
        raise BadForm(f"{name}.type: one of {', '.join(sorted(_TYPES))}")
    if unknown := sorted(part.keys() - _PART):
        raise BadForm(f"{name}.{unknown[0]}: a form cannot show this")
    try:
        re2.compile(part.get("pattern", ""))
    except re2.error as error:
        raise BadForm(f"{name}.pattern: {error}") from error
    options = part.get("items", {}).get("enum") if part["type"] == "array" else part.get("enum", [])
    if options is None or not all(isinstance(o, str) for o in options):
        raise BadForm(f"{name}: what can be chosen is a list of texts" + _of_array(part))
    if not options and ("enum" in part or part["type"] == "array"):
        raise BadForm(f"{label_of(name, part)}: what can be chosen?")
    if part["type"] == "array" and set(part["items"]) - {"type", "enum"}:
        raise BadForm(f"{name}.items: a type and what can be chosen, nothing else")


def _of_array(part: Mapping[str, Any]) -> str:
    return " (items.enum)" if part["type"] == "array" else ""


def completed(schema: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers, with the schema's defaults for what was not answered."""
    parts = schema.get("properties", {})
    return {**{n: p["default"] for n, p in parts.items() if "default" in p}, **answers}


def wrong(schema: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with these answers: name of the question → what, in words; empty when nothing is.

    >>> wrong({"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}, {"n": 0})
    {'n': 'at least 1'}
    """
    from jsonschema import FormatChecker

    found: dict[str, str] = {}
    closed = {"additionalProperties": False, **schema}
    for error in _validator()(closed, format_checker=FormatChecker()).iter_errors(dict(answers)):
        for name, words in _told(error, schema, answers):
            found.setdefault(name, words)
    return found


def _told(
    error: ValidationError, schema: Mapping[str, Any], answers: Mapping[str, Any]
) -> list[tuple[str, str]]:
    if error.validator == "required" and not error.absolute_path:
        return [(n, "it has to be answered") for n in schema.get("required", []) if n not in answers]
    if error.validator == "additionalProperties":
        return [(n, "the form does not ask this") for n in answers if n not in schema.get("properties", {})]
    name = str(error.absolute_path[0]) if error.absolute_path else ""
    return [(name, _words(error))]


def _words(error: ValidationError) -> str:
    limit: Any = error.validator_value
    match error.validator:
        case "type":
            return f"it has to be {_AS_WORDS.get(str(limit), str(limit))}"
        case "enum":
            return f"one of: {', '.join(map(str, limit))}"
        case "format":
            return f"not {'an' if str(limit)[0] in 'aeiou' else 'a'} {limit}"
        case _ if error.validator in _LIMITS:
            return _LIMITS[str(error.validator)].format(limit)
    return str(error.message)


_AS_WORDS = {"string": "a text", "number": "a number", "integer": "a whole number", "boolean": "yes or no",
             "array": "a list"}  # fmt: skip
_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "uniqueItems": "each only once",
    "pattern": "it does not look like {}",
}


def label_of(name: str, part: Mapping[str, Any]) -> str:
    """What a question is called."""
    return str(part.get("title") or name.replace("_", " ").capitalize())


def in_words(schema: Mapping[str, Any], answers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was asked and answered, to be read."""
    parts = schema.get("properties", {})
    return [(label_of(n, p), _said(answers[n])) for n, p in parts.items() if n in answers]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
