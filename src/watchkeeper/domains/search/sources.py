"""Where the index takes its texts from: the text fields of its own that a kind declares as `search`, in the order of
the declaration, which is their weight. What a kind declares across a relation (`item__name`) is found at the other
record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.db.models import CharField, Model, Q, TextField

from watchkeeper.kernel.fields import SealedField
from watchkeeper.kernel.resource import Resource, registry

#: kinds that tell what happened to others, which are what people look for
LEFT_OUT = frozenset({"audit"})


@dataclass(frozen=True)
class Names:
    """More texts of a record that are rows of another table: `value` of those whose `owner` is the record."""

    model: type[Model]
    owner: str
    value: str
    field: str  # what people call it
    condition: Q


@dataclass(frozen=True)
class Source:
    """A table, the fields to index, and the kind that its records are of: `kind`, or what a column says, if it
    says something."""

    model: type[Model]
    kind: str
    fields: tuple[str, ...]
    kind_column: str = ""
    names: Names | None = None

    @property
    def table(self) -> str:
        """The table's name, which is the source's."""
        return str(self.model._meta.db_table)

    def place(self, field: str) -> int:
        """How far behind in the declaration: 0 is what the record is called by."""
        return registry[self.kind].search.index(field)


_DESCRIBED: dict[str, dict[str, Any]] = {}


def describe(
    kind: str, *, fields: tuple[str, ...], kind_column: str = "", names: Names | None = None
) -> None:
    """Say of a kind what its declaration cannot: other fields, that a column names the kind of each record, that
    some of its names are in another table. To be called where the kind is declared."""
    _DESCRIBED[kind] = {"fields": fields, "kind_column": kind_column, "names": names}


@lru_cache(maxsize=1)
def sources() -> dict[str, Source]:
    """Every source by its table."""
    found = (_source(r) for r in registry if r.search and r.path not in LEFT_OUT)
    return {s.table: s for s in found if s.fields}


def _source(resource: Resource) -> Source:
    """Columns that a kind inherits are in another table, and indexed as that table's."""
    model = resource.model
    own = tuple(f for f in resource.search if "__" not in f and _is_text(model, f))
    return replace(Source(model, resource.path, own), **_DESCRIBED.get(resource.path, {}))


def _is_text(model: type[Model], name: str) -> bool:
    field = next((f for f in model._meta.local_concrete_fields if f.name == name), None)
    return isinstance(field, CharField | TextField) and not isinstance(field, SealedField)


def searchable() -> list[Resource]:
    """The kinds that have entries in the index."""
    kinds = {s.kind for s in sources().values()}
    if any(s.kind_column for s in sources().values()):
        kinds |= {r.path for r in registry if _inherits(r.model)}
    return [r for r in registry if r.path in kinds]


def _inherits(model: type[Model]) -> bool:
    return any(issubclass(model, s.model) for s in sources().values() if s.kind_column)
