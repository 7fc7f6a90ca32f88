"""Of which records vectors are kept, and what their texts are: a domain says so with `describe`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet


@dataclass(frozen=True)
class Source:
    """A kind of record with whole numbers as keys: `among` gives those that anybody may want to find, `said` makes a text of
    the values of `fields`."""

    kind: str
    among: Callable[[], QuerySet[Any]]
    fields: tuple[str, ...]
    said: Callable[..., str]

    def texts(self, found: QuerySet[Any]) -> dict[int, str]:
        """Key → text of these of its records."""
        rows: Iterable[tuple[Any, ...]] = found.order_by("pk").values_list("pk", *self.fields)
        return {pk: self.said(*values) for pk, *values in rows}


sources: dict[str, Source] = {}


def describe(source: Source) -> None:
    """Have vectors kept of this kind."""
    sources[source.kind] = source
