"""Upgrades records from their first state, killed in every step that there is: after the step's first change, or when it
was noted as done and not committed. Prints what was there before and is there after.

    python -m tests.system.upgrade_child
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

NOTE = 'INSERT INTO "django_migrations"'
WRITES = ("CREATE", "ALTER", "INSERT", "UPDATE", "DELETE", "DROP")
ANOTHER = "account"  # an app of a library whose steps are killed too
AT = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
Rows = dict[str, dict[str, Any]]


def main() -> None:
    import django

    django.setup()
    from django.db import connection

    rows = _filled(_migrated_to_first())
    connection.close()
    killed = 0
    while _upgrade(_ways(killed)) == -signal.SIGKILL:
        killed += 1
    out = {"killed": killed, "before": rows, "after": _again(rows)}
    sys.stdout.write(json.dumps(out, default=str))


def _migrated_to_first() -> Any:
    """As it is when the first migration of each of our apps, and what these need, is all there is."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    loader = executor.loader
    ours = {
        name
        for name, migration in loader.disk_migrations.items()
        if migration.__module__.startswith("watchkeeper")
    }
    old = [name for name in ours if name[1].startswith("0001")]
    old += [name for name in loader.graph.leaf_nodes() if name not in ours and name[0] != ANOTHER]
    needed = {name for target in old for name in loader.graph.forwards_plan(target)}
    newest = [
        name
        for name in needed
        if not any(
            child.key[0] == name[0] and child.key in needed for child in loader.graph.node_map[name].children
        )
    ]  # of each app; to ask for one before it would be to go back
    return executor.migrate(newest).apps


def _filled(apps: Any) -> Rows:
    """A row of every kind of record that takes plain values, as its fields ask for them."""
    from django.db import DatabaseError, transaction

    made: Rows = {}
    waiting = [m for m in apps.get_models() if m._meta.managed and not m._meta.proxy]
    for _ in range(4):  # what refers to others comes after them
        for model in list(waiting):
            try:
                with transaction.atomic():
                    row = model.objects.create(**_values(model, made))
            except (DatabaseError, LookupError, ValueError):
                continue
            waiting.remove(model)
            made[model._meta.label] = _as_shown(model, row.pk)
    return made


def _values(model: Any, made: Rows) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        named = field.primary_key and field.get_internal_type() == "CharField"
        given = field.null or field.has_default() or field.generated or field.primary_key
        if (given and not named) or getattr(field.remote_field, "parent_link", False):
            continue
        other = field.remote_field and made[field.related_model._meta.label]
        out[field.attname] = other["pk"] if other else _value(field)
    return out


def _value(field: Any) -> Any:
    kind = field.get_internal_type()
    if field.choices:
        return field.choices[0][0]
    if kind == "DateTimeField":
        return AT
    if kind == "DateField":
        return AT.date()
    if kind == "BooleanField":
        return False
    if kind.endswith("IntegerField") or kind in ("FloatField", "DecimalField"):
        return 1
    return {"JSONField": {}, "BinaryField": b"x"}.get(kind, f"a {field.name}"[: field.max_length or 40])


def _as_shown(model: Any, pk: Any) -> dict[str, Any]:
    from django.db import connection

    quote = connection.ops.quote_name
    table, key = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT * FROM {quote(table)} WHERE {quote(key)} = %s",
            [model._meta.pk.get_db_prep_value(pk, connection)],
        )
        names = [c[0] for c in cursor.description]
        found = cursor.fetchone()
    return {
        "pk": pk,
        "table": table,
        "key": key,
        "row": dict(zip(names, map(str, found), strict=True)) if found else None,
    }


def _again(rows: Rows) -> Rows:
    """The same rows now, and of each the columns that it had."""
    from django.db import connection

    out: Rows = {}
    for label, was in rows.items():
        with connection.cursor() as cursor:
            quote = connection.ops.quote_name
            pk = was["row"][was["key"]]
            cursor.execute(
                f"SELECT * FROM {quote(was['table'])} WHERE CAST({quote(was['key'])} AS varchar(200)) = %s",
                [pk],
            )
            names = [c[0] for c in cursor.description]
            found = cursor.fetchone()
        row = dict(zip(names, map(str, found), strict=True)) if found else {}
        out[label] = {**was, "row": {n: _unsealed(v, row.get(n, "gone")) for n, v in was["row"].items()}}
    return out


def _unsealed(was: str, now: str) -> str:
    """A text that a step has sealed as it was; any other as it is."""
    from django.conf import settings

    from watchkeeper.kernel.secrets import Unreadable, unseal

    try:
        return now if now == was else unseal(now, settings.SECRET_KEY)
    except Unreadable:
        return now


def _upgrade(when: Callable[[str, int], bool]) -> int:
    """Upgrade in a process of its own, killed when `when(statement, notes before it)`; how it ended."""
    from django.db import connection

    connection.close()
    if (child := os.fork()) == 0:
        _upgrade_here(when)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _upgrade_here(when: Callable[[str, int], bool]) -> None:
    from django.db import connection

    from watchkeeper.domains import backups

    notes = 0

    def watch(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        nonlocal notes
        done = execute(sql, params, many, context)
        text = str(sql)
        if text.startswith(WRITES) and when(text, notes):
            os.kill(os.getpid(), signal.SIGKILL)
        notes += text.startswith(NOTE)
        return done

    with connection.execute_wrapper(watch):
        backups.bring_up_to_date(starting=True)
    os._exit(0)


def _ways(killed: int) -> Callable[[str, int], bool]:
    """One step is done, the next is killed: after its first change, or when it was noted and not committed."""
    if killed == 0:
        return lambda _sql, _notes: True
    if killed % 2:
        return lambda sql, notes: notes == 1 and sql.startswith(NOTE)
    return lambda _sql, notes: notes == 1


if __name__ == "__main__":
    main()
