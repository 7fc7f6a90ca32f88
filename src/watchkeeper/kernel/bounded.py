"""A bound on how long the database may work on something that a page can do without."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

_STEPS = 20_000  # of SQLite's virtual machine between two looks at the clock


class TookTooLong(Exception):
    """The database was stopped before it had an answer."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is asked inside is stopped after this time, for PostgreSQL each statement. Raises TookTooLong.

    PostgreSQL does it in a transaction; nothing should be written inside.
    """
    connection.ensure_connection()
    try:
        if connection.vendor == "sqlite":
            until = time.monotonic() + seconds
            connection.connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
            try:
                yield
            finally:
                connection.connection.set_progress_handler(None, 0)
        else:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('statement_timeout', %s, true)", [f"{int(seconds * 1000)}ms"]
                )
                yield
                cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except OperationalError as error:
        if "interrupted" in str(error) or "statement timeout" in str(error):
            raise TookTooLong from error
        raise
