"""`?format=csv`: every record of a filtered list as a table, written as it is read; the columns are the record's
fields. What a field holds is JSON, text as it is."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from watchkeeper.api.records.cursors import ordering_of, position_of, walk
from watchkeeper.exchange.tables import guarded

_AT_ONCE = 1000  # records in memory
Show = Callable[[list[Any]], list[dict[str, Any]]]


class Csv(JSONRenderer):
    """Makes lists answer to `?format=csv` and `Accept: text/csv`; only a problem is ever rendered by it."""

    media_type = "text/csv"
    format = "csv"


def streamed(
    request: Request, found: QuerySet[Any], name: str, columns: Sequence[str], show: Show
) -> StreamingHttpResponse:
    """All of `found`, an ordered queryset, as a file of this name. `show` gives the records' fields."""
    parts = written(found, columns, show)
    first = next(parts)  # what cannot be read shows now, not in the middle of a file

    def here() -> Iterator[str]:
        yield first
        yield from parts

    async def elsewhere() -> AsyncIterator[str]:
        # Records are read in a thread: the event loop that sends the answer must not wait for them. No view looks
        # after that thread's connection, and whoever reads slowly shall hold none.
        part: str | None = first
        while part is not None:
            yield part
            part = await sync_to_async(_next)(parts)

    served = elsewhere() if isinstance(request._request, ASGIRequest) else here()
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(served, content_type="text/csv; charset=utf-8", headers=headers)


def _next(parts: Iterator[str]) -> str | None:
    try:
        return next(parts, None)
    finally:
        connections.close_all()


def written(found: QuerySet[Any], columns: Sequence[str], show: Show) -> Iterator[str]:
    """The table in parts. Each is a query of its own, so that no thread and no snapshot is held between them."""
    names, position, more = ordering_of(found), None, True
    head: list[Sequence[Any]] = [columns]
    while more:
        page, more = walk(found, names, position, _AT_ONCE)
        rows = ([guarded(row.get(c)) for c in columns] for row in show(page))
        yield _lines([*head, *rows])
        head, position = [], position_of(page[-1], names) if page else None


def _lines(rows: Sequence[Sequence[Any]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue()
