"""Form fields for people, derived from REST serializers, so that a kind of record is described once. Other records are
chosen from those that the reader may see, by searching where there are many."""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import NOT_PROVIDED, Model
from django.http import QueryDict
from rest_framework import serializers

from watchkeeper.console.repeated import REPEATED, SHAPES, Repeated, rows_of, typed
from watchkeeper.domains.dashboards.definition import as_yaml
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.bulk import key_of
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.problems import told
from watchkeeper.kernel.resource import Resource, registry

FEW = 30  # other records to choose from that come with the page; the rest is found by searching


@dataclass(frozen=True)
class Field:
    """One input. `shape`: text, long, number, yes, choice, date, time, list (one entry a line), json, yaml,
    pick (any number of the choices), reference and references (one or any number of the records of the kind at `path`), or
    rows of one of the sorts in repeated.py."""

    name: str
    label: str
    shape: str
    help: str = ""
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    value: Any = ""
    error: str = ""
    rows: int = 3  # of a long text
    path: str = ""  # of the kind that it refers to
    more: bool = False  # there are more records than the choices
    initial: Any = ""  # what it holds in a form for a new record

    @property
    def touched(self) -> bool:
        """Whether somebody has said something here: the value is another than at first, and not nothing."""
        return self.value not in ("", [], {}, None) and str(self.value) != str(self.initial)

    @property
    def repeated(self) -> Repeated | None:
        """What its rows are, where it has rows."""
        return REPEATED.get(self.shape)

    def filled(self, given: QueryDict, error: Exception, actor: Actor) -> Field:
        """With what was typed and what was wrong with it."""
        detail = getattr(error, "detail", {})
        wrong = detail.get(self.name) if isinstance(detail, dict) else None
        text = "; ".join(words for _, words in told(wrong)) if wrong else ""
        many = self.shape in ("pick", "references")
        value: Any = given.getlist(self.name) if many else given.get(self.name, "")
        if self.repeated:
            value = typed(self.shape, self.name, given)
        field = replace(self, value=value, error=text)
        return with_choices(field, registry[self.path], actor) if self.path else field


def fields_of(
    serializer: type[serializers.BaseSerializer[Any]] | None,
    actor: Actor,
    names: Container[str] | None = None,
) -> list[Field]:
    """The inputs of a serializer, in its order; of these names only, where there are any."""
    if serializer is None:
        return []
    made: Any = serializer()
    wanted = ((n, f) for n, f in made.fields.items() if not f.read_only and (names is None or n in names))
    return [_field(name, f, actor) for name, f in wanted]


def reference_to(field: Field, model: type[Model], actor: Actor, *, many: bool) -> Field:
    """The input as a choice among the records of a model; a box for an id where they have no kind of their own."""
    kind = registry.of(model)
    if kind is None:
        return field
    shape = "references" if many else "reference"
    return with_choices(replace(field, shape=shape, path=kind.path, value=[] if many else ""), kind, actor)


def with_choices(field: Field, kind: Resource, actor: Actor) -> Field:
    """The chosen records and the newest others; all of them only where they are few."""
    chosen = field.value if isinstance(field.value, list) else [field.value]
    keys = [k for v in chosen if v not in ("", None) and (k := key_of(kind.model, v)) is not None]
    among = visible(actor, kind, kind.model._default_manager.all())
    held = list(among.filter(pk__in=keys)) if keys else []
    newest = among.order_by("-pk").values("pk")[: FEW + 1]  # which sorts no more than these
    first = list(kind.model._default_manager.filter(pk__in=newest).order_by(*kind.ordering))
    more, known = len(first) > FEW, {r.pk for r in held}
    records = (*held, *(r for r in first[:FEW] if r.pk not in known))
    return replace(field, choices=tuple((str(r.pk), kind.title(r)) for r in records), more=more)


#: serializer field → shape, the more special before the more general
_SHAPES: tuple[tuple[tuple[type, ...], str], ...] = (
    ((serializers.MultipleChoiceField, serializers.ListField), "list"),
    ((serializers.ChoiceField,), "choice"),
    ((serializers.BooleanField,), "yes"),
    ((serializers.IntegerField, serializers.FloatField, serializers.DecimalField), "number"),
    ((serializers.DateTimeField,), "time"),
    ((serializers.DateField,), "date"),
    ((serializers.DictField,), "pairs"),
    ((serializers.ListSerializer, serializers.JSONField), "json"),
)


