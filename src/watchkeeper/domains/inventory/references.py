"""Every column anywhere that points at an item: foreign keys, and the columns by which notes, tags, files and the like name
a record of any kind. For merging, which points them at another item, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.models import QuerySet

from watchkeeper.domains.inventory.models import Duplicate, Identifier, Item
from watchkeeper.kernel.audit import plain
from watchkeeper.kernel.fields import SealedField, StructField
from watchkeeper.kernel.models import AuditEntry

#: what is known by its name only within another item; see model.topology.part
PART_SCHEMES = ("disk", "filesystem", "interface", "listen", "peer", "program", "service", "unit")
_LEFT = (
    AuditEntry,
    Duplicate,
)  # what was written of an item stays as it was written; pairs are no rows to be moved


@dataclass(frozen=True)
class Pointer:
    """A column that points at items of this model: Item itself for any kind."""

    model: Any
    column: str
    target: type[Item]

    @property
    def label(self) -> str:
        """As what is kept of a merge names it."""
        return f"{self.model._meta.label}.{self.column}"

    @property
    def plural(self) -> str:
        """As people call the rows."""
        return str(self.model._meta.verbose_name_plural)

    def rows(self, key: str) -> QuerySet[Any]:
        """Those that point at this item."""
        return self.model._base_manager.filter(**{self.column: key})  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def pointers() -> Mapping[str, Pointer]:
    """By label. A column of text called `record`, or `to_record` and the like, holds the key of a record of any kind;
    no other kind has keys like an item's."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        for f in model._meta.local_concrete_fields if model not in _LEFT else ():
            target: Any = f.related_model if f.is_relation else None
            if isinstance(target, type) and issubclass(target, Item) and not f.primary_key:
                found.append(Pointer(model, f.attname, target))
            elif isinstance(f, models.CharField) and (f.name == "record" or f.name.endswith("_record")):
                found.append(Pointer(model, f.attname, Item))
    return {p.label: p for p in found}


def pointing_at(item: Item) -> Iterator[Pointer]:
    """The columns that can point at an item of this kind."""
    return (p for p in pointers().values() if isinstance(item, p.target))


def named_within(key: str) -> QuerySet[Identifier]:
    """Current names of parts that are known only within this item."""
    # A range and not LIKE: it can use the index.
    within = Identifier.objects.filter(valid_to=None, scheme__in=PART_SCHEMES)
    return within.filter(value__gte=f"{key}/", value__lt=f"{key}0")


# --- rows kept as plain data, and written back exactly --------------------------------------------------------------
def tables_of(record: Any) -> list[Any]:
    """The models whose tables hold a row of this record: all items' first."""
    return [*reversed(record._meta.get_parent_list()), type(record)]


def kept(record: Any, model: Any) -> dict[str, Any]:
    """A record's row in one table."""
    out = {}
    for f in model._meta.local_concrete_fields:
        value = getattr(record, f.attname)
        out[f.attname] = f.get_prep_value(value) if isinstance(f, StructField | SealedField) else plain(value)
    return out


def write_back(model: Any, row: Mapping[str, Any]) -> None:
    """Insert a row as it was kept; no code of the kind runs. Raises IntegrityError."""
    fields = [f for f in model._meta.local_concrete_fields if f.attname in row]
    values = {}
    for f in fields:
        value = row[f.attname]
        text = isinstance(f, StructField | SealedField)
        values[f.attname] = f.from_db_value(value, None, connection) if text else f.to_python(value)
    record = model(**values)
    model._base_manager._insert([record], fields=fields, using="default")
