"""Filters of a list as people say them: what can be asked of each field, the input for it, and what is asked now as
words with a way to take each back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import django_filters as df
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html
from django.utils.safestring import SafeString

from watchkeeper.console import attached_filters
from watchkeeper.console.attached_filters import Lookup
from watchkeeper.console.fields import Field, read, reference_to
from watchkeeper.console.templatetags.console import as_time, exact
from watchkeeper.console.wording import called
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.bulk import key_of
from watchkeeper.kernel.lists import CONTROL, filters_of
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import Resource, registry

#: look-up → how it is said, of text and choices; of numbers; of times
_WORDS = {
    "exact": ("is", "is", "is"),
    "not": ("is not", "is not", "is not"),
    "in": ("is one of", "is one of", "is one of"),
    "icontains": ("contains",) * 3,
    "startswith": ("begins with",) * 3,
    "gte": ("from", "is at least", "from"),
    "gt": ("after", "is more than", "after"),
    "lte": ("up to", "is at most", "until"),
    "lt": ("before", "is less than", "before"),
    "isnull": ("is empty",) * 3,
    "empty": ("is empty",) * 3,
}
_TIMES = (df.IsoDateTimeFilter, df.DateTimeFilter, df.DateFilter)


@dataclass(frozen=True)
class Chip:
    """A filter that is set, and the query without it."""

    text: SafeString
    without: str


def lookups(resource: Resource, field: str) -> tuple[Lookup, ...]:
    """What can be asked of a field, also of one that people have added; nothing where there is no such field."""
    return _own(resource).get(field, ()) or attached_filters.lookups(resource, field)


@lru_cache(maxsize=256)
def _own(resource: Resource) -> Mapping[str, tuple[Lookup, ...]]:
    """Field → what can be asked of it."""
    made = filters_of(resource).base_filters
    return {
        field: tuple(
            Lookup(name, field, _word(made[name], how))
            for how in ("exact", "not", *(h for h in hows if h != "exact"), "empty")
            if (name := field if how == "exact" else f"{field}__{how}") in made
        )
        for field, hows in resource.filters.items()
    }


def lookup_of(resource: Resource, parameter: str) -> Lookup | None:
    """The look-up of a parameter; None when it is no filter."""
    own = (one for found in _own(resource).values() for one in found)
    if found := next((one for one in own if one.parameter == parameter), None):
        return found
    among = attached_filters.lookups(resource, parameter.partition("__")[0])
    return next((one for one in among if one.parameter == parameter), None)


def label(resource: Resource, field: str) -> str:
    """What people call the field of a filter: "Identifiers: value" for what belongs to something else."""
    first, _, rest = field.partition("__")
    return f"{called(resource, first)}: {rest.replace('_', ' ')}" if rest else called(resource, first)


def choices(resource: Resource) -> list[tuple[str, str]]:
    """Fields that can be filtered by, with their labels, in order of these."""
    own = ((f, label(resource, f)) for f in _own(resource))
    return sorted((*own, *attached_filters.choices(resource)), key=lambda c: c[1].lower())


def value_input(resource: Resource, lookup: Lookup, actor: Actor) -> Field:
    """The input for a value to compare with."""
    field = Field("add-value", "Value", "text", required=True)
    if attached_filters.is_one(lookup):
        return attached_filters.value_input(field, lookup, actor)
    made = filters_of(resource).base_filters[lookup.parameter]
    many = isinstance(made, df.BaseInFilter)
    match made:
        case df.BooleanFilter():
            return replace(field, shape="choice", choices=(("true", "yes"), ("false", "no")))
        case df.ModelChoiceFilter():
            return reference_to(field, made.queryset.model, actor, many=False)
        case _ if many and (other := _refers(resource, lookup)):
            return reference_to(field, other, actor, many=True)
        case _ if found := _choices(resource, lookup, made):
            return replace(field, shape="pick" if many else "choice", choices=found, value=[] if many else "")
        case df.IsoDateTimeFilter() | df.DateTimeFilter():
            return replace(field, shape="time")
        case df.DateFilter():
            return replace(field, shape="date")
        case df.NumberFilter() if not many:
            return replace(field, shape="number")
    return replace(field, help="several with commas between" if many else "")


def value_of(field: Field, given: QueryDict, actor: Actor) -> str:
    """What was typed or chosen, as the list takes it."""
    found = read([field], given, actor).get(field.name, "")
    return ",".join(found) if isinstance(found, list) else str(found)


def chips(
    resource: Resource, actor: Actor, asked: MultiValueDict[str, str], kept: Mapping[str, str]
) -> list[Chip]:
    """What is asked, as words. `kept` is what every query of this page goes on with, such as the chosen columns."""
    out = []
    for name in asked:
        lookup = lookup_of(resource, name)
        if lookup is None and name != "search":
            continue
        for value, left in attached_filters.parts(name, asked[name]):
            words = format_html("Words: <strong>{}</strong>", value)
            text = words if lookup is None else _said(resource, actor, lookup, value)
            out.append(Chip(text, _without(asked, name, left, kept)))
    return out


def _without(asked: MultiValueDict[str, str], name: str, left: str, kept: Mapping[str, str]) -> str:
    """The query with what is left of a filter."""
    rest = QueryDict(mutable=True)
    for other in asked:
        if other != name:
            rest.setlist(other, asked.getlist(other))
        elif left:
            rest[name] = left
    rest.update(dict(kept))
    if not any(n not in CONTROL or n == "search" for n in rest):
        rest["all"] = "1"
    return rest.urlencode()


def _said(resource: Resource, actor: Actor, lookup: Lookup, value: str) -> SafeString:
    extra = attached_filters.is_one(lookup)
    name = attached_filters.label(lookup) if extra else label(resource, lookup.field)
    if lookup.parameter.endswith(("__isnull", "__empty")):
        return format_html("{} {}", name, "is empty" if value == "true" else "is not empty")
    if extra:
        words = attached_filters.said(lookup, value, actor)
    else:
        words = _value(resource, actor, lookup, filters_of(resource).base_filters[lookup.parameter], value)
    return format_html("{} {} <strong>{}</strong>", name, lookup.word, words)


def _value(resource: Resource, actor: Actor, lookup: Lookup, made: Any, value: str) -> Any:
    if (other := _refers(resource, lookup)) is not None:
        kind = registry.of(other)
        keys = [k for v in value.split(",") if (k := key_of(other, v)) is not None]
        found = [] if kind is None else visible(actor, kind, other._default_manager.filter(pk__in=keys))
        return ", ".join(str(r) for r in found) or value
    if isinstance(made, _TIMES) and (at := as_time(value)):
        return exact(at)
    if isinstance(made, df.BooleanFilter):
        return {"true": "yes", "false": "no"}.get(value, value)
    known = dict(_choices(resource, lookup, made))
    return ", ".join(known.get(v, v) for v in value.split(",")) if known else value


def _word(made: Any, how: str) -> str:
    text, number, time = _WORDS.get(how, (how,) * 3)
    if isinstance(made, _TIMES):
        return time
    return (
        number if isinstance(made, df.NumberFilter) and not isinstance(made, df.ModelChoiceFilter) else text
    )


def _model_field(resource: Resource, lookup: Lookup) -> Any:
    return next((f for f in resource.model._meta.get_fields() if f.name == lookup.field), None)


def _refers(resource: Resource, lookup: Lookup) -> Any:
    """The model that the field refers to, where its value is a key."""
    field = _model_field(resource, lookup)
    return field.related_model if field is not None and getattr(field, "many_to_one", False) else None


def _choices(resource: Resource, lookup: Lookup, made: Any) -> tuple[tuple[str, str], ...]:
    field = _model_field(resource, lookup)
    found = made.extra.get("choices") or getattr(field, "choices", None) or ()
    return tuple((str(v), str(text).replace("_", " ")) for v, text in (found() if callable(found) else found))
