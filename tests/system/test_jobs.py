"""Long work under faults: what was asked for comes about once, whatever is killed, or not at all when it was stopped."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.journal.full_disk import Ballast
from tests.platform import Platform
from tests.support import eventually, require
from tests.system.conftest import POSTGRES
from tests.system.jobs_parts import ROWS, Browser, count, imported, job, over, previewed, running, signed_in


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Of its own, because it is killed; this module has one."""
    with Platform(tmp_path_factory.mktemp("jobs") / "var").start() as started:
        yield started
        assert started.stop() == 0


@pytest.fixture(scope="module")
def browser(platform: Platform) -> Browser:
    """Signed in as an administrator."""
    return signed_in(platform)


@pytest.mark.parametrize("when", ["Comparing", "Making", "Writing"])
def test_a_killed_process_goes_on_and_does_it_once(platform: Platform, browser: Browser, when: str) -> None:
    """kill -9 while it looks, while it makes ready, and while it writes."""
    name = f"killed{when.lower()}"
    pk = imported(browser, previewed(platform, browser, name))
    running(platform, pk, when)
    eventually(lambda: platform.processes().get("jobs")).send_signal(signal.SIGKILL)
    found = over(platform, pk)
    assert (found["state"], found["error"], found["attempt"]) == ("done", "", 1), found
    assert count(platform, name) == (ROWS, ROWS)


def test_everything_is_killed_and_it_goes_on(platform: Platform, browser: Browser) -> None:
    """The web process alone, and then all of them at once: the next start goes on by itself."""
    pk = imported(browser, previewed(platform, browser, "allkilled"))
    running(platform, pk, "Comparing")
    platform.processes()["web"].kill()
    time.sleep(0.3)
    platform.kill_all()
    platform.start()
    found = over(platform, pk)
    assert (found["state"], found["error"]) == ("done", ""), found
    assert count(platform, "allkilled") == (ROWS, ROWS)


def test_a_cancelled_import_has_changed_nothing(platform: Platform, browser: Browser) -> None:
    """It says so, and trying again does it."""
    pk = imported(browser, previewed(platform, browser, "stopped"))
    running(platform, pk, "Comparing")
    assert platform.do(f"/api/jobs/{pk}/cancel/").status == 200
    found = over(platform, pk)
    assert found["state"] == "cancelled", found
    assert count(platform, "stopped") == (0, 0)
    assert "before anything was written" in browser.get(f"/jobs/{pk}/")[1]
    assert platform.do(f"/api/jobs/{pk}/cancel/").status == 409
    assert platform.do(f"/api/jobs/{pk}/retry/").status == 200
    found = over(platform, pk)
    assert (found["state"], found["attempt"]) == ("done", 2), found
    assert count(platform, "stopped") == (ROWS, ROWS)


def test_two_presses_are_one_import(platform: Platform, browser: Browser) -> None:
    held = previewed(platform, browser, "twice", 2000)
    assert imported(browser, held) == imported(browser, held)
    over(platform, f"import-{held}")
    assert count(platform, "twice") == (2000, 2000)


def test_a_long_list_is_exported(platform: Platform, browser: Browser) -> None:
    """By a job, whose file only its starter can fetch."""
    eventually(lambda: platform.get("/api/devices/?search=twice-&limit=1")["count"] == 2000, 60)
    page, _ = browser.get("/devices/export.csv?search=twice-")
    found = over(platform, page.split("/")[2])
    assert found["state"] == "done", found
    _, content = browser.get(f"/jobs/{found['id']}/file/")
    lines = content.splitlines()
    assert len(lines) == 2001 and lines[0].startswith("id,name")
    answer = platform.call("GET", f"/jobs/{found['id']}/file/", Authorization=f"Bearer {platform.token}")
    assert b"twice-" not in answer.body


@pytest.mark.timeout(240)
def test_the_database_is_gone_for_a_moment(database: str, tmp_path: Path) -> None:
    """PostgreSQL ends every connection and takes none for some seconds while an import is made ready."""
    name = database.rpartition("/")[2]
    with Platform(tmp_path / "var", {"DATABASE_URL": database}).start() as platform:
        browser = signed_in(platform)
        pk = imported(browser, previewed(platform, browser, "dropped"))
        running(platform, pk, "Comparing")
        with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as server:
            server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            time.sleep(2)
            server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        eventually(lambda: platform.call("GET", "/readyz").status == 200, 60)
        found = over(platform, pk)
        assert (found["state"], found["error"]) == ("done", ""), found
        assert count(platform, "dropped") == (ROWS, ROWS)
        assert platform.stop() == 0


def test_a_store_on_a_full_disk_is_told_of(tmp_path: Path) -> None:
    """The job says what is in its way, and goes on by itself when that is gone."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)]
    require(not subprocess.run(mount, stderr=subprocess.DEVNULL).returncode, "only root may mount")
    try:
        ballast = Ballast(disk)
        ballast.fill()
        (tmp_path / "var").mkdir()
        (tmp_path / "var/jobs.db").symlink_to(disk / "jobs.db")
        with Platform(tmp_path / "var").start() as platform:
            pk = platform.do("/api/jobs/", {"kind": "audit-verify"}).json()["id"]
            said = eventually(lambda: job(platform, pk)["message"], 60, 0.2)
            assert "store cannot be opened" in said and "full" in said
            ballast.free()
            assert over(platform, pk)["state"] == "done"
            assert platform.stop() == 0
    finally:
        subprocess.run(["umount", str(disk)], check=True)
