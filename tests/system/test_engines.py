"""The same walk on the engines of a larger installation: records in PostgreSQL, the journal in JetStream."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.journal_places import place
from tests.platform import Platform
from tests.system import walk


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
