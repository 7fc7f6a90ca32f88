"""The audit trail of a running platform: sealed by itself, verified beside it, and tampered with while it is off."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.platform import COMMAND, Platform
from tests.support import PATIENCE, eventually


def test_acts_are_sealed_and_tampering_is_seen(tmp_path: Path) -> None:
    """From the act to the seal, the checkpoint of a clean stop, and the metric after somebody had a SQL prompt."""
    checkpoints = tmp_path / "elsewhere.jsonl"
    with Platform(tmp_path / "var", {"WATCHKEEPER_AUDIT_CHECKPOINTS": str(checkpoints)}).start() as ours:
        assert ours.do("/api/tokens/", {"name": "grafana", "scope": "read"}).status == 201
        entry = eventually(lambda: sealed(ours, "token.create"))
        assert len(entry["seal"]) == 64
        assert metric(ours, "audit_chain_whole") == 1.0
        assert verified(ours)["whole"]
        assert ours.stop() == 0
        last = json.loads(checkpoints.read_text().splitlines()[-1])
        found = verified(ours)
        assert (found["unsealed"], found["agreed"]) == (0, last) and last["number"] == found["last"]

        with closing(sqlite3.connect(tmp_path / "var/records.db")) as records, records:
            records.execute("UPDATE kernel_auditentry SET actor = 'nobody' WHERE id = ?", [entry["id"]])
        (finding,) = verified(ours)["findings"]
        assert (finding["kind"], finding["number"], finding["entry"]) == (
            "altered",
            entry["sealed_no"],
            entry["id"],
        )
        ours.start()
        assert metric(ours, "audit_chain_whole") == 0.0
        assert f"the audit trail is not whole: number {entry['sealed_no']}" in ours.said()
        assert ours.stop() == 0


def sealed(platform: Platform, act: str) -> dict[str, Any] | None:
    """The first entry of this act when it has its seal."""
    found: list[dict[str, Any]] = platform.get(f"/api/audit/?act={act}&ordering=id")["results"]
    return found[0] if found and found[0]["sealed_no"] else None


def metric(platform: Platform, name: str) -> float:
    """A gauge, as soon as it is told."""

    def told() -> str:
        answer = platform.call("GET", "/metrics", Authorization=f"Bearer {platform.token}")
        lines = answer.body.decode().splitlines()
        return next((line for line in lines if line.startswith(f"watchkeeper_{name} ")), "")

    return float(eventually(told).split()[1])


def verified(platform: Platform) -> dict[str, Any]:
    """What the command says; its status says the same."""
    done = subprocess.run(
        [COMMAND, "audit", "verify", "--json"],
        env=platform.environment,
        capture_output=True,
        text=True,
        timeout=60 * PATIENCE,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["whole"] else 1)
    return found
