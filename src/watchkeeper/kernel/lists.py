"""Lists: what a query string may ask of a kind of record (filters, search, ordering, pages).

A parameter that is not known is an error and not ignored: a typing mistake must not look like an answer.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from copy import copy
from functools import lru_cache
from typing import Any

from django.db.models import BooleanField, CharField, DateTimeField, Q, QuerySet, TextField
from django.utils.datastructures import MultiValueDict
from django_filters import BooleanFilter, CharFilter, ChoiceFilter, IsoDateTimeFilter
from django_filters.filterset import FilterSet, filterset_factory
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

from watchkeeper.kernel import extras
from watchkeeper.kernel.fields import SealedField, SeverityField, StructField
from watchkeeper.kernel.problems import BadQuery
from watchkeeper.kernel.resource import Resource
from watchkeeper.model.verdicts import Severity

MAX_LIMIT = 1000
CONTROL = frozenset(("limit", "offset", "cursor", "count", "ordering", "search", "fields", "omit", "format"))


class _Filters(FilterSet):
    def __init__(self, data: Any, queryset: QuerySet[Any]) -> None:
        # Every filter is copied for every list, so only those that are asked for.
        self.base_filters = OrderedDict((n, f) for n, f in self.base_filters.items() if n in data)
        super().__init__(data=data, queryset=queryset)

    class Meta:
        filter_overrides = {
            DateTimeField: {"filter_class": IsoDateTimeFilter},
            TextField: {"filter_class": CharFilter},
            CharField: {"filter_class": CharFilter},
            StructField: {"filter_class": CharFilter},
            SealedField: {"filter_class": CharFilter},
            BooleanField: {"filter_class": BooleanFilter},
            SeverityField: {
                "filter_class": ChoiceFilter,
                "extra": lambda _: {"choices": [(s.value, s.value) for s in Severity]},
            },
        }


class _Empty(BooleanFilter):
    def filter(self, found: QuerySet[Any], value: bool | None) -> QuerySet[Any]:
        if value is None:
            return found
        empty = Q((str(self.field_name), ""))
        return found.filter(empty) if value else found.exclude(empty)


@lru_cache(maxsize=256)
def filters_of(resource: Resource) -> type[FilterSet]:
    """The FilterSet that the declaration describes; what can be equal can also be asked to differ, by
    `__not`, and text to be `__empty`. What a model computes it filters by `computed_filters`."""
    computed: dict[str, Any] = getattr(resource.model, "computed_filters", {})
    fields: dict[str, Any] = {n: list(how) for n, how in resource.filters.items() if n not in computed}
    made: type[FilterSet] = filterset_factory(resource.model, filterset=_Filters, fields=fields)
    made.base_filters.update(computed)
    for name in [n for n, lookups in fields.items() if "exact" in lookups]:
        made.base_filters[f"{name}__not"] = other = copy(made.base_filters[name])
        other.exclude = True
        if type(made.base_filters[name]) is CharFilter:
            made.base_filters[f"{name}__empty"] = _Empty(field_name=name)
    return made


def narrow(resource: Resource, found: QuerySet[Any], parameters: Mapping[str, str]) -> QuerySet[Any]:
    """The records asked for, in the order asked for. Raises BadQuery naming the parameter."""
    filters = filters_of(resource)
    given, known = _values(parameters), filters.base_filters.keys() | CONTROL
    if more := given.keys() - known:
        found, used = extras.narrow(resource, found, MultiValueDict({n: given.getlist(n) for n in more}))
        known |= used
    for name in given:
        if name not in known:
            there = sorted({*filters.base_filters, *(p for e in extras.of(resource) for p in e.parameters)})
            raise BadQuery(f"{name!r} is not a filter here; there are: {', '.join(there)}", name)
    if asked_for := frozenset(n for n in given if n in filters.base_filters):
        asked = _only(filters, asked_for)(data=given, queryset=found)
        if not asked.is_valid():
            name, errors = next(iter(asked.errors.items()))
            raise BadQuery(f"{name}={given.get(name)!r}: {errors[0]}", name)
        found = asked.qs
    found = search(resource, found, parameters.get("search", ""))
    return ordered(resource, found, parameters.get("ordering", ""))


@lru_cache(maxsize=1024)
def _only(filters: type[FilterSet], names: frozenset[str]) -> type[FilterSet]:
    """These filters alone: each costs time in every request, used or not, and kinds have a hundred and more."""
    made: Any = type(filters.__name__, (filters,), {})
    made.base_filters = {n: f for n, f in filters.base_filters.items() if n in names}
    narrowed: type[FilterSet] = made
    return narrowed


def _values(parameters: Mapping[str, str]) -> MultiValueDict[str, str]:
    if isinstance(parameters, MultiValueDict):
        return parameters
    return MultiValueDict({k: [v] for k, v in parameters.items()})


def search(resource: Resource, found: QuerySet[Any], words: str) -> QuerySet[Any]:
    """Records in which every word occurs in one of the searched fields."""
    if words and not resource.search:
        raise BadQuery(f"{resource.path} cannot be searched by words", "search")
    for word in words.replace("\x00", "").split()[:10]:
        anywhere = Q()
        for name in resource.search:
            anywhere |= Q((f"{name}__icontains", word))
        found = found.filter(anywhere)
    return found


def ordered(resource: Resource, found: QuerySet[Any], by: str) -> QuerySet[Any]:
    """In the order of a comma-separated list of fields, `-` for descending; the key decides among equals."""
    names = [n.strip() for n in by.split(",") if n.strip()] or list(resource.ordering)
    allowed = {*resource.orderable, *(n.lstrip("-") for n in resource.ordering)}
    for name in names:
        if (bare := name.lstrip("-")) in allowed:
            continue
        column = extras.ordering(resource, bare)
        if column is None:
            raise BadQuery(f"cannot order by {name!r}; can by: {', '.join(sorted(allowed))}", "ordering")
        found = found.annotate(**{bare: column})
    last = names[-1]
    if last.lstrip("-") not in ("pk", resource.model._meta.pk.name):
        names.append("-pk" if last.startswith("-") else "pk")
    return found.order_by(*names)


def cut(found: QuerySet[Any], offset: int, limit: int) -> list[Any]:
    """A stretch of a list. Rows that bring others along are put in order by their keys alone first, because sorting
    a hundred thousand of them whole takes ten times as long. A model may have a `stretch` of its own."""
    stretch: Any = getattr(found.model, "stretch", lambda rows, start, most: rows[start : start + most])
    page = stretch(found, offset, limit)
    if not found.query.select_related:
        return list(page)
    keys = list(page.values_list("pk", flat=True))
    rows = found.order_by().in_bulk(keys)
    return [rows[k] for k in keys if k in rows]


class Pages(LimitOffsetPagination):
    """`limit` and `offset`, bounded; answers {"count", "next", "previous", "results"}."""

    default_limit = 50
    max_limit = MAX_LIMIT

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """The page that is asked for."""
        if not isinstance(queryset, QuerySet):
            return super().paginate_queryset(queryset, request, view)
        self.request, self.limit, self.offset = request, self.get_limit(request), self.get_offset(request)
        rows = cut(queryset, self.offset, self.limit)
        # The last page says itself how many there are; counting is dear where filters or policies narrow the list.
        ends = 0 < len(rows) < self.limit
        self.count = self.offset + len(rows) if ends else self.get_count(queryset)
        return rows

    def get_limit(self, request: Request) -> int:
        """Raises BadQuery; more than the bound is cut to it, and `next` leads on."""
        limit = _whole(request.query_params.get("limit"), "limit", self.default_limit)
        if limit == 0:
            raise BadQuery("limit=0: a page has at least one record", "limit")
        return min(limit, MAX_LIMIT)

    def get_offset(self, request: Request) -> int:
        """Raises BadQuery."""
        return _whole(request.query_params.get("offset"), "offset", 0)

    def get_count(self, queryset: Any) -> int:
        """How many in all, without what `prepare` added for showing them."""
        if isinstance(queryset, QuerySet):
            return queryset.order_by().count()
        return len(queryset)


def _whole(text: str | None, name: str, default: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise BadQuery(f"{name}={text!r} is not a whole number", name)
    return int(text)
