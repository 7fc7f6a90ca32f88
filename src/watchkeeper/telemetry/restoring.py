"""Fills an empty embedded store from a copy that BACKUP made, and takes out of it what belongs to groups that may not
be whole in the copy: the journal's copy has those, and they are carried again."""

from __future__ import annotations

import shutil
from pathlib import Path

from watchkeeper.telemetry.endpoint import DATABASE
from watchkeeper.telemetry.engine import Engine
from watchkeeper.telemetry.ledger import TABLES, beyond
from watchkeeper.telemetry.queries.tiers import ROLLED
from watchkeeper.telemetry.rollups import rows_of

_NAME = "restored"


def restore(source: Path, folder: Path, passed: int) -> None:
    """`passed`: the journal's offset up to which every group was stored before the copy began. Raises EngineError."""
    engine = Engine(folder, readers=1)
    there = folder / "backups" / _NAME
    shutil.copytree(source, there)
    engine.open()
    try:
        _run(engine, f"RESTORE DATABASE {DATABASE} FROM File('{_NAME}')", "default")
        number = int(_run(engine, "SELECT max(number) FROM journals", DATABASE) or 0)
        low, high = beyond(number, passed)
        if _run(engine, "EXISTS TABLE rolled", DATABASE) == "1":  # an earlier version had none
            _unroll(engine, low, high)
        for table in TABLES:
            _run(engine, f"DELETE FROM {table} WHERE batch > {low} AND batch < {high}", DATABASE)
    finally:
        engine.close()
        shutil.rmtree(there, ignore_errors=True)


def _unroll(engine: Engine, low: int, high: int) -> None:
    """Take out what the samples came to that are taken out next; all that is there is rolled up again."""
    for tier in ROLLED:
        touched = f"SELECT series, {rows_of(tier)} FROM samples WHERE batch > {low} AND batch < {high}"
        _run(engine, f"DELETE FROM {tier.table} WHERE (series, time) IN ({touched})", DATABASE)
    _run(engine, "TRUNCATE TABLE rolled", DATABASE)


def _run(engine: Engine, sql: str, database: str) -> str:
    answer = engine.write(sql.encode(), form="TSV", params={}, settings={}, database=database)
    return answer.body.decode().strip()
