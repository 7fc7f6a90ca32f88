"""Pages by cursor, beside those by limit and offset: a page begins after the last record of the one before it, so
that records which come or go meanwhile neither repeat nor hide others, and nothing has to be counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core import signing
from django.db.models import F, Model, Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from watchkeeper.kernel.audit import plain
from watchkeeper.kernel.lists import Pages, cut
from watchkeeper.kernel.problems import BadQuery

_SALT = "watchkeeper.cursor"
Position = tuple[Any, ...]  # a record's values of the fields that the list is ordered by


class CursorPages(Pages):
    """As Pages; with `cursor` in the query (empty for the first page) {"next", "previous", "results"}, and
    "count" when `count=true` asks for it."""

    _links: dict[str, str | None] | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The page's records. Raises BadQuery."""
        asked, self._links = request.query_params, None
        if "cursor" not in asked:
            if "count" in asked:
                raise BadQuery("a page by offset always has its count", "count")
            return list(super().paginate_queryset(queryset, request, view) or ())
        if "offset" in asked:
            raise BadQuery("a page begins at a cursor or at an offset, not both", "offset")
        if asked.get("count", "false") not in ("true", "false"):
            raise BadQuery(f"count={asked['count']!r} is neither true nor false", "count")
        names = ordering_of(queryset)
        position, back = _read(asked["cursor"], names)
        page, more = walk(queryset, names, position, self.get_limit(request), back=back)
        self._links = {
            "next": self._link(request, names, page, -1) if (more if not back else page) else None,
            "previous": self._link(request, names, page, 0)
            if (more if back else page and position)
            else None,
        }
        self.count = self.get_count(queryset) if asked.get("count") == "true" else None
        return page

    def get_paginated_response(self, data: Any) -> Response:
        """In the shape of the kind of page."""
        if self._links is None:
            return super().get_paginated_response(data)
        counted = {} if self.count is None else {"count": self.count}
        return Response({**counted, **self._links, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """For OpenAPI: only results are always there."""
        found: dict[str, Any] = super().get_paginated_response_schema(schema)
        return {**found, "required": ["results"]}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """For OpenAPI."""
        more = {
            "cursor": ("empty for the first page, then as `next` and `previous` have it", {"type": "string"}),
            "count": ("with a cursor: how many there are in all", {"type": "boolean"}),
        }
        return super().get_schema_operation_parameters(view) + [
            {"name": name, "in": "query", "required": False, "description": words, "schema": schema}
            for name, (words, schema) in more.items()
        ]

    def _link(self, request: Request, names: Sequence[str], page: Sequence[Any], end: int) -> str:
        position = [plain(v) for v in position_of(page[end], names)]
        cursor = signing.dumps([list(names), position, end == 0], salt=_SALT, compress=True)
        return str(replace_query_param(request.build_absolute_uri(), "cursor", cursor))


def _read(cursor: str, names: Sequence[str]) -> tuple[Position | None, bool]:
    """The position and whether the page lies before it. Signed, so that what is compared came from a record."""
    if not cursor:
        return None, False
    try:
        ordered_by, position, back = signing.loads(cursor, salt=_SALT)
    except signing.BadSignature as error:
        raise BadQuery("this is no cursor of ours; begin again with an empty one", "cursor") from error
    if ordered_by != list(names):
        raise BadQuery("the cursor belongs to another list or ordering; begin again", "cursor")
    return tuple(position), back


def ordering_of(found: QuerySet[Any]) -> list[str]:
    """The fields that a narrowed list is ordered by, `-` for descending; the last is its key."""
    return [str(name) for name in found.query.order_by]


def position_of(record: Model, names: Sequence[str]) -> Position:
    """Where in the list a record stands."""
    out = []
    for name in names:
        value: Any = record
        for part in name.lstrip("-").split("__"):
            value = getattr(value, part, None)
        out.append(value.pk if isinstance(value, Model) else value)
    return tuple(out)


def walk(
    found: QuerySet[Any], names: Sequence[str], position: Position | None, limit: int, *, back: bool = False
) -> tuple[list[Any], bool]:
    """At most `limit` records after the position (before it with `back`), in the list's order, and whether
    there are more that way."""
    way = [_turned(n) for n in names] if back else list(names)
    made = found.query.annotations  # what a list is ordered by beside its columns, such as a custom field
    empty = {n: n.lstrip("-") in made or _nullable(found.model, n.lstrip("-")) for n in way}
    if position is not None:
        found = found.filter(_beyond(way, empty, position))
    found = found.order_by(*(_expression(n) if empty[n] else n for n in way))
    page = cut(found, 0, limit + 1)
    more, page = len(page) > limit, page[:limit]
    return (page[::-1] if back else page), more


def _turned(name: str) -> str:
    return name.removeprefix("-") if name.startswith("-") else f"-{name}"


def _expression(name: str) -> Any:
    """What is missing comes before everything else, on both databases."""
    field = F(name.lstrip("-"))
    return field.desc(nulls_last=True) if name.startswith("-") else field.asc(nulls_first=True)


def _nullable(model: type[Model], name: str) -> bool:
    for part in name.split("__"):
        field: Any = model._meta.pk if part == "pk" else model._meta.get_field(part)
        if field.null:
            return True
        model = field.related_model
    return False


def _beyond(way: Sequence[str], empty: dict[str, bool], position: Position) -> Q:
    """Rows that come after the position: greater in the first field, or equal in it and greater in the next …"""
    beyond, equal = Q(), Q()
    for name, value in zip(way, position, strict=True):
        field = name.lstrip("-")
        beyond |= equal & _after(field, value, descending=name.startswith("-"), empty=empty[name])
        equal &= Q((f"{field}__isnull", True)) if value is None else Q((field, value))
    first, value = way[0], position[0]
    if empty[first] or value is None:
        return beyond
    # Says nothing new, but lets the database begin at the right place of an index.
    return Q((f"{first.lstrip('-')}__{'lte' if first.startswith('-') else 'gte'}", value)) & beyond


def _after(field: str, value: Any, *, descending: bool, empty: bool) -> Q:
    if value is None:
        return Q(pk__in=()) if descending else Q((f"{field}__isnull", False))
    if not descending:
        return Q((f"{field}__gt", value))
    less = Q((f"{field}__lt", value))
    return less | Q((f"{field}__isnull", True)) if empty else less
