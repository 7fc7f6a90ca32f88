"""What the tests of long work share: a person's session, and an import from its upload to its end."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.parse
import urllib.request
from typing import Any

from tests.platform import Platform
from tests.support import eventually

ROWS = 3000
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


def signed_in(platform: Platform) -> Browser:
    """The administrator of the first start."""
    browser = Browser(platform)
    link = platform.link.removeprefix(platform.url)
    browser.get(link)
    browser.post(link, username="ada", password="correct horse battery")
    return browser
