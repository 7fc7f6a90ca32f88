"""`watchkeeper demo`: the recorded outage becomes one situation with the right cause."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from tests.platform import Platform
from tests.support import eventually, require

RECORDING = Path(str(files("watchkeeper.cli"))) / "outage.wkrec"
CAUSE = "redis"


@pytest.mark.timeout(240)
def test_the_demo_is_explained(tmp_path: Path) -> None:
    require(RECORDING.exists(), "the recording is not there")
    with Platform(tmp_path / "var").start() as platform:
        played = json.loads(platform.run("demo", "--speed", "100", "--json"))
        assert played["entries"] > 0

        def explained() -> list[dict[str, object]]:
            found = platform.get("/api/situations/?limit=50")["results"]
            return [s for s in found if s["causes"] and CAUSE in s["causes"][0]["item"]["name"].lower()]

        assert len(eventually(explained, 60, 0.5)) == 1
        assert platform.stop() == 0
