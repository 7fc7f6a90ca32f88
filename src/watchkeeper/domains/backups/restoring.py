"""Makes an installation of a backup, in an empty data folder and, with PostgreSQL, an empty database. Nothing is
touched before every file was held against the manifest."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection

from watchkeeper.domains.backups import manifest as manifests
from watchkeeper.domains.backups.manifest import Manifest
from watchkeeper.domains.backups.taking import DATA, DUMP, JOBS, JOURNAL, RECORDS, TELEMETRY, load
from watchkeeper.kernel.problems import Refused

Told = Callable[[int, int], None]


def restore(backup: Path, told: Told = lambda _done, _of: None) -> Manifest:
    """Raises Refused when the backup is not whole, or something is there already."""
    config = settings.CONFIG
    manifest = manifests.read(backup, told)
    if manifest.records != connection.vendor:
        raise Refused(
            f"the records of this backup are {manifest.records}, and DATABASE_URL names {connection.vendor}"
        )
    if config.data.exists() and any(p.name not in ("secret-key",) for p in config.data.iterdir()):
        raise Refused(f"{config.data} is not empty: WATCHKEEPER_DATA has to name a new folder")
    shutil.copytree(backup / DATA, config.data, dirs_exist_ok=True)
    config.data.chmod(0o700)
    if connection.vendor == "sqlite":
        shutil.copy2(backup / RECORDS, connection.settings_dict["NAME"])
        if (backup / JOBS).exists():
            shutil.copy2(backup / JOBS, config.data / JOBS)
    else:
        load(backup / DUMP)
    passed = _passed()
    if (backup / JOURNAL).exists():
        _journal(backup / JOURNAL, config.data, passed)
    if (backup / TELEMETRY).exists():
        _telemetry(backup / TELEMETRY, config.data, manifest.telemetry_passed)
    return manifest


def _passed() -> int:
    """How far analysis had come in the journal when the records were copied. The job that took the backup is over."""
    from watchkeeper.domains.situations.active import analysis_offset
    from watchkeeper.jobs.models import Job, JobState

    Job.objects.filter(kind="backup", state=JobState.RUNNING).update(
        state=JobState.CANCELLED, error="this is what was restored from it"
    )
    offset = analysis_offset()
    connection.close()
    return offset


def _journal(source: Path, data: Path, passed: int) -> None:
    from watchkeeper.journal import FILE, open_journal
    from watchkeeper.journal.sqlite import SqliteJournal

    shutil.copy2(source, data / FILE)
    journal = open_journal("", data)
    assert isinstance(journal, SqliteJournal)
    try:
        journal.skip(passed)
    finally:
        journal.close()


def _telemetry(source: Path, data: Path, passed: int) -> None:
    from watchkeeper.telemetry.restoring import restore as load_telemetry

    load_telemetry(source, data / "telemetry", passed)
