"""Many rows at once, without an object a row, the same on SQLite and PostgreSQL: inserted or brought up to date,
and read as the plain values that were put in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet

from watchkeeper.kernel.fields import milliseconds, moment

_FEW = 50  # rows for which a COPY does not pay


@lru_cache(maxsize=64)
def columns_of(model: type[Model]) -> tuple[str, ...]:
    """Column names of the model's own table in the order of its fields, a generated key left out."""
    return tuple(str(f.column) for f in _fields(model))


def row_of(model: type[Model], record: Model) -> tuple[Any, ...]:
    """A new record as `upsert` takes a row of the table of `model`, its own or a parent's."""
    return tuple(f.get_db_prep_save(f.pre_save(record, True), connection) for f in _fields(model))


@lru_cache(maxsize=64)
def _fields(model: type[Model]) -> tuple[Any, ...]:
    found = model._meta.local_concrete_fields
    return tuple(f for f in found if not (f.primary_key and f.db_returning))


def upsert(
    model: type[Model],
    rows: Sequence[Sequence[Any]],
    *,
    key: Sequence[str] = (),
    keep: bool = False,
    where: str = "",
    update: Sequence[str] | None = None,
) -> None:
    """Insert `rows` (values as the database takes them, in the order of `columns_of`, no key twice).

    Those whose `key` (column names, the primary key by default) exists are brought up to date, or left alone
    with `keep`. `where` is the condition of a partial unique index; `update` names the columns to bring up to
    date, all but the key by default. More than a few rows need a transaction around.
    """
    if not rows:
        return
    columns = columns_of(model)
    unique = tuple(key) or (str(model._meta.pk.column),)
    into, conflict = _statement(
        model, columns, unique, keep, where, None if update is None else tuple(update)
    )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and len(rows) > _FEW:
            _copied(cursor, model, columns, rows, into, conflict)
        else:
            cursor.executemany(f"{into} VALUES ({', '.join(['%s'] * len(columns))}) {conflict}", rows)


def _copied(
    cursor: Any, model: type[Model], columns: tuple[str, ...], rows: Iterable[Any], into: str, conflict: str
) -> None:
    """One COPY and one statement, instead of a round trip a row."""
    quote = connection.ops.quote_name
    names, table = ", ".join(map(quote, columns)), model._meta.db_table
    aside = quote(f"rows_for_{table}")
    cursor.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {aside} ON COMMIT DELETE ROWS AS "
        f"SELECT {names} FROM {quote(table)} WITH NO DATA"
    )
    cursor.execute(f"DELETE FROM {aside}")
    with cursor.copy(f"COPY {aside} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    cursor.execute(f"{into} SELECT {names} FROM {aside} {conflict}")


@lru_cache(maxsize=64)
def _statement(
    model: type[Model],
    columns: tuple[str, ...],
    key: tuple[str, ...],
    keep: bool,
    where: str,
    update: tuple[str, ...] | None,
) -> tuple[str, str]:
    """What comes before the values, and what comes after."""
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, columns))
    changed = [c for c in columns if c not in key] if update is None else update
    sets = ", ".join(f"{quote(c)} = excluded.{quote(c)}" for c in changed)
    act = "DO NOTHING" if keep or not changed else f"DO UPDATE SET {sets}"
    target = f"({', '.join(map(quote, key))})" + (f" WHERE {where}" if where else "")
    return f"INSERT INTO {quote(model._meta.db_table)} ({names})", f"ON CONFLICT {target} {act}"


@lru_cache(maxsize=8192)
def when(ms: int) -> Any:
    """Unix milliseconds as the database takes a time; 0 is NULL."""
    return connection.ops.adapt_datetimefield_value(moment(ms))


def since(value: Any) -> int:
    """A time as `raw_rows` gives it in Unix milliseconds; NULL is 0."""
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    if value is None:
        return 0
    return milliseconds(value if value.tzinfo else value.replace(tzinfo=dt.UTC))


def raw_rows(found: QuerySet[Any], fetch: int = 5000) -> Iterator[tuple[Any, ...]]:
    """Rows of a queryset's model in the order of `columns_of`, as the database gives them: times for `since`,
    documents as JSON text, truths as 0 and 1 or as they are."""
    model: type[Model] = found.model
    sql, parameters = found.values_list(*columns_of(model)).query.sql_with_params()
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(fetch):
            yield from rows
