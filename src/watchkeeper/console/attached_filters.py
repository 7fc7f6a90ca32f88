"""What can be asked of tags and custom fields in a list, and how it is said; filters.py does it for a kind's own fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from watchkeeper.console import attached
from watchkeeper.console.fields import Field
from watchkeeper.console.templatetags.console import as_time, exact
from watchkeeper.domains.annotations import custom_fields as defined
from watchkeeper.domains.annotations.models import CustomField, Tag
from watchkeeper.kernel import extras
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import subject
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.problems import NotThere
from watchkeeper.kernel.resource import Resource

TAGS = 500  # to choose from


@dataclass(frozen=True)
class Lookup:
    """One parameter of a list: `field` and how it is compared, in words. `of`: the custom field that it is about."""

    parameter: str
    field: str
    word: str
    of: CustomField | None = None


_TAG = (Lookup("tag", "tag", "is"), Lookup("tag__any", "tag", "is one of"))
_TEXT = {"": "is", "icontains": "contains", "in": "is one of"}
_NUMBER = {"": "is", "gte": "is at least", "gt": "is more than", "lte": "is at most", "lt": "is less than"}
_TIME = {"": "is", "gte": "from", "gt": "after", "lte": "until", "lt": "before"}
#: type of a custom field → look-up → how it is said
_WAYS = {
    "text": _TEXT, "long_text": _TEXT, "url": _TEXT, "whole": _NUMBER, "decimal": _NUMBER, "date": _TIME,
    "moment": _TIME, "yes_no": {"": "is"}, "choice": {"": "is", "in": "is one of"},
    "choices": {"": "has", "in": "has one of"}, "reference": {"": "is"},
}  # fmt: skip


def is_one(lookup: Lookup) -> bool:
    """Whether it is about tags or a custom field."""
    return lookup.of is not None or lookup.field == "tag"


def choices(resource: Resource) -> list[tuple[str, str]]:
    """Fields that can be filtered by, with their labels."""
    if resource.path in attached.BARE:
        return []
    tag = [("tag", "Tag")] if _tagged(resource) else []
    return [*tag, *((f"{defined.PREFIX}{f.name}", f.called) for f in defined.fields_of(resource))]


def lookups(resource: Resource, field: str) -> tuple[Lookup, ...]:
    """What can be asked of a field; nothing where there is no such field."""
    if field == "tag":
        return _TAG if _tagged(resource) else ()
    name = field.removeprefix(defined.PREFIX)
    known = next((f for f in defined.fields_of(resource) if f.name == name), None) if name != field else None
    if known is None:
        return ()
    ways = {**_WAYS.get(known.type, {"": "is"}), "isnull": "is empty"}
    return tuple(
        Lookup(f"{field}__{how}" if how else field, field, word, known) for how, word in ways.items()
    )


def _tagged(resource: Resource) -> bool:
    return any(e.name == "tags" for e in extras.of(resource))


def label(lookup: Lookup) -> str:
    """What people call the field."""
    return lookup.of.called if lookup.of is not None else "Tag"


def value_input(field: Field, lookup: Lookup, actor: Actor) -> Field:
    """The input for a value to compare with."""
    several = lookup.parameter.endswith(("__any", "__in"))
    if lookup.of is None:
        names = tuple((n, n) for n in Tag.objects.values_list("name", flat=True)[:TAGS])
        return replace(
            field, shape="pick" if several else "choice", choices=names, value=[] if several else ""
        )
    if lookup.parameter.endswith("__isnull"):
        return replace(field, shape="choice", choices=(("true", "yes"), ("false", "no")))
    made = attached.input_of(lookup.of, "", actor)
    made = replace(field, shape=made.shape, choices=made.choices, path=made.path, more=made.more)
    if made.shape in ("choice", "pick"):
        return replace(made, shape="pick" if several else "choice", value=[] if several else "")
    return replace(made, shape="text" if made.shape == "long" else made.shape,
                   help="several with commas between" if several else "")  # fmt: skip


def parts(parameter: str, value: str) -> Sequence[tuple[str, str]]:
    """Each filter that a value stands for, and what is left without it: several tags are several filters."""
    names = [n.strip() for n in value.split(",") if n.strip()] if parameter == "tag" else []
    if len(names) < 2:
        return [(value, "")]
    return [(name, ",".join(n for n in names if n != name)) for name in names]


def said(lookup: Lookup, value: str, actor: Actor) -> Any:
    """A value in words."""
    match lookup.of:
        case CustomField(type="yes_no"):
            return {"true": "yes", "false": "no"}.get(value, value)
        case CustomField(type="moment") if at := as_time(value):
            return exact(at)
        case CustomField(type="reference", target=target):
            return _title(target, value, actor)
    return ", ".join(part.strip() for part in value.split(","))


def _title(kind: str, key: str, actor: Actor) -> str:
    try:
        resource, record = subject(kind, key)
    except NotThere:
        return key
    return resource.title(record) if may(actor, "read", resource, record) else key
