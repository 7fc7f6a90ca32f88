"""The documentation is read by a test: every setting, command, door and link in it is there, and the other way."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.platform import COMMAND

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text()
#: set by the supervisor for its own processes, or by the test suite; nothing for people
INNER = re.compile(r"WATCHKEEPER_(INNER_\w+|PARENT|SOCKETS|TEST_\w+|ARTEFACTS|KILL_ROUNDS|BENCH_\w+)")


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


def settings_in(folder: Path) -> set[str]:
    found = set()
    for path in folder.rglob("*.py"):
        found |= set(re.findall(r'"((?:WATCHKEEPER_[A-Z_]+)|DATABASE_URL)"', path.read_text()))
    return {s for s in found if not INNER.fullmatch(s)}


def test_every_setting_is_documented() -> None:
    assert settings_in(ROOT / "src") == set(re.findall(r"^\| `(\w+)` \|", README, re.M))


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_settings_named_in_pages_exist(page: Path) -> None:
    known = settings_in(ROOT / "src") | settings_in(ROOT / "tests")
    for name in set(re.findall(r"\b(WATCHKEEPER_[A-Z_]+|DATABASE_URL)\b", page.read_text())):
        assert name in known or INNER.fullmatch(name), name


def test_every_command_is_documented_and_helps() -> None:
    listing = subprocess.run([COMMAND, "--help"], capture_output=True, text=True, timeout=60).stdout
    commands = set(re.findall(r"^[│| ]+([a-z][a-z-]+)  ", listing, re.M))
    assert {"serve", "demo", "replay", "status", "doctor", "token", "audit", "intake-key", "lab"} <= commands
    for command in commands:
        assert re.search(rf"`(watchkeeper )?{command}\b", README), f"README does not name {command}"


def test_every_door_has_a_page() -> None:
    pages = {p.stem for p in (ROOT / "docs/how-to/doors").glob("*.md")}
    assert {"prometheus", "alertmanager", "opentelemetry", "syslog", "host", "snmp", "mqtt", "mail"} <= pages
