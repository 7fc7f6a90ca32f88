"""Names of fields and plain values as people say and read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from watchkeeper.console.templatetags.console import as_time, chips, exact, kind
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import Resource, registry

WORDS = {"at": "When", "act": "What", "address": "From address", "rate": "Rows a second, at most",
         "count": "Times told", "firings": "Times it began", "prefix": "Begins with",
         "memberships__situation": "In the situation", "memberships__alert": "With the alert",
         "starts_at": "Began", "ends_at": "Ended", "last_login": "Last signed in",
         "sealed_no": "Number in the chain", "per_minute": "A minute, at most", "message": "Message id"}  # fmt: skip


def called(resource: Resource, name: str) -> str:
    """What a column of a kind is called: as its model says, if it says more than the column's name."""
    field = next((f for f in resource.model._meta.concrete_fields if f.name == name), None)
    said = str(field.verbose_name) if field is not None else ""
    return label(name) if said in ("", name.replace("_", " ")) else said[:1].upper() + said[1:]


def label(name: str) -> str:
    """A field's name as people say it: "first_seen_at" is "First seen"."""
    return WORDS.get(name) or name.removesuffix("_at").replace("_", " ").capitalize()


def plain(value: Any) -> SafeString:
    """Any plain data, without braces and quotes."""
    match value:
        case bool():
            return SafeString("yes" if value else "no")
        case float() if value.is_integer():
            return SafeString(int(value))
        case dict() if value and all(isinstance(v, str | int | float | None) for v in value.values()):
            return chips({k: "–" if v in ("", None) else v for k, v in value.items()})
        case dict():
            pairs = ((label(str(k)), plain(v)) for k, v in value.items() if v not in ("", None, [], {}))
            return format_html_join("", "<div>{}: {}</div>", pairs)
        case list() | tuple():
            return format_html_join("", "<div>{}</div>", ((plain(v),) for v in value))
        case str() if "\n" in value.strip():
            return format_html('<pre class="mb-0">{}</pre>', value)
        case str() if kind(value) == "time":
            return exact(as_time(value))
    return format_html("{}", value)


class Titles:
    """Titles of the records that values refer to, as far as these may be seen; what was read once is known."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._known: dict[tuple[type[models.Model], str], str] = {}

    def read(self, model: type[models.Model], keys: Iterable[Any]) -> None:
        """Read what is not known yet of these, in one query."""
        missing = {str(k) for k in keys if k is not None} - {k for m, k in self._known if m is model}
        kind = registry.of(model)
        if not missing:
            return
        keys_of = {k for k in missing if _is_key(model, k)}
        found = visible(self._actor, kind, model._default_manager.filter(pk__in=keys_of)) if kind else ()
        titles = {str(r.pk): str(r) for r in found}
        self._known |= {(model, k): titles.get(k, k) for k in missing}

    def of(self, model: type[models.Model], value: Any) -> str:
        """Of one key or a list of them."""
        keys = value if isinstance(value, list) else [value]
        self.read(model, keys)
        return ", ".join(self._known.get((model, str(k)), "–") for k in keys)


def _is_key(model: type[models.Model], value: str) -> bool:
    """Whether it can be a key of this kind: what has been written down long ago may be a number or a name."""
    try:
        model._meta.pk.to_python(value)
    except ValidationError:
        return False
    return True


def read_titles(resource: Resource, values: Iterable[Mapping[str, Any]], titles: Titles) -> None:
    """Read the titles of all that these values of a kind's fields refer to, with a query for each kind of it."""
    keys: dict[Any, set[Any]] = {}
    for name, value in (pair for of in values for pair in of.items()):
        field = field_of(resource.model, name)
        if isinstance(field, models.ForeignKey | models.ManyToManyField):
            keys.setdefault(field.related_model, set()).update(value if isinstance(value, list) else [value])
    for model, wanted in keys.items():
        titles.read(model, wanted)


def field_of(model: type[models.Model], name: str) -> Any:
    """The field of this name, or of this column; None where there is none."""
    return next((f for f in model._meta.get_fields() if name in (f.name, getattr(f, "attname", ""))), None)


@lru_cache(maxsize=1024)
def _choices(model: type[models.Model], name: str) -> Mapping[str, str]:
    known = getattr(field_of(model, name), "choices", None) or ()
    return {str(v): str(said).replace("_", " ") for v, said in known}


def choice(resource: Resource, name: str, value: Any, *, short: bool = False) -> str:
    """How people say one of the choices of a field; `short` without what explains it. "" for what is none.

    >>> choice(registry["work-orders"], "kind", "reactive"), choice(registry["work-orders"], "kind", "reactive", short=True)
    ('reactive: it has failed', 'reactive')
    """
    words = _choices(resource.model, name).get(str(getattr(value, "value", value)), "")
    return words.partition(": ")[0].partition(" (")[0] if short else words


def said(resource: Resource, name: str, value: Any, titles: Titles) -> SafeString:
    """A value of a field, as REST or the audit trail has it, in words: the title of what it refers to, the label of
    a choice, a time; "–" for nothing."""
    if value in (None, "", [], {}):
        return SafeString("–")
    field = field_of(resource.model, name)
    if isinstance(field, models.ForeignKey | models.ManyToManyField):
        return plain(titles.of(field.related_model, value))
    if isinstance(value, str | int) and (words := choice(resource, name, value)):
        return format_html("{}", words)
    return plain(value)
