"""Defining custom fields: what a definition has to say, and what a change of it means for the values that are there.

Kind, name and type are said once. Values stay as they are when the bounds change, and are told apart as unfit until
somebody changes them; values of a removed field go with it.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.annotations.custom_fields import kinds_of
from watchkeeper.domains.annotations.models import CustomField, FieldType
from watchkeeper.domains.annotations.rules import NAME, Rule, Unfit, compiled, kept
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import family
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import RecordSerializer, readable

MOST = 100  # custom fields of a kind
_SIZED = ("text", "long_text", "whole", "decimal")


class CustomFieldSerializer(RecordSerializer):
    """With how many records have a value, and for how many of them it does not fit any more."""

    choices = serializers.ListField(child=serializers.CharField(max_length=100), required=False, default=list)
    default = serializers.JSONField(required=False, allow_null=True, default=None)
    records = serializers.IntegerField(read_only=True, default=0)

    class Meta:
        model = CustomField
        fields = ("id", "kind", "name", "label", "type", "target", "help", "required", "default", "choices",
                  "minimum", "maximum", "pattern", "position", "in_lists", "records")  # fmt: skip
        extra_kwargs = {
            "kind": {
                "help_text": "the path of the kind, such as devices; items means every kind of item",
                "style": {"input": "kind"},
            },
            "name": {"help_text": "for programs: small letters, digits and _"},
            "target": {
                "help_text": "for a reference: the kind that it refers to",
                "style": {"input": "kind"},
            },
            "pattern": {"help_text": "what text has to look like, as RE2 writes it"},
        }
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What the parts of the definition ask of one another. Raises ValidationError."""
        now = {
            f: attrs.get(f, getattr(self.instance, f, None))
            for f in self.Meta.fields
            if f not in ("id", "records")
        }
        if now["type"] in ("text", "long_text") and isinstance(now["default"], int | float):
            now["default"] = attrs["default"] = str(now["default"])  # as a form or a command gives 4711
        errors = {name: [words] for name, words in _wrong(now, self.instance) if words}
        if errors:
            raise serializers.ValidationError(errors)
        return attrs


def _wrong(now: dict[str, Any], instance: CustomField | None) -> Any:
    """Field and what is wrong with it."""
    kind, name, type_ = now["kind"], now["name"] or "", now["type"] or FieldType.TEXT
    known = {r.path for r in registry}
    choices, pattern = now["choices"] or [], now["pattern"] or ""
    if instance is None:
        yield "kind", "" if kind in known else f"There is no kind of record {kind!r}."
        yield "name", "" if NAME.fullmatch(name) else "Small letters, digits and _, with a letter first."
        yield "name", _taken(kind, name) if kind in known else ""
        wants = type_ == "reference"
        yield (
            "target",
            ""
            if (now["target"] in known) is wants or (not wants and not now["target"])
            else (
                "Say which kind of record it refers to." if wants else "Only a reference refers to a kind."
            ),
        )
    wants = type_ in ("choice", "choices")
    yield (
        "choices",
        "" if bool(choices) is wants else "Say what can be chosen." if wants else "Only for choices.",
    )
    yield "choices", "" if len({*choices}) == len(choices) else "One of them is there twice."
    yield (
        "choices",
        "No choice has a comma or ends a line." if any("," in c or "\n" in c for c in choices) else "",
    )
    least, most = now["minimum"], now["maximum"]
    yield (
        "minimum",
        "Only for numbers and the length of text." if least is not None and type_ not in _SIZED else "",
    )
    yield (
        "maximum",
        "Only for numbers and the length of text." if most is not None and type_ not in _SIZED else "",
    )
    yield "maximum", "It is less than the minimum." if None not in (least, most) and most < least else ""
    yield "pattern", "Only for text." if pattern and type_ not in ("text", "long_text") else _pattern(pattern)
    yield "default", _default(now, Rule(str(type_), tuple(choices), least, most, pattern))


def _pattern(pattern: str) -> str:
    try:
        compiled(pattern) if pattern else None
    except Unfit as error:
        return f"{error}."
    return ""


def _default(now: dict[str, Any], rule: Rule) -> str:
    if now["default"] in (None, "", []) or (rule.pattern and _pattern(rule.pattern)):
        return ""
    if rule.type == "reference":
        return "A reference has no default."
    try:
        kept(rule, now["default"])
    except Unfit as error:
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    return ""


def _taken(kind: str, name: str) -> str:
    related = (
        {*family(registry[kind])} if kind in kinds_of(registry[kind])[:1] else {*kinds_of(registry[kind])}
    )
    if CustomField.objects.filter(kind__in=related, name=name).exists():
        return "This kind of record has a custom field of this name already."
    if name in readable(registry[kind]):
        return "This kind of record has a field of this name of its own."
    if CustomField.objects.filter(kind=kind).count() >= MOST:
        return f"More than {MOST} custom fields are too many for one kind."
    return ""


def create(_: Actor, data: dict[str, Any]) -> CustomField:
    """A new field."""
    return CustomField.objects.create(**_plain(data, data.get("type", FieldType.TEXT)))


def change(_: Actor, field: CustomField, data: dict[str, Any]) -> CustomField:
    """The field as it is said now; values stay."""
    for name, value in _plain(data, field.type).items():
        setattr(field, name, value)
    field.save()
    return field


def _plain(data: dict[str, Any], type_: str) -> dict[str, Any]:
    """With the default in the shape in which values are shown. Choices are in it already."""
    default = data.get("default")
    if "default" not in data or type_ in ("choice", "choices"):
        return data
    return {**data, "default": None if default in (None, "", []) else kept(Rule(str(type_)), default).plain}


def unfit(field: CustomField) -> int:
    """How many of its values would not be taken today."""
    rule, wrong = field.rule, 0
    if field.type == "reference":
        return 0
    for value in field.values.values_list("value", flat=True).iterator(chunk_size=2000):
        try:
            kept(rule, value)
        except Unfit:
            wrong += 1
    return wrong
