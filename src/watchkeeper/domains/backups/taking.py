"""Takes a backup. Nothing stops meanwhile: databases are copied as they are at one moment, what was learned and what
people attached as files.

Telemetry is copied by ClickHouse's BACKUP into the engine's own folder and moved from there. What a cluster, a NATS
server keeps is theirs to keep: it is named as being elsewhere.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from watchkeeper.domains.backups import manifest as manifests
from watchkeeper.domains.backups.manifest import Manifest
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.problems import Refused

Say = Callable[[str], None]
#: in the data folder, but made anew or copied another way
_NOT = frozenset((
    "journal.db", "records.db", "jobs.db", "telemetry", "backups", "exports", "lock", "journal.db.lock",
    "vitals.json", "vitals.json.new", "upgrade.lock",
))  # fmt: skip
_FLEETING = ("-wal", "-shm", ".sock", ".part")
LOOK_EVERY = 0.5  # seconds, while ClickHouse copies
RECORDS, DUMP, JOBS, JOURNAL, TELEMETRY, DATA = (
    "records.db", "records.dump", "jobs.db", "journal.db", "telemetry", "data",
)  # fmt: skip


def folder() -> Path:
    """Where backups go: WATCHKEEPER_BACKUPS, or `backups` in the data folder."""
    return Path(os.environ.get("WATCHKEEPER_BACKUPS", "") or settings.CONFIG.data / "backups")


def take(name: str, say: Say) -> Path:
    """A new backup of this name, of which there is none yet, in `folder()`, whole when this returns. Raises Refused,
    TelemetryError, NotReady, and OSError when the disk is full."""
    goal = folder() / name
    part = goal.with_name(f"{name}.part")
    shutil.rmtree(part, ignore_errors=True)  # of one that was killed
    part.mkdir(parents=True, mode=0o700)
    try:
        _write(part, name, say)
        part.rename(goal)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    _sync(goal.parent)
    return goal


def _write(part: Path, name: str, say: Say) -> None:
    began = dt.datetime.now(dt.UTC)
    config, elsewhere = settings.CONFIG, list[str]()
    say("Copying the journal")
    passed = 0
    if config.journal_url:
        elsewhere.append("the journal, in NATS JetStream")
    else:
        from watchkeeper.journal.sqlite import SqliteJournal  # with pyarrow, which commands need not wait for

        journal = ports.the_journal()
        assert isinstance(journal, SqliteJournal)
        passed = journal.copy(part / JOURNAL)
    learned = config.data / "learned.bin"
    (part / DATA).mkdir()
    if learned.exists():  # before the records: learning something twice does less harm than never
        shutil.copy2(learned, part / DATA)
    say("Copying the records")
    _records(part)
    say("Copying files and keys")
    for path in config.data.iterdir():
        if path.name not in _NOT and path != learned and not path.name.endswith(_FLEETING):
            _copy(path, part / DATA / path.name)
    if config.telemetry_url:
        elsewhere.append("telemetry, in a ClickHouse cluster")
    else:
        say("Copying telemetry")
        _telemetry(name, part / TELEMETRY)
    say("Writing the manifest")
    made = Manifest(
        version=version("watchkeeper"), taken_at=began.isoformat(timespec="seconds"), records=connection.vendor,
        telemetry_passed=passed, elsewhere=tuple(elsewhere), files=manifests.listed(part),
    )  # fmt: skip
    manifests.write(part, made)


def _records(part: Path) -> None:
    jobs = settings.CONFIG.data / JOBS
    if connection.vendor == "sqlite":
        copy_sqlite(Path(connection.settings_dict["NAME"]), part / RECORDS)
        if jobs.exists():
            copy_sqlite(jobs, part / JOBS)
    else:
        dump(part / DUMP)


def copy_sqlite(source: Path, goal: Path) -> None:
    """The database as it is at one moment, whoever writes meanwhile."""
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as there,
        closing(sqlite3.connect(goal)) as here,
    ):
        there.backup(here)
        here.execute("PRAGMA journal_mode = DELETE")  # one file, and none beside it


def dump(goal: Path) -> None:
    """PostgreSQL's own archive of the records. Raises Refused."""
    _postgresql("pg_dump", "--format=custom", "--no-owner", "--file", str(goal))


def _postgresql(program: str, *arguments: str) -> None:
    if shutil.which(program) is None:
        raise Refused(f"{program} is not installed: it comes with PostgreSQL's client programs")
    given: dict[str, Any] = connection.settings_dict
    env = {
        **os.environ, "PGHOST": given["HOST"], "PGPORT": str(given["PORT"]), "PGUSER": given["USER"],
        "PGPASSWORD": given["PASSWORD"], "PGDATABASE": given["NAME"],
    }  # fmt: skip
    done = subprocess.run(
        [program, *arguments],
        env={k: v for k, v in env.items() if v},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Refused(f"{program} failed: {done.stderr.strip()[-500:]}")


def load(source: Path) -> None:
    """Fill the database of the records from an archive. Raises Refused."""
    _postgresql(
        "pg_restore",
        "--no-owner",
        "--exit-on-error",
        "--dbname",
        connection.settings_dict["NAME"],
        str(source),
    )


def _copy(path: Path, goal: Path) -> None:
    if path.is_dir():
        shutil.copytree(path, goal, ignore=shutil.ignore_patterns(*(f"*{end}" for end in _FLEETING)))
    elif path.is_file():
        shutil.copy2(path, goal)


def _telemetry(name: str, goal: Path) -> None:
    store = ports.the_telemetry()
    there = settings.CONFIG.data / "telemetry" / "backups" / name
    shutil.rmtree(there, ignore_errors=True)
    try:
        store.begin(f"BACKUP DATABASE {store.database} TO File('{name}') ASYNC")
        while (state := _state(store, name))["status"] == "CREATING_BACKUP":
            time.sleep(LOOK_EVERY)
        if state["status"] != "BACKUP_CREATED":
            raise Refused(f"telemetry cannot be copied: {state['error'].splitlines()[0]}")
        shutil.move(there, goal)
    finally:
        shutil.rmtree(there, ignore_errors=True)


def _state(store: Any, name: str) -> dict[str, Any]:
    rows = store.rows(
        "SELECT toString(status) AS status, error FROM system.backups WHERE name = {name:String}"
        " ORDER BY start_time DESC LIMIT 1",
        {"name": f"File('{name}')"},
    )
    found: dict[str, Any] = rows[0] if rows else {"status": "CREATING_BACKUP"}
    return found


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
