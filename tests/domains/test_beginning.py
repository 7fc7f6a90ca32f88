"""A first start makes the tables that all migrations would make, and what is in them; and a kill leaves nothing half."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

BEGIN = "import django; django.setup(); from watchkeeper.domains import backups; backups.bring_up_to_date()"
WAYS = {"models": ["-c", BEGIN], "migrations": ["-m", "django", "migrate", "-v0"]}
KILLED = """
import os, django; django.setup()
from watchkeeper.domains import backups
from watchkeeper.domains.backups import beginning
beginning.fill = lambda editor: os.kill(os.getpid(), 9)
backups.bring_up_to_date()
"""


def _run(data: Path, *words: str) -> int:
    data.mkdir(exist_ok=True)
    env = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    env |= {"WATCHKEEPER_DATA": str(data), "DJANGO_SETTINGS_MODULE": "watchkeeper.app.settings"}
    return subprocess.run([sys.executable, "-W", "ignore", *words], env=env, capture_output=True).returncode


def _tables(records: Path) -> dict[str, Any]:
    """Table → its columns, indexes and foreign keys, and for the few that are filled what is in them."""
    with closing(sqlite3.connect(records)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        out: dict[str, Any] = {}
        for name in names:
            columns = sorted(row[1:] for row in db.execute(f"PRAGMA table_info('{name}')"))
            indexes = sorted(
                (unique, partial, [column[2] for column in db.execute(f"PRAGMA index_info('{index}')")])
                for _, index, unique, _, partial in db.execute(f"PRAGMA index_list('{name}')")
            )
            keys = sorted(row[2:5] for row in db.execute(f"PRAGMA foreign_key_list('{name}')"))
            out[name] = json.loads(json.dumps([columns, indexes, keys]))
        out["filled"] = {
            table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in (
                "inventory_source",
                "inventory_matchrule",
                "capacity_capacityrule",
                "django_migrations",
            )
        }
        return out


@pytest.mark.timeout(400)
def test_both_ways_make_the_same_tables(tmp_path: Path) -> None:
    made = {}
    for way, words in WAYS.items():
        assert _run(tmp_path / way, *words) == 0
        made[way] = _tables(tmp_path / way / "records.db")
    assert made["models"].keys() == made["migrations"].keys()
    assert {n for n in made["models"] if made["models"][n] != made["migrations"][n]} == set()


def test_a_kill_leaves_nothing_and_the_next_start_makes_all(tmp_path: Path) -> None:
    data = tmp_path / "var"
    assert _run(data, "-c", KILLED) == -9
    with closing(sqlite3.connect(data / "records.db")) as db:
        assert db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    assert _run(data, "-c", BEGIN) == 0
    assert _tables(data / "records.db")["filled"]["inventory_source"] == 1
