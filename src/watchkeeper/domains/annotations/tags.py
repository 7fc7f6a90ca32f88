"""Tags as a field of every record: shown by name, in the order of the names, whatever case they are written in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from watchkeeper.domains.annotations.models import Tag, Tagging
from watchkeeper.domains.annotations.rules import TAG
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.extras import Changes, Extra, ExtraField
from watchkeeper.kernel.hanging import as_keys, family, on
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.problems import BadQuery
from watchkeeper.kernel.resource import Resource, registry

MOST = 50  # on one record
_TAGS_OF = (
    f"SELECT marked.kind, marked.record, tag.name FROM {Tagging._meta.db_table} marked "
    f"JOIN {Tag._meta.db_table} tag ON tag.id = marked.tag_id WHERE marked.record IN"
)


@extend_schema_field({"type": "array", "items": {"type": "string", "maxLength": 64}, "maxItems": MOST})
class TagsField(ExtraField):
    """Names; a text with commas between them will do."""

    def to_internal_value(self, data: Any) -> list[str]:
        """Each name once, whatever its case. Raises ValidationError."""
        names = data.split(",") if isinstance(data, str) else data
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise serializers.ValidationError("A list of the names of tags is needed.")
        once = {n.strip().casefold(): n.strip() for n in names if n.strip()}
        for name in once.values():
            if not TAG.fullmatch(name):
                raise serializers.ValidationError(
                    f"{name!r} is no tag: at most 64 characters, and no commas."
                )
        if len(once) > MOST:
            raise serializers.ValidationError(f"More than {MOST} tags are too many for one record.")
        return sorted(once.values(), key=str.casefold)


class Tags(Extra):
    """See kernel.extras.Extra."""

    name = "tags"
    parameters = {"tag": "records with all of these tags", "tag__any": "records with one of these tags"}

    def field(self) -> ExtraField:
        """The names."""
        return TagsField(required=False, help_text="names of tags")

    def empty(self) -> list[str]:
        """No tags."""
        return []

    def read(self, resource: Resource, keys: Sequence[str]) -> Mapping[str, list[str]]:
        """In one query, which is written out: every list asks it, and to compose it takes three times as long as to
        answer it."""
        found, kinds = defaultdict(list), family(resource)
        marks = ", ".join(["%s"] * len(keys))
        with connection.cursor() as cursor:
            cursor.execute(f"{_TAGS_OF} ({marks})", keys)
            for kind, key, name in cursor.fetchall():
                if kind in kinds:
                    found[key].append(name)
        return {key: sorted(names, key=str.casefold) for key, names in found.items()}

    def write(self, actor: Actor, resource: Resource, record: Model, value: list[str]) -> Changes:
        """The record has these tags and no others. One that is not there yet is made, by who may make tags."""
        has = {t.tag_id: t for t in on(Tagging, resource, [record.pk]).select_related("tag")}
        wanted = {t.pk: t for t in _tags(actor, value)}
        gone = [t.pk for key, t in has.items() if key not in wanted]
        if gone:
            Tagging.objects.filter(pk__in=gone).delete()
        new = [tag for key, tag in wanted.items() if key not in has]
        Tagging.objects.bulk_create(
            Tagging(kind=resource.path, record=str(record.pk), tag=tag) for tag in new
        )
        if not gone and not new:
            return {}, {}
        return {"tags": _names(t.tag for t in has.values())}, {"tags": _names(wanted.values())}

    def takes(self, parameter: str) -> bool:
        """`tag` and `tag__any`."""
        return parameter in self.parameters

    def narrow(self, resource: Resource, found: QuerySet[Any], name: str, values: list[str]) -> QuerySet[Any]:
        """By names, in any case; several are several parameters, or have commas between them."""
        names = [n.strip() for text in values for n in text.split(",") if n.strip()]
        known = {t.name.casefold(): t.pk for t in _named(names)}
        if unknown := [n for n in names if n.casefold() not in known]:
            raise BadQuery(f"there is no tag {unknown[0]!r}", name)
        wanted = [known[n.casefold()] for n in names]
        for ids in [wanted] if name == "tag__any" else [[pk] for pk in wanted]:
            tagged = Tagging.objects.filter(tag__in=ids, kind__in=family(resource))
            found = found.filter(pk__in=as_keys(tagged, resource))
        return found


def tagged(name: str) -> set[str]:
    """The keys of all records, of whatever kind, with the tag of this name in any case."""
    return set(Tagging.objects.filter(tag__in=_named([name])).values_list("record", flat=True))


def _names(tags: Any) -> list[str]:
    return sorted((t.name for t in tags), key=str.casefold)


def _named(names: Sequence[str]) -> list[Tag]:
    """The tags with these names, in any case. Databases fold the case of other letters than ASCII's differently, so
    the names are compared here; there are few tags."""
    wanted = {n.casefold() for n in names}
    return [t for t in Tag.objects.order_by() if t.name.casefold() in wanted] if wanted else []


def _tags(actor: Actor, names: list[str]) -> list[Tag]:
    """The tags with these names. Raises ValidationError for one that is not there and that the actor may not make."""
    known = {t.name.casefold(): t for t in _named(names)}
    missing = [n for n in names if n.casefold() not in known]
    if missing and not may(actor, "create", registry["tags"]):
        raise serializers.ValidationError(
            {"tags": [f"There is no tag {missing[0]!r}, and you may not make tags."]}
        )
    for name in missing:
        known[name.casefold()] = made = Tag.objects.create(name=name)
        audit.record(actor, "tag.create", made, after=audit.state_of(made))
    return [known[n.casefold()] for n in names]
