"""Upgrades: killed in every step they go on to their end with what was there; records of a newer version are left alone;
the records are copied first."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.platform import COMMAND, migrated


def environment(folder: Path, **more: str) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    return (
        env | {"DJANGO_SETTINGS_MODULE": "watchkeeper.app.settings", "WATCHKEEPER_DATA": str(folder)} | more
    )


def killed_in_every_step(env: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.system.upgrade_child"],
        env=env,
        capture_output=True,
        text=True,
        timeout=580,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    out: dict[str, Any] = json.loads(done.stdout)
    return out


def made_of(file: Path) -> set[tuple[str, ...]]:
    """Tables, indexes and triggers, and the columns of the tables."""
    with closing(sqlite3.connect(file)) as records:
        found = records.execute("SELECT type, name FROM sqlite_master").fetchall()
        columns = {
            ("column", name, row[1])
            for kind, name in found if kind == "table"
            for row in records.execute(f'PRAGMA table_info("{name}")')
        }  # fmt: skip
        return columns | set(found)


@pytest.mark.timeout(600)
def test_an_upgrade_that_is_killed_in_every_step_comes_to_its_end(tmp_path: Path) -> None:
    found = killed_in_every_step(environment(tmp_path))
    assert found["killed"] > 15 and len(found["before"]) > 30
    assert found["after"] == found["before"], "every row is as it was"
    assert made_of(tmp_path / "records.db") == made_of(migrated()), (
        "and the tables are those of an upgrade in one go"
    )
    copies = sorted((tmp_path / "backups").iterdir())
    assert 0 < len(copies) <= 4 and all(
        (c / "records.db").stat().st_size for c in copies if c.suffix != ".part"
    )


@pytest.mark.timeout(600)
def test_an_upgrade_of_postgresql_that_is_killed_in_every_step_comes_to_its_end(
    tmp_path: Path, database: str
) -> None:
    found = killed_in_every_step(environment(tmp_path, DATABASE_URL=database))
    assert found["killed"] > 15 and found["after"] == found["before"]


def dumped(file: Path) -> list[tuple[Any, ...]]:
    """What was migrated, and all that is there of the tables."""
    with closing(sqlite3.connect(file)) as records:
        steps = records.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()
        return steps + records.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()


def newer(folder: Path) -> None:
    folder.mkdir(parents=True)
    shutil.copy(migrated(), folder / "records.db")
    with closing(sqlite3.connect(folder / "records.db")) as records, records:
        records.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('inventory', '0999_of_next_year', '2030-01-01')"
        )


def test_records_of_a_newer_version_are_left_alone(tmp_path: Path) -> None:
    newer(tmp_path / "var")
    before = dumped(tmp_path / "var" / "records.db")
    env = environment(tmp_path / "var", WATCHKEEPER_LISTEN="127.0.0.1:0", WATCHKEEPER_SYSLOG="off")
    for words in (("serve",), ("status",)):
        done = subprocess.run([COMMAND, *words], env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode != 0
        assert "of a newer Watchkeeper, which made inventory.0999_of_next_year" in done.stderr, done.stderr
    assert dumped(tmp_path / "var" / "records.db") == before


def test_two_that_upgrade_at_once_do_it_once(tmp_path: Path) -> None:
    shutil.copy(migrated(), tmp_path / "records.db")
    with (
        closing(sqlite3.connect(tmp_path / "records.db")) as records,
        records,
    ):  # a step that changes rows alone
        records.execute("DELETE FROM django_migrations WHERE app = 'capacity' AND name > '0004'")
    run = [sys.executable, "-m", "watchkeeper.app.prepare"]
    both = [
        subprocess.Popen(run, env=environment(tmp_path), stdout=-1, stderr=-1, text=True) for _ in range(2)
    ]
    said = [p.communicate(timeout=120) for p in both]
    assert [p.returncode for p in both] == [0, 0], said
    assert sorted("before this upgrade" in errors for _, errors in said) == [False, True]
    assert len(list((tmp_path / "backups").iterdir())) == 1


def test_an_upgrade_is_not_begun_without_room_for_the_copy(tmp_path: Path) -> None:
    shutil.copy(migrated(), tmp_path / "records.db")
    (tmp_path / "no-folder").write_text("a file")
    with closing(sqlite3.connect(tmp_path / "records.db")) as records, records:
        records.execute("DELETE FROM django_migrations WHERE app = 'capacity' AND name > '0004'")
    env = environment(tmp_path, WATCHKEEPER_BACKUPS=str(tmp_path / "no-folder"))
    done = subprocess.run(
        [sys.executable, "-m", "watchkeeper.app.prepare"],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1 and "WATCHKEEPER_BACKUPS" in done.stderr
