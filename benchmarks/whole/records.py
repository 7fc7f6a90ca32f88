"""Records under a benchmark: a database of its own, migrated, on SQLite or PostgreSQL, and Django on it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def arguments(doc: str | None) -> ArgumentParser:
    """A parser that knows `--postgres`."""
    parser = ArgumentParser(description=doc)
    parser.add_argument("--postgres", action="store_true", help="at 127.0.0.1:5432, user postgres")
    return parser


@contextmanager
def database(postgres: bool) -> Iterator[Path]:
    """Django, set up on an empty migrated database, removed after; the data folder."""
    name = f"watchkeeper_bench_{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WATCHKEEPER_DATA"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "watchkeeper.app.settings"
        if postgres:
            os.environ["DATABASE_URL"] = f"postgres://postgres@127.0.0.1:5432/{name}"
            _psql(f"CREATE DATABASE {name}")
        try:
            import django

            django.setup()
            from django.conf import settings
            from django.core.management import call_command

            settings.ALLOWED_HOSTS = ["*"]
            call_command("migrate", verbosity=0)
            print(f"this machine: {pace():.1f} million steps of plain Python a second", file=sys.stderr)
            yield Path(folder)
            print(f"this machine, after it: {pace():.1f}", file=sys.stderr)
        finally:
            from django.db import connection

            connection.close()
            if postgres:
                _psql(f"DROP DATABASE {name} WITH (FORCE)")


def pace() -> float:
    """Millions of steps of a plain loop that a core takes in a second: by it, what was measured on other machines, or on
    this one at another hour, can be compared."""
    began, kept = time.perf_counter(), 0
    for n in range(3_000_000):
        kept += n * n % 7
    return 3.0 / (time.perf_counter() - began)


def analyse() -> str:
    """The planner's figures as they are some minutes after so many writes; the name of the database."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return connection.vendor


def _psql(command: str) -> None:
    subprocess.run(["psql", "-qh", "127.0.0.1", "-U", "postgres", "-c", command], check=True)
