"""Numbered SQL files that make the tables, run once each and recorded. Every statement may run again, so that
a run that was killed in the middle is simply repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from watchkeeper.telemetry.store import Store

_NAME = re.compile(r"(\d{4})_(\w+)\.sql")


class Migration(NamedTuple):
    """One file of schema/."""

    number: int
    name: str
    statements: tuple[str, ...]


def known() -> Iterator[Migration]:
    """The migrations of this version, in order."""
    folder = resources.files("watchkeeper.telemetry") / "schema"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        named = _NAME.fullmatch(file.name)
        if named:
            yield Migration(int(named[1]), named[2], statements(file.read_text()))


def statements(text: str) -> tuple[str, ...]:
    """The statements of a file, without their comments; each ends with a semicolon at the end of a line.

    >>> statements("-- why\\nSELECT 1;\\nSELECT\\n 2;\\n")
    ('SELECT 1', 'SELECT\\n 2')
    """
    bare = re.sub(r"^--.*\n", "", text, flags=re.M)
    return tuple(s.strip() for s in re.split(r";[ \t]*$", bare, flags=re.M) if s.strip())


def run(store: Store) -> list[str]:
    """Make the database and run what has not run; the names of what ran."""
    store.command(f"CREATE DATABASE IF NOT EXISTS `{store.database.replace('`', '')}`", in_database=False)
    store.command(
        "CREATE TABLE IF NOT EXISTS migrations "
        "(number UInt32, name String, applied DateTime('UTC') DEFAULT now()) "
        "ENGINE = MergeTree ORDER BY number"
    )
    done = {row["number"] for row in store.rows("SELECT number FROM migrations")}
    ran = []
    for migration in known():
        if migration.number not in done:
            for statement in migration.statements:
                store.command(statement)
            store.command(
                "INSERT INTO migrations (number, name) SELECT {number:UInt32}, {name:String}",
                {"number": migration.number, "name": migration.name},
            )
            ran.append(f"{migration.number:04}_{migration.name}")
    return ran
