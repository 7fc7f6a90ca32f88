"""Tags and custom fields of many records at once: what the form offers, and what of it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from watchkeeper.console import attached
from watchkeeper.console.fields import Field
from watchkeeper.domains.annotations.custom_fields import checked, fields_of
from watchkeeper.domains.annotations.models import Tag
from watchkeeper.domains.annotations.tags import TagsField
from watchkeeper.kernel import bulk, extras
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.resource import Resource

DEED = "annotate"
KNOWN = 40  # tags that can be clicked


def offered(resource: Resource, actor: Actor) -> bool:
    """Whether this reader may tag some of these records."""
    return resource.path not in attached.BARE and may(actor, "change", resource)


def form(resource: Resource, records: Sequence[Any], given: QueryDict) -> dict[str, Any]:
    """What many.html needs for it: the tags that there are and those that the records have, and what was typed."""
    extras.gather(resource, records, ("tags",))
    has = sorted({n for r in records for n in extras.value_of(resource, r, "tags")}, key=str.casefold)
    return {
        "known": Tag.objects.values_list("name", flat=True)[:KNOWN],
        "has": has[:KNOWN],
        "add": given.get("tags-add", ""),
        "take": given.get("tags-take", ""),
    }


def inputs(resource: Resource, actor: Actor) -> list[Field]:
    """The custom fields, each of which has to be ticked to be set."""
    return attached.inputs(resource, actor, {})


def annotate(
    resource: Resource, actor: Actor, among: Any, ids: Sequence[Any], fields: list[Field], given: QueryDict
) -> None:
    """Do what was asked for, with all of them or none. Raises ValidationError or Rejected."""
    add, take = (_names(given, name) for name in ("tags-add", "tags-take"))
    ticked = set(given.getlist("set"))
    custom = attached.typed([f for f in fields if f.name in ticked], given, actor)
    if not add and not take and not custom:
        raise ValidationError({"": ["Say which tags to add or to take away, or tick a field."]})
    bulk.annotate(resource, actor, among, ids, _values(resource, add, take, custom))


def _names(given: QueryDict, name: str) -> list[str]:
    return TagsField().to_internal_value(given.get(name, ""))


def _values(
    resource: Resource, add: list[str], take: list[str], custom: dict[str, Any]
) -> Callable[[Any], dict[str, Any]]:
    """What a record has afterwards."""
    gone, known = {n.casefold() for n in take}, fields_of(resource) if custom else []

    def of(record: Any) -> dict[str, Any]:
        out = dict[str, Any]()
        if add or take:
            has = extras.value_of(resource, record, "tags")
            kept = [n for n in (*has, *add) if n.casefold() not in gone]
            out["tags"] = TagsField().to_internal_value(kept)
        if custom:
            out["custom_fields"] = checked(
                known, custom, extras.value_of(resource, record, "custom_fields"), new=False
            )
        return out

    return of
