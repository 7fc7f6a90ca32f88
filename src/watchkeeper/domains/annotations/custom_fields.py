"""Custom fields as a field of every record: an object of the names that people have declared for its kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet, Subquery
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from watchkeeper.domains.annotations.models import CustomField, CustomValue
from watchkeeper.domains.annotations.rules import Kept, Unfit, kept, picked
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.extras import Changes, Extra, ExtraField, value_of
from watchkeeper.kernel.hanging import as_keys, family, record_of, subject
from watchkeeper.kernel.problems import BadQuery, NotThere
from watchkeeper.kernel.resource import Resource, registry

PREFIX = "cf_"
HEAD = 100  # characters of a text that are in an index
_DEFINED = f"SELECT id, name FROM {CustomField._meta.db_table} WHERE kind IN"
_NUMBERS = ("whole", "decimal", "yes_no", "moment")
_COMPARED = ("gte", "lte", "gt", "lt")


@lru_cache(maxsize=256)
def kinds_of(resource: Resource) -> tuple[str, ...]:
    """The kinds whose custom fields a record of this kind has: its own, and what every item has."""
    root = next((p for p in family(resource) if issubclass(resource.model, registry[p].model)
                 and not registry[p].model._meta.parents), resource.path)  # fmt: skip
    return tuple(dict.fromkeys((root, resource.path)))


def fields_of(resource: Resource) -> list[CustomField]:
    """The custom fields of a kind, in their order."""
    kinds = kinds_of(resource)
    marks = ", ".join(["%s"] * len(kinds))
    # Every act asks, so it is asked without a queryset.
    found = CustomField.objects.raw(
        f"SELECT * FROM {CustomField._meta.db_table} WHERE kind IN ({marks})", kinds
    )
    return sorted(found, key=lambda f: (f.position, f.name))


class Valid(dict[str, Any]):
    """A valid body: names and values as they are shown. `changed` has what is to be kept, by field; None clears it."""

    changed: dict[int, Kept | None]


@extend_schema_field({"type": "object", "additionalProperties": True})
class CustomFieldsField(ExtraField):
    """Checks what is sent against the definitions, which are read once for as long as the serializer lives."""

    _known: list[CustomField] | None = None

    @property
    def known(self) -> list[CustomField]:
        """The definitions."""
        if self._known is None:
            self._known = fields_of(self.parent.resource)  # type: ignore[union-attr, attr-defined]
        return self._known

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """A record that is made without custom fields has their defaults, or lacks what is required."""
        if data is serializers.empty and self.root.instance is None and not self.root.partial:
            data = {}
        return super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> Valid:
        """What is named changes, and the rest stays as it is. Raises ValidationError, by name."""
        data = {} if data == "" else data  # an empty cell says nothing
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(
                "An object is needed: names of custom fields, and their values."
            )
        instance = self.root.instance
        now: dict[str, Any] = {}
        if isinstance(instance, Model):
            now = value_of(self.parent.resource, instance, "custom_fields")  # type: ignore[union-attr, attr-defined]
        return checked(self.known, data, now, new=not isinstance(instance, Model))


def checked(
    known: Sequence[CustomField], data: Mapping[str, Any], now: Mapping[str, Any], *, new: bool
) -> Valid:
    """The body as it is kept. Raises ValidationError, by name."""
    by_name = {f.name: f for f in known}
    errors: dict[str, Any] = {
        n: [f"There is no such custom field; there are: {', '.join(by_name) or 'none'}."]
        for n in data
        if n not in by_name
    }
    valid = Valid(now)
    valid.changed = {}
    for field in known:
        if field.name not in data and not new:
            continue
        value = data.get(field.name, field.default)
        try:
            value = _value(field, value)
        except Unfit as error:
            errors[field.name] = [f"{str(error)[:1].upper()}{str(error)[1:]}."]
            continue
        shown = value.plain if value else None
        valid[field.name] = shown
        if shown != now.get(field.name):
            valid.changed[field.pk] = value
    if errors:
        raise serializers.ValidationError(errors)
    return valid


def _value(field: CustomField, value: Any) -> Kept | None:
    """None when it is empty. Raises Unfit."""
    if value in (None, "", []):
        if field.required:
            raise Unfit("it is required")
        return None
    found = kept(field.rule, value)
    if field.type == "reference":
        try:
            subject(field.target, found.text)
        except NotThere as error:
            raise Unfit(f"there is no {registry[field.target].name} with the id {found.text!r}") from error
    return found


class CustomFields(Extra):
    """See kernel.extras.Extra."""

    name = "custom_fields"
    parameters = {
        f"{PREFIX}NAME": "records with this value in the custom field NAME; also __gte, __lte, __gt, __lt, "
        "__icontains, __in and __isnull"
    }

    def field(self) -> ExtraField:
        """Names and values."""
        return CustomFieldsField(required=False, help_text="values of the fields that people have added")

    def empty(self) -> dict[str, Any]:
        """No fields."""
        return {}

    def read(self, resource: Resource, keys: Sequence[str]) -> Mapping[str, dict[str, Any]]:
        """One query where the kind has no custom fields, else two."""
        kinds = kinds_of(resource)
        with connection.cursor() as cursor:  # every list asks this: see Tags.read
            cursor.execute(f"{_DEFINED} ({', '.join(['%s'] * len(kinds))}) ORDER BY position, name", kinds)
            known = dict(cursor.fetchall())
        if not known:
            return {}
        found: dict[str, dict[str, Any]] = defaultdict(dict)
        for key in keys:
            found[key] = dict.fromkeys(known.values())
        values = CustomValue.objects.filter(record__in=keys, field__in=known)
        for key, field, value in values.values_list("record", "field_id", "value"):
            found[key][known[field]] = value
        return found

    def write(self, actor: Actor, resource: Resource, record: Model, value: Valid) -> Changes:  # noqa: ARG002
        """Keep what has changed."""
        key, before, after = str(record.pk), dict[str, Any](), dict[str, Any]()
        if not value.changed:
            return {}, {}
        there = {v.field_id: v for v in _values(value.changed, [key])}
        names = dict(CustomField.objects.filter(pk__in=value.changed).values_list("pk", "name"))
        for field, new in value.changed.items():
            old = there.get(field)
            name = f"custom_fields.{names[field]}"
            before[name], after[name] = old.value if old else None, new.plain if new else None
            if new is None:
                CustomValue.objects.filter(field=field, record=key).delete()
            else:
                CustomValue.objects.update_or_create(
                    field_id=field, record=key,
                    defaults={"value": new.plain, "text": new.text, "head": new.text[:HEAD], "number": new.number},
                )  # fmt: skip
        return before, after

    def takes(self, parameter: str) -> bool:
        """All that begin with cf_."""
        return parameter.startswith(PREFIX)

    def narrow(self, resource: Resource, found: QuerySet[Any], name: str, values: list[str]) -> QuerySet[Any]:
        """By one field, compared as its type is."""
        wanted, _, lookup = name.removeprefix(PREFIX).partition("__")
        known = {f.name: f for f in fields_of(resource)}
        if wanted not in known:
            there = ", ".join(PREFIX + n for n in known) or "none"
            raise BadQuery(f"{resource.plural} have no custom field {wanted!r}; there are: {there}", name)
        field = known[wanted]
        having = CustomValue.objects.filter(field=field)
        if lookup == "isnull":
            if values[-1] not in ("true", "false"):
                raise BadQuery(f"{name}={values[-1]!r} is neither true nor false", name)
            keys = as_keys(having, resource)
            return found.exclude(pk__in=keys) if values[-1] == "true" else found.filter(pk__in=keys)
        for value in values:
            found = found.filter(pk__in=as_keys(_compared(having, field, lookup, name, value), resource))
        return found

    def ordering(self, resource: Resource, name: str) -> Any:
        """By the value of one field; of several choices there is no order."""
        wanted = name.removeprefix(PREFIX)
        field = next((f for f in fields_of(resource) if f.name == wanted and f.type != "choices"), None)
        if field is None:
            return None
        mine = CustomValue.objects.filter(field=field, record=record_of(resource))
        return Subquery(mine.values("number" if field.type in _NUMBERS else "head")[:1])


def _values(fields: Iterable[int], keys: Sequence[str]) -> QuerySet[CustomValue]:
    return CustomValue.objects.filter(field__in=list(fields), record__in=keys)


def _compared(
    having: QuerySet[CustomValue], field: CustomField, lookup: str, name: str, value: str
) -> QuerySet[CustomValue]:
    """Raises BadQuery."""
    numeric = field.type in _NUMBERS
    if lookup == "icontains" and not numeric:
        return having.filter(text__icontains=value.replace("\x00", ""))
    if lookup not in ("", "exact", "in", *_COMPARED) or (lookup in _COMPARED and field.type == "choices"):
        raise BadQuery(f"{name!r} is not a way to compare a {field.get_type_display()}", name)
    parts = [v for v in value.split(",") if v] if lookup == "in" else [value]
    try:
        wanted = [_asked(field, part) for part in parts]
    except Unfit as error:
        raise BadQuery(f"{name}={value!r}: {error}", name) from error
    if field.type == "choices":
        matching = having.none()
        for w in wanted:
            matching = matching | having.filter(text__contains=picked(str(w)))
        return matching
    if lookup in _COMPARED:
        return having.filter(**{f"{'number' if numeric else 'head'}__{lookup}": wanted[0]})
    if numeric:
        return having.filter(number__in=wanted)
    return having.filter(head__in=[w[:HEAD] for w in wanted], text__in=wanted)


def _asked(field: CustomField, value: str) -> Any:
    """A value to compare with: only its type has to fit, not the bounds of what may be entered. Raises Unfit."""
    if field.type not in (*_NUMBERS, "date"):
        return value.replace("\x00", "")
    found = kept(type(field.rule)(field.type), value)
    return found.text if field.type == "date" else found.number
