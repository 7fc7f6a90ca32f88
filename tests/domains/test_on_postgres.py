"""The other database: the tests of the records once more, on PostgreSQL, in a process with other settings."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support import PATIENCE, require

THERE = os.environ.get("WATCHKEEPER_TEST_DATABASE") == "postgres"
CHOSEN = (
    "tests/domains/test_on_postgres.py",
    "tests/domains/test_dates_that_end.py",
    "tests/domains/test_writer.py",
    "tests/domains/test_inventory.py",
    "tests/domains/test_inventory_kinds.py",
    "tests/api/test_graph.py",
    "tests/domains/test_audit_chain.py",
    "tests/domains/test_access_filter.py",
    "tests/api/test_rest.py::test_every_list",
    "tests/api/test_rest.py::test_lists_narrow",
    "tests/api/test_rest.py::test_items_and_relations_by_hand",
    "tests/exchange/test_console.py",
    "tests/domains/test_notifications.py::test_a_situation_is_told_from_its_opening_to_its_end",
    "tests/domains/test_paging_workers.py",
    "tests/domains/test_embedding.py",
    "tests/domains/test_search.py",
)


def _there() -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", 5432), timeout=2):
        return True
    return False


@pytest.mark.skipif(not THERE, reason="on SQLite; test_the_records_on_postgresql runs it there")
def test_it_is_postgresql() -> None:
    """The settings took."""
    from django.db import connection

    assert connection.vendor == "postgresql"


@pytest.mark.timeout(600)
@pytest.mark.skipif(THERE, reason="this is that process")
def test_the_records_on_postgresql() -> None:
    """All of them pass there too."""
    require(_there(), "PostgreSQL does not listen on 127.0.0.1:5432")
    env = {**os.environ, "WATCHKEEPER_TEST_DATABASE": "postgres"}
    del env["DJANGO_SETTINGS_MODULE"]  # or settings would be read before tests/conftest.py has said which
    env.pop("PYTEST_XDIST_TESTRUNUID", None)  # it runs within this test's turn, and waits for none of its own
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *CHOSEN],
        cwd=Path(__file__).parents[2],
        env=env,
        capture_output=True,
        text=True,
        timeout=580 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout[:6000] + done.stderr[-2000:]
