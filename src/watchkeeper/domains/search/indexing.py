"""Brings the index up to what the database has noted, in short transactions; several processes may do it."""

from __future__ import annotations

import logging
import threading
import time
import zlib
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from django.db import DatabaseError, close_old_connections, connection, transaction

from watchkeeper.domains.search.models import Due, Entry
from watchkeeper.domains.search.rules import pieces
from watchkeeper.domains.search.sources import Source, sources
from watchkeeper.kernel.upserts import columns_of

SLICE = 250  # records of a transaction
TOGETHER = 500  # entries of a statement: after each, SQLite has the full-text index written out
WHERE = 40  # bits of an id below its kind
NAMED = 100  # `place` of names that are in another table
_LOCK = 0x5EA2C4
_log = logging.getLogger(__name__)
Row = tuple[Any, ...]


class Indexer:
    """Inert until `run`. It works at most half of the time, so that others can write in between."""

    def __init__(self, poll: float = 0.5) -> None:
        self.poll = poll

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        wait = self.poll
        while not stop.wait(wait):
            close_old_connections()
            began = time.monotonic()
            try:
                more = catch_up(SLICE)
            except DatabaseError as error:
                _log.warning("the search index could not be written, trying again: %s", error)
                more = False
            wait = max(time.monotonic() - began, 0.01) if more else self.poll


def catch_up(most: int) -> bool:
    """Index up to `most` of the records that were noted; whether more are waiting."""
    if not Due.objects.exists():
        return False
    with transaction.atomic():
        if not _alone():
            return False
        due = list(Due.objects.order_by("id")[:most])
        by_source: dict[str, list[Due]] = {}
        for d in due:
            by_source.setdefault(d.source, []).append(d)
        done = [d.pk for d in due if d.key or d.source not in sources()]
        for table, noted in by_source.items():
            if (source := sources().get(table)) is None:
                Entry.objects.filter(source=table).delete()
                continue
            _index(source, list({d.key for d in noted if d.key}))
            done += [d.pk for d in noted if not d.key and _walk(source, d)]
        Due.objects.filter(pk__in=done).delete()
    return bool(due)


def _alone() -> bool:
    """SQLite's transaction has one writer anyway; PostgreSQL's takes a lock until it ends."""
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _walk(source: Source, due: Due) -> bool:
    """Index the next of all records; whether that were the last."""
    if not due.after:
        Entry.objects.filter(source=source.table).delete()
    left = source.model._default_manager.order_by("pk")
    if due.after:
        left = left.filter(pk__gt=due.after)
    keys = list(left.values_list("pk", flat=True)[:SLICE])
    _index(source, keys)
    if len(keys) < SLICE:
        return True
    Due.objects.filter(pk=due.pk).update(after=str(keys[-1]))
    return False


def _index(source: Source, keys: Sequence[Any]) -> None:
    """Replace the entries of these records."""
    if not keys:
        return
    Entry.objects.filter(source=source.table, key__in=[str(k) for k in keys]).delete()
    found: dict[str, list[Row]] = {}
    kinds: dict[Any, str] = {}
    columns = (*source.fields, *((source.kind_column,) if source.kind_column else ()))
    rows = source.model._default_manager.filter(pk__in=keys).order_by("pk").values_list("pk", *columns)
    for pk, *values in rows:
        kind = kinds[pk] = (values[-1] if source.kind_column else "") or source.kind
        named = zip(source.fields, values, strict=False)
        texts = [(f, source.place(f), p) for f, v in named for p in pieces(str(v or ""))]
        found.setdefault(kind, []).extend((kind, str(pk), *text) for text in dict.fromkeys(texts))
    for kind, more in _names(source, kinds):
        found.setdefault(kind, []).append(more)
    for kind, entries in found.items():
        _insert(source, kind, entries)


def _names(source: Source, kinds: dict[Any, str]) -> Iterable[tuple[str, Row]]:
    names = source.names
    if names is None:
        return
    rows = names.model._default_manager.filter(names.condition, **{f"{names.owner}__in": list(kinds)})
    for pk, value in rows.order_by("pk").values_list(names.owner, names.value):
        for piece in pieces(value):
            yield kinds[pk], (kinds[pk], str(pk), names.field, NAMED, piece)


def _insert(source: Source, kind: str, entries: list[Row]) -> None:
    low, high = bounds(kind)
    last = Entry.objects.filter(id__range=(low, high)).order_by("-id").values_list("id", flat=True).first()
    first = (last or low) + 1
    columns = columns_of(Entry)
    into = f"INSERT INTO {Entry._meta.db_table} ({', '.join(columns)}) VALUES"
    one = f"({', '.join(['%s'] * len(columns))})"
    with connection.cursor() as cursor:
        for start in range(0, len(entries), TOGETHER):
            part = [
                (first + n, source.table, *entry) for n, entry in enumerate(entries[start:][:TOGETHER], start)
            ]
            cursor.execute(f"{into} {', '.join([one] * len(part))}", [*chain.from_iterable(part)])


def bounds(kind: str) -> tuple[int, int]:
    """The ids that entries of a kind have. Two kinds that share theirs would only be slower."""
    low = (zlib.crc32(kind.encode()) & 0x3FFFFF) << WHERE
    return low, low + (1 << WHERE) - 1
