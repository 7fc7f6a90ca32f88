"""Many rows at once, inserted or brought up to date: the same on both databases, and without an object a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Model

from watchkeeper.kernel.fields import moment


@lru_cache(maxsize=64)
def columns_of(model: type[Model]) -> tuple[str, ...]:
    """Column names in the order of the model's fields, a generated key left out."""
    return tuple(f.column for f in model._meta.concrete_fields if not (f.primary_key and f.db_returning))


def upsert(
    model: type[Model],
    rows: Iterable[Sequence[Any]],
    *,
    key: Sequence[str] = (),
    columns: Sequence[str] = (),
    keep: bool = False,
    where: str = "",
    update: Sequence[str] | None = None,
) -> None:
    """Insert `rows` (values as the database takes them, in the order of `columns`); those whose `key` (column
    names, the primary key by default) exists are brought up to date, or left alone with `keep`. `where` is
    the condition of a partial unique index. `update` says which columns to bring up to date; all but the key.
    """
    statement = _statement(
        model,
        tuple(columns) or columns_of(model),
        tuple(key) or (model._meta.pk.column,),
        keep,
        where,
        None if update is None else tuple(update),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


@lru_cache(maxsize=64)
def _statement(
    model: type[Model],
    columns: tuple[str, ...],
    key: tuple[str, ...],
    keep: bool,
    where: str,
    update: tuple[str, ...] | None,
) -> str:
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, columns))
    changed = [c for c in columns if c not in key] if update is None else update
    sets = ", ".join(f"{quote(c)} = excluded.{quote(c)}" for c in changed)
    act = "DO NOTHING" if keep or not changed else f"DO UPDATE SET {sets}"
    target = f"({', '.join(map(quote, key))})" + (f" WHERE {where}" if where else "")
    return (
        f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({', '.join(['%s'] * len(columns))}) "
        f"ON CONFLICT {target} {act}"
    )


@lru_cache(maxsize=8192)
def when(ms: int) -> Any:
    """Unix milliseconds as the database takes a time; 0 is NULL."""
    return connection.ops.adapt_datetimefield_value(moment(ms))
