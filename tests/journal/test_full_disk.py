"""A full disk costs no acknowledged entry and needs no restart."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support import require

PROGRAM = [sys.executable, "-m", "tests.journal.full_disk"]
FINE = {"kept": True, "whole": True, "passed": True, "after": True, "offsets": True, "integrity": "ok"}


def seen(*command: object) -> dict[str, Any]:
    """What the program saw, once its errors are checked."""
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, timeout=100, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    errors = found.pop("errors")
    assert len(errors) == 3
    assert all(status == 507 and reason in ("disk_full", "disk_error") for status, reason in errors)
    return found


def on_small_disk(folder: Path, how: str) -> dict[str, Any]:
    """The same on a file system of 64 MB, mounted for the program alone."""
    mount = ["unshare", "--mount", "--map-root-user"]
    tried = [*mount, "mount", "-t", "tmpfs", "none", str(folder)]
    able = shutil.which("unshare") and not subprocess.run(tried, stderr=subprocess.DEVNULL).returncode
    require(able, "no right to mount a small file system")
    script = 'mount -t tmpfs -o size=64m none "$1" && shift && exec "$@"'
    return seen(*mount, "sh", "-c", script, "sh", folder, *PROGRAM, folder, how)


def test_files_that_may_not_grow(tmp_path: Path) -> None:
    found = seen(*PROGRAM, tmp_path, "limit")
    found.pop("passed_while_full")  # may be, or not
    assert found == FINE


def test_a_file_system_that_others_fill_up(tmp_path: Path) -> None:
    found = on_small_disk(tmp_path, "ballast")
    found.pop("passed_while_full")
    assert found == FINE


def test_it_leaves_room_for_its_consumers_to_pass(tmp_path: Path) -> None:
    assert on_small_disk(tmp_path, "spare") == {**FINE, "passed_while_full": True}
