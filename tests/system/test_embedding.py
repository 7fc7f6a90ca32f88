"""The platform with a model of sentences: what was solved is found in other words, after a restart too; a setting that names
no model is said at the start and by the doctor."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.domains.sentence_model import make
from tests.platform import COMMAND, Platform
from tests.support import eventually


def _ticket(platform: Platform, title: str) -> dict[str, Any]:
    made: dict[str, Any] = platform.do("/api/tickets/", {"title": title}).json()
    return made


def _offered(platform: Platform, made: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    found = platform.get(f"/api/tickets/{made['id']}/suggested/")["solved"]
    return [(s["id"], s["text"], s["because"]) for s in found]


def test_what_was_solved_is_found_in_other_words_also_after_a_restart(tmp_path: Path) -> None:
    model = make(tmp_path / "model", "cannot refused", "sign in login")
    with Platform(tmp_path / "var", {"WATCHKEEPER_EMBEDDING": str(model)}).start() as platform:
        one, now = _ticket(platform, "Login refused"), _ticket(platform, "Cannot sign in")
        _ticket(platform, "Coffee machine leaks")
        solved = {"resolution": "Renewed the certificate of the directory."}
        assert platform.do(f"/api/tickets/{one['id']}/resolve/", solved).status == 200
        found = eventually(lambda: _offered(platform, now), 30)
        assert found == [(str(one["id"]), solved["resolution"], ["means much the same"])]
        assert platform.stop() == 0
        platform.start()
        assert eventually(lambda: _offered(platform, now), 30) == found
        said = json.loads(platform.run("doctor", "--json"))
        [check] = [f for f in said if f["subject"] == "embedding"]
        assert check["well"] and "48 dimensions" in check["detail"]
        assert platform.stop() == 0


def test_a_setting_that_names_no_model_is_said_at_the_start_and_by_the_doctor(tmp_path: Path) -> None:
    nowhere = Platform(tmp_path / "var", {"WATCHKEEPER_EMBEDDING": str(tmp_path / "a/model")})
    done = subprocess.run(
        [COMMAND, "serve"], env=nowhere.environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "WATCHKEEPER_EMBEDDING: " in done.stderr and "is not a folder" in done.stderr
    done = subprocess.run(
        [COMMAND, "doctor"], env=nowhere.environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "BAD  embedding" in done.stdout and "→ check WATCHKEEPER_EMBEDDING" in done.stdout
