"""Brings the records up to date with this version: one process at a time, after a copy of them was put aside, and never
when a newer Watchkeeper has been at them.

Each migration is one transaction with the note that it was done, on SQLite and on PostgreSQL: an upgrade that was killed
goes on with the one that it was at. (`django-admin migrate` notes one that makes indexes after its transaction: killed in
between, it finds tables that it then cannot make.)
"""

from __future__ import annotations

import datetime as dt
import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from watchkeeper.domains.backups import beginning
from watchkeeper.domains.backups.taking import DUMP, JOBS, RECORDS, copy_sqlite, dump, folder
from watchkeeper.kernel.problems import Refused

PREFIX = "before-upgrade-"
KEPT = 3  # copies, the newest
LOCK = "upgrade.lock"
_TURN = 0x77617463686B  # of PostgreSQL's advisory locks, "watchk"
_log = logging.getLogger(__name__)


def bring_up_to_date(*, starting: bool = False) -> Path | None:
    """Do what is due; where the records were copied to before it, when they were. At a start also do again what follows
    on every upgrade, which may have been killed before it. Raises Refused when the records are of a newer Watchkeeper
    or cannot be copied, and OperationalError when they cannot be reached."""
    if not starting and not _due():
        return None
    with _alone():
        copy = None
        if _due():  # and no other process did it meanwhile
            executor = Steps(connection)
            copy = _put_aside() if executor.loader.applied_migrations else None
            beginning.make(executor) if beginning.empty() else executor.all()
        emit_post_migrate_signal(0, False, connection.alias)
        return copy


class Steps(MigrationExecutor):
    """Migrations as steps that are done or not, whatever is killed."""

    def all(self) -> None:
        """Every step that is due, and what has to be before them."""
        goal = self.loader.graph.leaf_nodes()
        self.loader.check_consistent_history(self.connection)
        plan, before = self.migration_plan(goal), self._create_project_state(with_applied_migrations=True)  # type: ignore[attr-defined]
        emit_pre_migrate_signal(0, False, self.connection.alias, apps=before.apps, plan=plan)
        self.migrate(goal, plan, state=before.clone())

    def apply_migration(
        self, state: Any, migration: Any, fake: bool = False, fake_initial: bool = False
    ) -> Any:
        """One step, its note and what Django puts off to the end of it, in one transaction."""
        if fake or fake_initial or not migration.atomic:
            return super().apply_migration(state, migration, fake, fake_initial)
        with self.connection.schema_editor() as editor:
            state = migration.apply(state, editor)
            while editor.deferred_sql:
                editor.execute(editor.deferred_sql.pop(0))
            self.record_migration(migration)  # type: ignore[call-arg]  # its stubs are of an older Django
        return state


def _due() -> bool:
    """Whether something is to be migrated. Raises Refused."""
    executor = Steps(connection)
    loader = executor.loader
    # Libraries' apps may join migrations of theirs; an app that is not here at all came with the newer version.
    libraries = {app.label for app in apps.get_app_configs() if not app.name.startswith("watchkeeper.")}
    unknown = set(loader.applied_migrations) - set(loader.disk_migrations)
    newer = sorted(f"{app}.{name}" for app, name in unknown if app not in libraries)
    if newer:
        raise Refused(
            f"these records are of a newer Watchkeeper, which made {', '.join(newer[:3])} of them: start that one, or"
            f" put the copy back that it made before its upgrade ({folder()}/{PREFIX}…)"
        )
    return bool(executor.migration_plan(loader.graph.leaf_nodes()))


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time: of this data folder, and with PostgreSQL of this database."""
    data: Path = settings.CONFIG.data
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (data / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_TURN])
        try:
            yield
        finally:
            connection.close()  # with it the lock


def _put_aside() -> Path | None:
    """Where the copy is; None when PostgreSQL's programs cannot make one here. Raises Refused."""
    goal = folder() / f"{PREFIX}{dt.datetime.now(dt.UTC):%Y-%m-%dT%H%M%SZ}"
    part = goal.with_name(f"{goal.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True, mode=0o700)
        if connection.vendor == "sqlite":
            _copy(part)
        else:
            dump(part / DUMP)
        if not goal.exists():
            part.rename(goal)
    except Refused as error:
        _log.warning("the records are upgraded without a copy of them: %s", error.detail)
        return None
    except OSError as error:
        raise Refused(
            f"the records cannot be copied before the upgrade, so it was not begun: {error}. Make room in {folder()},"
            " or name a folder elsewhere in WATCHKEEPER_BACKUPS"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    _forget_older()
    return goal


def _copy(part: Path) -> None:
    copy_sqlite(Path(connection.settings_dict["NAME"]), part / RECORDS)
    jobs = settings.CONFIG.data / JOBS
    if jobs.exists():
        copy_sqlite(jobs, part / JOBS)
    for path in part.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _forget_older() -> None:
    made = sorted(p for p in folder().glob(f"{PREFIX}*") if p.suffix != ".part")
    for path in made[:-KEPT]:
        shutil.rmtree(path)
    for path in folder().glob(f"{PREFIX}*.part"):  # of upgrades that were killed
        shutil.rmtree(path)
