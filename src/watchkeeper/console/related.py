"""Records that belong to a record, as tabs with their counts; one of them is open, page by page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

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
#: what a panel of the page shows already, by kind
IN_PANELS = {
    "major-incidents": ("status-updates",),
    "problems": ("problem-causes",),
    "runbooks": ("runbook-steps",),
}
#: what people call the records that belong to one of a kind, where the kind's name says too little
CALLED = {("tickets", "tickets"): "child tickets"}
#: kinds that are made from pages of their own
MADE_ELSEWHERE = {"orders"}


@dataclass(frozen=True)
class Tab:
    """The records of one kind: how many, and the address of the same in the kind's own list, where it can be said."""

    kind: Resource
    found: QuerySet[Any]
    count: int
    listed: str
    by: str = ""  # the field by which they belong to it
    new: str = ""  # where another one is made, for whoever may
    called: str = ""  # the tab

    def page(self, number: Any) -> Page:  # type: ignore[type-arg]
        """The records that are asked for."""
        ordered = self.found if self.found.ordered else self.found.order_by(*self.kind.ordering)
        return Pager(self.kind.prepare(ordered) if self.kind.prepare else ordered, ROWS).get_page(number)


def tabs(resource: Resource, record: Model, actor: Actor, elsewhere: Iterable[str] = ()) -> list[Tab]:
    """Of every kind that belongs to it and may be read, but those that the page shows elsewhere."""
    out = []
    shown = {*elsewhere, *IN_PANELS.get(resource.path, ())}
    for path, find in resource.related.items():
        kind = registry[path]
        if path in shown or not may(actor, "read", kind):
            continue
        found = find(record)
        seen, (by, listed) = visible(actor, kind, found), _by(kind, found)
        back = urlencode({by: record.pk, "back": f"/{resource.path}/{record.pk}/"})
        new = f"/{kind.path}/new/?{back}" if _made_here(kind, by, actor) else ""
        out.append(Tab(kind, seen, seen.order_by().count(), listed, by, new,
                       CALLED.get((resource.path, path), kind.plural)))  # fmt: skip
    return out


def _made_here(kind: Resource, by: str, actor: Actor) -> bool:
    known = by in kind.writable or by in kind.create_only
    return known and "create" in kind.allow and kind.path not in MADE_ELSEWHERE and may(actor, "create", kind)


def shown(all_tabs: list[Tab], asked: QueryDict, actor: Actor) -> dict[str, Any]:
    """The open tab: the one that is asked for, else the first that has something; with its rows."""
    open_ = next((t for t in all_tabs if t.kind.path == asked.get("tab")), None)
    open_ = open_ or next((t for t in all_tabs if t.count), None) or (all_tabs[0] if all_tabs else None)
    if open_ is None:
        return {"tabs": []}
    page = open_.page(asked.get("page"))
    columns = [c for c in open_.kind.columns if c.name != open_.by or c.link]  # the link leads to the record
    found: list[Row] = rows(open_.kind, actor, columns, page)
    return {"tabs": all_tabs, "tab": open_, "tab_rows": found, "tab_page": page}


def _by(kind: Resource, found: QuerySet[Any]) -> tuple[str, str]:
    """The field by which they belong to the record, and the list that is narrowed to the same by it; "" where a relation
    says more than that."""
    tests = found.query.where.children
    if len(tests) != 1 or not isinstance(tests[0], Exact) or not isinstance(tests[0].lhs, Col):
        return "", ""
    field, value = tests[0].lhs.target, tests[0].rhs
    if field not in kind.model._meta.concrete_fields:
        return "", ""
    listed = "exact" in kind.filters.get(field.name, ()) and isinstance(value, str | int)
    return field.name, f"/{kind.path}/?{field.name}={value}" if listed else ""
