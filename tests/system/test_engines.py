"""The same walk on the engines of a larger installation: records in PostgreSQL, the journal in JetStream."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.contract.journal_places import place
from tests.platform import Platform
from tests.support import require
from tests.system import walk

SERVER = os.environ.get("WATCHKEEPER_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432")


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of an empty PostgreSQL database; gone afterwards."""
    try:
        server = psycopg.connect(f"{SERVER}/postgres", autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        server = None
    require(server, f"no PostgreSQL answers at {SERVER}")
    assert server is not None
    name = f"watchkeeper_{uuid.uuid4().hex[:12]}"
    with server:
        server.execute(f"CREATE DATABASE {name}")
        yield f"{SERVER}/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.timeout(240)
def test_postgresql_and_jetstream(database: str, tmp_path: Path) -> None:
    with place("jetstream", tmp_path) as journal:
        env = {"DATABASE_URL": database, "WATCHKEEPER_JOURNAL": journal.url}
        with Platform(tmp_path / "var", env).start() as platform:
            situation = walk.from_signals_to_a_situation(platform)
            platform.kill_all()
            platform.start()
            there = platform.get(f"/api/situations/{situation['id']}/")
            assert there["alert_count"] == situation["alert_count"]
            assert platform.stop() == 0
        assert not (tmp_path / "var" / "records.db").exists()
        assert not (tmp_path / "var" / "journal.db").exists()
