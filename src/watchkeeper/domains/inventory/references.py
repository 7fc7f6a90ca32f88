"""Every row anywhere that points at an item: by a foreign key, or by the kind and id that tables of notes, tags and files
have, which are not declared here. For merging, which points them at another item, and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import QuerySet

from watchkeeper.domains.inventory.models import Identifier, Item, Merge


@dataclass(frozen=True)
class Pointer:
    """A column that points at items of this model (of all kinds, or one)."""

    model: type[models.Model]
    column: str  # the attribute that holds the key
    target: type[models.Model]

    @property
    def label(self) -> str:
        """As `kept` names it."""
        return f"{self.model._meta.label}.{self.column}"

    def rows(self, key: str) -> QuerySet[Any]:
        """Those that point at this item."""
        return self.model._base_manager.filter(**{self.column: key})


@lru_cache(maxsize=1)
def pointers() -> dict[str, Pointer]:
    """Every foreign key to an item or to a record of a kind, by label; but not from a kind's row to its own item."""
    found = []
    for model in apps.get_models():
        for f in model._meta.local_concrete_fields:
            target = f.related_model if f.is_relation else None
            if target is None or not isinstance(target, type) or not issubclass(target, Item):
                continue
            if not f.remote_field.parent_link and model is not Merge:
                found.append(Pointer(model, f.attname, target))
    return {p.label: p for p in found}


def of_item(item: Item) -> Iterator[Pointer]:
    """The columns that can point at this item."""
    for p in pointers().values():
        if isinstance(item, p.target) or p.target is Item:
            yield p


@dataclass(frozen=True)
class Loose:
    """Two columns of a table that name a record of any kind: the kind, in one of its spellings, and its id as text."""

    model: type[models.Model]
    kind: str
    record: str

    @property
    def label(self) -> str:
        """As `kept` names it."""
        return f"{self.model._meta.label}:{self.record}"

    def rows(self, item: Item) -> QuerySet[Any]:
        """Those that name this item."""
        return self.model._base_manager.filter(**{f"{self.kind}__in": list(_spellings(item)), self.record: item.pk})


@lru_cache(maxsize=1)
def loose() -> dict[str, Loose]:
    """Tables that say what they are about by a kind and an id: those that declare `ABOUT = (kind, record)`. The audit
    trail does not: what was written about an item that is no more stays as it was written."""
    found = [Loose(m, *m.ABOUT) for m in apps.get_models() if hasattr(m, "ABOUT")]
    return {x.label: x for x in found}


def _spellings(item: Item) -> Iterator[str]:
    """How tables call its kind."""
    model = type(item)
    yield from {item.declared or "items", "items", str(model._meta.verbose_name), model._meta.label_lower}


def parts_named_within(key: str) -> QuerySet[Identifier]:
    """Current names of parts that are known only within this item (see model.topology.part)."""
    # A range and not LIKE: it can use the index.
    return Identifier.objects.filter(
        valid_to=None, scheme__in=PART_SCHEMES, value__gte=f"{key}/", value__lt=f"{key}0"
    )


PART_SCHEMES = ("disk", "filesystem", "interface", "service", "listen", "program", "unit", "peer")