def _field(name: str, field: serializers.Field[Any, Any, Any, Any], actor: Actor) -> Field:
    default = _default(name, field)
    label = str(field.label or name.replace("_", " ").capitalize())
    shape, choices = _shape(field)
    rows = int(field.style.get("rows", 3))
    made = Field(
        name,
        label,
        shape,
        str(field.help_text or ""),
        field.required,
        choices,
        default,
        rows=rows,
        initial=default,
    )
    many = isinstance(field, serializers.ManyRelatedField)
    related = field.child_relation if isinstance(field, serializers.ManyRelatedField) else field
    if isinstance(related, serializers.PrimaryKeyRelatedField):
        return reference_to(made, related.get_queryset().model, actor, many=many)
    return made


def _shape(field: serializers.Field[Any, Any, Any, Any]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Its shape, and what can be chosen."""
    if field.style.get("input") == "kind":
        return "choice", tuple((r.path, r.name) for r in sorted(registry, key=lambda r: r.name))
    if "input" in field.style:
        return str(field.style["input"]), ()
    match field:
        case serializers.ListField(child=serializers.ChoiceField() as child):
            return "pick", tuple((str(k), str(v).replace("_", " ")) for k, v in child.choices.items())
        case serializers.ListSerializer(child=serializers.Serializer() as child) if rows := SHAPES.get(
            frozenset(child.fields)
        ):
            return rows, ()
    shape = next((shape for types, shape in _SHAPES if isinstance(field, types)), "")
    if shape == "choice":
        return shape, tuple((str(k), str(v)) for k, v in field.choices.items())  # type: ignore[attr-defined]
    return shape or ("long" if field.style.get("base_template") == "textarea.html" else "text"), ()


def _default(name: str, field: serializers.Field[Any, Any, Any, Any]) -> Any:
    """What the box holds at first: the serializer's default, else the model's."""
    value = field.default
    if value is serializers.empty:
        model = getattr(getattr(field.parent, "Meta", None), "model", None)
        known = {f.name: f for f in model._meta.concrete_fields} if model else {}
        value = known[name].default if name in known else ""
    return "" if value is None or callable(value) or value is NOT_PROVIDED else value


def shown(field: Field, value: Any, actor: Actor) -> Field:
    """The input with a record's present value in it."""
    if field.shape == "secret":
        return replace(field, required=False)  # it is never shown, and stays as it is when nothing is typed
    if field.repeated:
        value = rows_of(field.shape, value)
    elif field.shape == "yaml":
        value = as_yaml(value)
    elif isinstance(value, dict):
        value = json.dumps(value)
    elif isinstance(value, list | tuple) and field.shape == "list":
        value = "\n".join(str(v) for v in value)
    elif isinstance(value, list | tuple) and field.shape in ("pick", "references"):
        value = [str(v) for v in value]
    elif field.shape in ("choice", "reference") and value is not None:
        value = str(value)
    now = replace(field, value="" if value is None else value)
    return with_choices(now, registry[field.path], actor) if field.path and now.value else now


def read(fields: list[Field], given: QueryDict, actor: Actor) -> dict[str, Any]:
    """What was typed, as the serializer takes it: lines end in one character, where browsers send two. An empty box is as
    if it were not there."""
    out: dict[str, Any] = {}
    many = ("list", "pick", "references")
    for f in fields:
        text = (
            "\n".join(_chosen(f, given, actor))
            if f.shape in many
            else given.get(f.name, "").replace("\r\n", "\n")
        )
        if f.shape == "yes":
            out[f.name] = f.name in given
        elif f.shape == "reference" and (chosen := _chosen(f, given, actor)):
            out[f.name] = chosen[-1]
        elif f.shape in many and text.strip():
            out[f.name] = [line.strip() for line in text.replace(",", "\n").splitlines() if line.strip()]
        elif f.repeated and (rows := typed(f.shape, f.name, given)):
            out[f.name] = f.repeated.value(rows)
        elif f.shape == "json" and text.strip():
            try:
                out[f.name] = json.loads(text)
            except ValueError:
                out[f.name] = text
        elif text.strip():
            out[f.name] = text
    return out


def _chosen(field: Field, given: QueryDict, actor: Actor) -> list[str]:
    """The values of an input; for records also those that were named, where the browser runs no scripts."""
    values = [v for v in given.getlist(field.name) if v.strip()]
    named = given.get(f"{field.name}__named", "") if field.path else ""
    words = [w.strip() for w in named.split(",") if w.strip()]
    return [*values, *(_key_of_name(registry[field.path], w, actor) for w in words)]


def _key_of_name(kind: Resource, word: str, actor: Actor) -> str:
    """The key of the only record of this name; the word itself, which the serializer refuses, where there is none."""
    names = [f.name for f in kind.model._meta.concrete_fields if f.name in ("name", "username")]
    among = visible(actor, kind, kind.model._default_manager.all())
    found = among.filter(**{names[0]: word})[:2] if names else ()
    return str(found[0].pk) if len(found) == 1 else word
