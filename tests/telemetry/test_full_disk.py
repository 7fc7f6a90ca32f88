"""A full disk costs no entry: inserts fail, reads go on, and with space again all is stored, once."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support import require
from tests.telemetry.full_disk import ROWS


def test_a_full_disk_costs_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["unshare", "--mount", "--map-root-user"]
    tried = [*mount, "mount", "-t", "tmpfs", "none", str(folder)]
    able = shutil.which("unshare") and not subprocess.run(tried, stderr=subprocess.DEVNULL).returncode
    require(able, "no right to mount a small file system")
    script = 'mount -t tmpfs -o size=48m none "$1" && shift && exec "$@"'
    program = [sys.executable, "-m", "tests.telemetry.full_disk", str(folder), str(tmp_path / "journal.db")]
    done = subprocess.run(
        [*mount, "sh", "-c", script, "sh", str(folder), *program],
        stdout=subprocess.PIPE,
        timeout=100,
        check=True,
    )
    assert json.loads(done.stdout) == {
        "passed_while_full": 0, "read_while_full": 3 * ROWS, "put_aside": 0, "kept": [{"n": 6 * ROWS, "u": 6 * ROWS}]
    }  # fmt: skip
