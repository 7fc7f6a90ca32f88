"""One running platform for the tests that do not break it, and two programs that have run for a minute when the last
of these tests needs them."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator

import psycopg
import pytest

from tests.platform import Platform
from tests.pollers.programs import SERVER, TALKER, running
from tests.support import require

POSTGRES = os.environ.get("WATCHKEEPER_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432")
STOPS, NEEDS_IT = "stockroom", "storefront"


def waits(item: pytest.Item) -> bool:
    """Whether a test uses the programs."""
    return "programs" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those come last."""
    items.sort(key=waits)


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """A service, and another with a connection to it; started first of all, because they have to be old."""
    folder = tmp_path_factory.mktemp("programs")
    with running(folder, STOPS, SERVER, "0") as (service, port), running(folder, NEEDS_IT, TALKER, "0", port):
        yield service


@pytest.fixture(scope="session", autouse=True)
def growing_old(request: pytest.FixtureRequest) -> None:
    """Start the programs with the first test when there is one that uses them."""
    if any(waits(item) for item in request.session.items):
        request.getfixturevalue("programs")


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """It runs until the end of the session."""
    env = {"WATCHKEEPER_SYSLOG": "127.0.0.1:0"}
    with Platform(tmp_path_factory.mktemp("platform") / "var", env, fresh=True).start() as started:
        yield started
        assert started.stop() == 0


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of an empty PostgreSQL database; gone afterwards."""
    yield from _database()


@pytest.fixture
def another() -> Iterator[str]:
    """And of another."""
    yield from _database()


def _database() -> Iterator[str]:
    try:
        server = psycopg.connect(f"{POSTGRES}/postgres", autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        server = None
    require(server, f"no PostgreSQL answers at {POSTGRES}")
    assert server is not None
    name = f"watchkeeper_{uuid.uuid4().hex[:12]}"
    with server:
        server.execute(f"CREATE DATABASE {name}")
        yield f"{POSTGRES}/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
