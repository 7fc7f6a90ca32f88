"""Long work under faults: what was asked for comes about once, whatever is killed, or not at all when it was stopped."""

from __future__ import annotations

import http.cookiejar
import re
import signal
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.platform import Platform
from tests.support import eventually

ROWS = 5000
Job = dict[str, Any]


class Browser:
    """A person's session: forms with their token, as a browser sends them."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.jar = platform, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path: str) -> tuple[str, str]:
        """The address that it led to, and the page."""
        with self.opener.open(self.platform.url + path, timeout=60) as answer:
            return answer.url.removeprefix(self.platform.url), answer.read().decode()

    def post(self, path: str, **fields: str) -> tuple[str, str]:
        """Send a form; where it led to."""
        token = next((c.value for c in self.jar if c.name.startswith("watchkeeper_csrf")), "")
        body = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token or ""}).encode()
        with self.opener.open(self.platform.url + path, body, timeout=60) as answer:
            return answer.url.removeprefix(self.platform.url), answer.read().decode()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Of its own, because it is killed; this module has one."""
    with Platform(tmp_path_factory.mktemp("jobs") / "var").start() as started:
        yield started
        assert started.stop() == 0


@pytest.fixture(scope="module")
def browser(platform: Platform) -> Browser:
    """Signed in as an administrator."""
    browser = Browser(platform)
    link = platform.link.removeprefix(platform.url)
    browser.get(link)
    browser.post(link, username="ada", password="correct horse battery")
    return browser


def rows(name: str, count: int = ROWS) -> str:
    return "name,status\n" + "".join(f"{name}-{n},active\n" for n in range(count))


def job(platform: Platform, pk: str) -> Job:
    found: Job = platform.get(f"/api/jobs/{pk}/")
    return found


def over(platform: Platform, pk: str, within: float = 90) -> Job:
    return eventually(lambda: (j := job(platform, pk))["finished_at"] and j, within, 0.2)


def previewed(platform: Platform, browser: Browser, name: str, count: int = ROWS) -> str:
    """Upload a large file, and wait for what it would do; the key under which it is kept."""
    browser.get("/devices/import/")
    page, _ = browser.post("/devices/import/", text=rows(name, count), written="csv")
    found = over(platform, page.split("/")[2])
    assert found["state"] == "done", found
    assert f"To make: {count:,}" in found["result"]["summary"]
    address = found["result"]["links"]["See what it would do"]
    page, content = browser.get(address)
    assert f"{name}-0" in content and name in content
    held = re.search(r'name="held" value="([^"]+)"', content)
    assert held
    return held[1]


def imported(browser: Browser, held: str) -> str:
    """Say yes to it; the id of the job that does it."""
    page, _ = browser.post("/devices/import/", held=held)
    assert page.startswith("/jobs/import-"), page
    return page.split("/")[2]


def count(platform: Platform, name: str) -> tuple[int, int]:
    """How many devices there are of this name, and entries of the audit trail about their making."""
    made = platform.get(f"/api/devices/?search={name}-&limit=1")["count"]
    return made, platform.get(f"/api/audit/?act=device.create&search={name}-&limit=1")["count"]


def running(platform: Platform, pk: str, words: str) -> Job:
    """Once it has said this."""
    return eventually(
        lambda: (j := job(platform, pk)) and any(words in line for _, line in j["log"]) and j, 60, 0.02
    )


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
    page, _ = browser.get("/devices/export.csv?search=twice-")
    found = over(platform, page.split("/")[2])
    assert found["state"] == "done", found
    _, content = browser.get(f"/jobs/{found['id']}/file/")
    lines = content.splitlines()
    assert len(lines) == 2001 and lines[0].startswith("id,name")
    answer = platform.call("GET", f"/jobs/{found['id']}/file/", Authorization=f"Bearer {platform.token}")
    assert b"twice-" not in answer.body
