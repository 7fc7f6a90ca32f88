"""Records that belong to a record, as tabs with their counts; one of them is open, page by page."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.db.models import Model, QuerySet
from django.db.models.expressions import Col
from django.db.models.lookups import Exact
from django.http import QueryDict

from watchkeeper.console.paging import Pager
from watchkeeper.console.tables import Row, rows
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import Resource, registry

ROWS = 20


@dataclass(frozen=True)
class Tab:
    """The records of one kind: how many, and the address of the same in the kind's own list, where it can be said."""

    kind: Resource
    found: QuerySet[Any]
    count: int
    listed: str

    def page(self, number: Any) -> Page:  # type: ignore[type-arg]
        """The records that are asked for."""
        ordered = self.found if self.found.ordered else self.found.order_by(*self.kind.ordering)
        return Pager(self.kind.prepare(ordered) if self.kind.prepare else ordered, ROWS).get_page(number)


def tabs(resource: Resource, record: Model, actor: Actor, elsewhere: Container[str] = ()) -> list[Tab]:
    """Of every kind that belongs to it and may be read, but those that the page shows elsewhere."""
    out = []
    for path, find in resource.related.items():
        kind = registry[path]
        if path in elsewhere or not may(actor, "read", kind):
            continue
        found = find(record)
        seen = visible(actor, kind, found)
        out.append(Tab(kind, seen, seen.order_by().count(), _listed(kind, found)))
    return out


def shown(all_tabs: list[Tab], asked: QueryDict, actor: Actor) -> dict[str, Any]:
    """The open tab: the one that is asked for, else the first that has something; with its rows."""
    open_ = next((t for t in all_tabs if t.kind.path == asked.get("tab")), None)
    open_ = open_ or next((t for t in all_tabs if t.count), None) or (all_tabs[0] if all_tabs else None)
    if open_ is None:
        return {"tabs": []}
    page = open_.page(asked.get("page"))
    found: list[Row] = rows(open_.kind, actor, open_.kind.columns, page)
    return {"tabs": all_tabs, "tab": open_, "tab_rows": found, "tab_page": page}


def _listed(kind: Resource, found: QuerySet[Any]) -> str:
    """The list that is narrowed to the same by one filter; "" where a relation says more than that."""
    tests = found.query.where.children
    if len(tests) != 1 or not isinstance(tests[0], Exact) or not isinstance(tests[0].lhs, Col):
        return ""
    field, value = tests[0].lhs.target, tests[0].rhs
    own = field in kind.model._meta.concrete_fields and "exact" in kind.filters.get(field.name, ())
    return f"/{kind.path}/?{field.name}={value}" if own and isinstance(value, str | int) else ""
