"""Names that lie: a real server of names, asked as this machine asks any, says one thing first and another then, or leads
to internal addresses by an alias or beside a public one. It needs a network of its own, which only root can make."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import PATIENCE, require

_ROOT = Path(__file__).parents[2]
_SETUP = (
    'ip link set lo up && ip addr add 93.184.216.34/32 dev lo && mount --bind "$1" /etc/resolv.conf && '
    'exec "$2" -m tests.domains.rebinding'
)
NAMES, WAYS = ("rebind", "cname", "mixed", "both", "public"), ("webhook", "scrape", "probe")


@pytest.fixture(scope="module")
def reached(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    able = shutil.which("unshare") and shutil.which("ip")
    able = (
        able
        and subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True, check=False).returncode == 0
    )
    require(able, "no network of its own can be made here: it needs unshare, ip and root")
    folder = tmp_path_factory.mktemp("names")
    (folder / "resolv.conf").write_text("nameserver 127.0.0.53\noptions timeout:2 attempts:1\n")
    env = {k: v for k, v in os.environ.items() if not k.startswith("WATCHKEEPER_")}
    env |= {"WATCHKEEPER_POLL_ALLOW": "none", "WATCHKEEPER_DATA": str(folder / "var"),
            "DJANGO_SETTINGS_MODULE": "watchkeeper.app.settings"}  # fmt: skip
    done = subprocess.run(
        ["unshare", "-n", "-m", "sh", "-c", _SETUP, "sh", str(folder / "resolv.conf"), sys.executable],
        cwd=_ROOT, env=env, capture_output=True, text=True, timeout=110 * PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_internal_is_reached_by_a_name_that_lies(
    reached: dict[str, Any], name: str, way: str
) -> None:
    found = reached[f"{name} {way}"]
    assert found["asked"] >= 1, "the server of names was not asked"
    assert set(found["came"]) <= {"93.184.216.34"}
    assert found["ok"] is (name in ("public", "rebind"))  # what was checked is what is asked
    assert bool(found["came"]) is found["ok"]
