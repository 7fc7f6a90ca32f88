"""A service of this machine is killed while another one is connected to it: one situation, with that service as its
first cause, without any configuration."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.platform import Platform
from tests.pollers.programs import grow_old, related
from tests.support import eventually
from tests.system.conftest import NEEDS_IT, STOPS


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """One of this test's: the one that others share has seen their programs of this machine stop."""
    with Platform(tmp_path / "var").start() as started:
        yield started
        assert started.stop() == 0


@pytest.mark.timeout(240)
def test_a_stopped_service_is_one_explained_situation(
    platform: Platform, programs: subprocess.Popen[str]
) -> None:
    grow_old(programs)
    eventually(lambda: related(platform, NEEDS_IT, STOPS), 90, 0.5)
    programs.kill()
    programs.wait()
    situation = eventually(lambda: about_it(platform), 60, 0.25)
    alerts = eventually(lambda: both(platform, situation["id"]), 30, 0.25)
    assert {a["name"] for a in alerts} == {"Service stopped listening", "Lost dependency"}
    situation = platform.get(f"/api/situations/{situation['id']}/")
    first = situation["causes"][0]
    assert first["item"]["name"] == STOPS, situation["causes"]
    assert any(STOPS in sentence(b) for b in first["because"]), first
    assert situation["because"] and all(sentence(b).strip() for b in situation["because"])
    others = [s for s in platform.get("/api/situations/?limit=50")["results"] if STOPS in s["title"]]
    assert [s["id"] for s in others] == [situation["id"]], "one trouble, one situation"


def about_it(platform: Platform) -> dict[str, Any] | None:
    """The situation with the alert that the service stopped."""
    for situation in platform.get("/api/situations/?limit=50")["results"]:
        alerts = platform.get(f"/api/situations/{situation['id']}/alerts/?limit=200")["results"]
        if any(a["labels"].get("service.name") == STOPS for a in alerts):
            found: dict[str, Any] = situation
            return found
    return None


def both(platform: Platform, situation: str) -> list[dict[str, Any]]:
    """Its alerts, once there are two."""
    found: list[dict[str, Any]] = platform.get(f"/api/situations/{situation}/alerts/?limit=200")["results"]
    return found if len(found) > 1 else []


def sentence(because: Any) -> str:
    """A reason in words."""
    return str(because["text"] if isinstance(because, dict) else because)
