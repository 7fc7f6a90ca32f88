"""What somebody with a SQL prompt may do to the audit trail. Each works on a chain of twenty sealed entries, in the
dialect that both databases share."""

from __future__ import annotations

from typing import Any

from django.db import connection

from watchkeeper.domains.audit.reading import entries
from watchkeeper.domains.audit.rules import seal_of
from watchkeeper.kernel.models import AuditEntry

TABLE = "kernel_auditentry"
FAR = 1_000_000  # out of the way of the unique numbers
COPIED = "at, actor_kind, actor, actor_id, address, request_id, act, kind, record, name, before, after"


def sql(statement: str, *parameters: Any) -> Any:
    """Run it; the first row of what it answers."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone() if cursor.description else None


def change(column: str, value: Any, number: int = 7) -> None:
    """Another value in one column of one entry."""
    sql(f"UPDATE {TABLE} SET {column} = %s WHERE sealed_no = %s", value, number)


def delete(first: int, last: int) -> None:
    """Entries taken out."""
    sql(f"DELETE FROM {TABLE} WHERE sealed_no BETWEEN %s AND %s", first, last)


def renumber(since: int, by: int) -> None:
    """Numbers shifted."""
    sql(f"UPDATE {TABLE} SET sealed_no = sealed_no + %s WHERE sealed_no >= %s", FAR, since)
    sql(f"UPDATE {TABLE} SET sealed_no = sealed_no - %s WHERE sealed_no >= %s", FAR - by, FAR)


def insert(number: int, seal: str = "", **columns: Any) -> int:
    """A copy of the first entry under this number, with other columns; its id."""
    sql(f"INSERT INTO {TABLE} ({COPIED}, seal) SELECT {COPIED}, %s FROM {TABLE} WHERE sealed_no = 1", seal)
    (made,) = sql(f"SELECT max(id) FROM {TABLE}")
    for name, value in {**columns, "sealed_no": number}.items():
        sql(f"UPDATE {TABLE} SET {name} = %s WHERE id = %s", value, made)
    return int(made)


def seal_anew(first: int, last: int) -> None:
    """Seals that fit, from one entry to another."""
    for number in range(first, last + 1):
        before = sql(f"SELECT seal FROM {TABLE} WHERE sealed_no = %s", number - 1)
        (entry,) = entries(AuditEntry.objects.filter(sealed_no=number))
        change("seal", seal_of(before[0] if before else "", entry.content), number)


def swap(one: int, other: int, columns: tuple[str, ...]) -> None:
    """What these columns hold, exchanged between two entries. The numbers are exchanged last."""
    ids = [sql(f"SELECT id FROM {TABLE} WHERE sealed_no = %s", n)[0] for n in (one, other)]
    names = ", ".join(columns)
    rows = [sql(f"SELECT {names} FROM {TABLE} WHERE id = %s", pk) for pk in ids]
    for pk, row in zip(ids, reversed(rows), strict=True):
        for name, value in zip(columns, row, strict=True):
            if name == "sealed_no":
                sql(f"UPDATE {TABLE} SET sealed_no = NULL WHERE sealed_no = %s", value)
            sql(f"UPDATE {TABLE} SET {name} = %s WHERE id = %s", value, pk)
