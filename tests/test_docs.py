"""The documentation is read by a test: every setting, command, door and link in it is there, and the other way."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.platform import COMMAND
from tests.support import PATIENCE
from watchkeeper.receivers import webhooks

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


@pytest.mark.parametrize("page", [*PAGES, *(ROOT / "deploy").iterdir()], ids=identify)
def test_settings_named_in_pages_exist(page: Path) -> None:
    known = settings_in(ROOT / "src") | settings_in(ROOT / "tests")
    for name in set(re.findall(r"\b(WATCHKEEPER_[A-Z_]+|DATABASE_URL)\b", page.read_text())):
        assert name in known or INNER.fullmatch(name), name


def test_every_command_is_documented_and_helps() -> None:
    listing = subprocess.run(
        [COMMAND, "--help"], capture_output=True, text=True, timeout=60 * PATIENCE
    ).stdout
    commands = set(re.findall(r"^[│| ]+([a-z][a-z-]+)  ", listing, re.M))
    assert {"serve", "demo", "replay", "status", "doctor", "token", "audit", "intake-key", "lab"} <= commands
    for command in commands:
        assert re.search(rf"`(watchkeeper )?{command}\b", README), f"README does not name {command}"


def test_every_door_has_a_page() -> None:
    pages = {p.stem for p in (ROOT / "docs/how-to/doors").glob("*.md")}
    assert {"prometheus", "alertmanager", "opentelemetry", "syslog", "host", "webhooks", "pagerduty",
            "snmp", "mqtt", "mail", "netflow"} <= pages  # fmt: skip
    assert {door.name for door in webhooks.doors()} <= pages


def test_what_is_deployed_is_built_by_targets_that_there_are() -> None:
    """The page and the container file make the same, and the unit starts what they make."""
    page, made = (ROOT / "docs/how-to/run-it.md").read_text(), (ROOT / "deploy/Containerfile").read_text()
    unit = (ROOT / "deploy/watchkeeper.service").read_text()
    makefile = (ROOT / "Makefile").read_text()
    [targets] = {t.strip() for t in re.findall(r"make (?:-C \S+ )?(\.venv\S* \S+)", page + made)}
    venv, assets = targets.split()
    assert f"\n{venv}:" in makefile and f"ASSETS := {assets}" in makefile
    assert (
        "/opt/watchkeeper/.venv/bin/watchkeeper serve" in unit
        and "git clone ADDRESS-OF-THE-REPOSITORY /opt/watchkeeper" in page
    )
    for folder in re.findall(r"^COPY (?:--from=build )?(\S+)", made, re.M):
        assert folder in (".", "/opt/watchkeeper")


def test_the_unit_is_one(tmp_path: Path) -> None:
    analyse = shutil.which("systemd-analyze")
    if analyse is None:
        pytest.skip("systemd is not here")
    unit = (ROOT / "deploy/watchkeeper.service").read_text()
    unit = unit.replace("/opt/watchkeeper/.venv/bin/watchkeeper", COMMAND)
    unit = re.sub(r"^(User|Group)=.*", r"\1=root", unit, flags=re.M)
    (tmp_path / "watchkeeper.service").write_text(unit)
    done = subprocess.run(
        [analyse, "verify", tmp_path / "watchkeeper.service"], capture_output=True, text=True
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
