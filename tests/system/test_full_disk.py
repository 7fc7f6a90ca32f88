"""The disk under the whole platform gets full in mid-write and then has room again: producers are told, what people
read goes on, nothing acknowledged is lost, and nobody has to restart anything."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journal.full_disk import Ballast
from tests.platform import Platform
from tests.support import eventually, require
from tests.system import senders
from tests.system.test_faults import alerts_are_whole, settled, telemetry_is_whole

SIZE = "400m"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)]
    able = os.geteuid() == 0 and not subprocess.run(mount, stderr=subprocess.DEVNULL).returncode
    require(able, "only root may mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.timeout(240)
def test_a_full_disk_costs_nothing_that_was_acknowledged(disk: Path) -> None:
    ballast = Ballast(disk)
    with Platform(disk / "var").start() as platform:
        token, key = platform.token, platform.key
        kinds = (senders.Alerts, senders.Samples, senders.Lines)
        numbered = [kind(platform.url, key, 0.05) for kind in kinds]
        alerts, samples, lines = numbered
        with senders.sending(*numbered):
            eventually(lambda: all(s.ledger for s in numbered), 30)
            ballast.fill()
            eventually(lambda: all(refusals(s) for s in numbered), 60)
            before = [len(s.ledger) for s in numbered]
            for path in ("/api/alerts/?limit=5", "/api/situations/", "/api/items/"):
                assert platform.call("GET", path, Authorization=f"Bearer {token}").status == 200, path
            assert platform.call("GET", "/readyz").status == 503, "it says itself that it takes nothing in"
            ballast.free()
            eventually(lambda: all(len(s.ledger) > n for s, n in zip(numbered, before, strict=True)), 60)
        for s in numbered:
            assert set(s.answers) <= {200, 204, 503, 507}, s.answers
        eventually(lambda: settled(platform), 90, 0.5)
        alerts_are_whole(platform, alerts.ledger)
        telemetry_is_whole(platform, samples.ledger, lines.ledger, 0)
        assert "ended (" not in platform.said(), "a process had to be started again"
        assert platform.stop() == 0


def refusals(sender: senders.Sender) -> int:
    """How often it was told that there is no room."""
    return sender.answers[503] + sender.answers[507]
