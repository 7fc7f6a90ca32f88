"""Commands on the machine of the platform find it by its data folder, whatever settings they are called without; and what
needs a running one says so where there is none."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.platform import COMMAND, Platform
from tests.support import eventually


def _run(data: Path, platform: Platform, *words: str) -> subprocess.CompletedProcess[str]:
    """A command that knows the data folder and none of the other settings."""
    env = {k: v for k, v in platform.environment.items() if k == "WATCHKEEPER_DATA" or "WATCHKEEPER" not in k}
    return subprocess.run(
        [COMMAND, *words],
        env={**env, "WATCHKEEPER_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_commands_find_the_platform_by_its_data_folder(tmp_path: Path) -> None:
    with Platform(tmp_path / "var").start() as platform:
        eventually(lambda: platform.call("GET", "/readyz").status == 200)
        told = json.loads(_run(platform.data, platform, "status", "--json").stdout)
        assert (told["ready"], told["address"]) == (True, platform.url)
        found = _run(platform.data, platform, "logs", "nothing-says-this")
        assert (found.returncode, found.stdout) == (0, "")
        assert platform.stop() == 0
    assert json.loads(_run(platform.data, platform, "status", "--json").stdout)["ready"] is False


def test_a_demo_that_nobody_would_see_is_not_played(tmp_path: Path) -> None:
    data = tmp_path / "elsewhere"
    done = _run(data, Platform(tmp_path / "var"), "demo", "--speed", "100")
    assert done.returncode == 1
    assert f"no platform runs on {data}" in done.stderr
    assert not (data / "journal.db").exists()
