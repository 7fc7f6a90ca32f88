"""One embedded endpoint for all tests of this folder, because a process can open one engine at a time; each test
that writes takes a database of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.telemetry.endpoint import Endpoint
from watchkeeper.telemetry.store import Store

SECRET = "a secret/with @ signs:"
_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The endpoint, started."""
    server = Endpoint(tmp_path_factory.mktemp("telemetry") / "data", SECRET)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def dsn(endpoint: Endpoint) -> str:
    """The endpoint with a database that nothing has been in."""
    return f"{endpoint.dsn.rpartition('/')[0]}/test_{next(_numbers)}"


@pytest.fixture
def store(dsn: str) -> Iterator[Store]:
    """A store with its tables, and nothing in them."""
    made = Store(dsn)
    made.migrate()
    yield made
    made.command(f"DROP DATABASE `{made.database}` SYNC", in_database=False)
    made.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    """An empty journal."""
    made = SqliteJournal(tmp_path / "journal.db")
    yield made
    made.close()
