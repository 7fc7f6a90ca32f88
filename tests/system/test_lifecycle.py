"""Starting, ending and being killed: what an operator sees, in one story of one installation beside another one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.parse
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import psutil
import pytest

from tests.platform import COMMAND, Platform
from tests.support import eventually


@pytest.mark.timeout(240)
def test_an_installation_beside_another(platform: Platform, tmp_path: Path) -> None:
    """`platform` runs all the while; nothing of what happens here is seen there."""
    with Platform(tmp_path / "var").start() as ours:
        assert ours.url != platform.url
        browser = signed_in(ours)
        assert ours.alerts({"labels": {"alertname": "Kept", "instance": "here"}}).status == 200
        eventually(lambda: ours.get("/api/alerts/?search=Kept")["count"] == 1)
        a_second_one_is_refused(ours)
        a_dead_web_process_is_replaced(ours)
        a_killed_supervisor_takes_all_with_it(ours)
        ours.start()
        assert "Overview" in browser.open(ours.url, timeout=20).read().decode(), "the session was lost"
        assert ours.get("/api/alerts/?search=Kept")["count"] == 1
        assert platform.get("/api/alerts/?search=Kept")["count"] == 0
        assert ours.stop() == 0
        assert "is killed" not in ours.said()


def signed_in(platform: Platform) -> OpenerDirector:
    """A browser in which somebody has signed in by the link of the first start."""
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    page = browser.open(platform.link, timeout=20).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]  # type: ignore[index]
    form = {"csrfmiddlewaretoken": token, "username": "ada", "password": "correct horse battery"}
    body = urllib.parse.urlencode(form).encode()
    done = browser.open(Request(platform.link, body, {"Referer": platform.link}), timeout=20)
    assert done.url == platform.url + "/"
    return browser


def a_second_one_is_refused(platform: Platform) -> None:
    """On the same folder; it says why, and the first goes on."""
    env = {**platform.environment, "WATCHKEEPER_LISTEN": "127.0.0.1:0"}
    second = subprocess.run([COMMAND, "serve"], env=env, capture_output=True, text=True, timeout=60)
    assert second.returncode == 2
    assert "is in use by another Watchkeeper" in second.stderr and "WATCHKEEPER_DATA" in second.stderr
    assert platform.call("GET", "/healthz").status == 200


def a_dead_web_process_is_replaced(platform: Platform) -> None:
    """Who comes meanwhile is told so, and signals are taken in all the while."""
    web = platform.processes()["web"]
    os.kill(web.pid, signal.SIGSTOP)  # not answering, and not ended either
    web.kill()
    web.wait(10)
    answer = platform.call("GET", "/", Accept="text/html")
    assert answer.status in (200, 302, 503)
    if answer.status == 503:
        assert b"Starting" in answer.body and "retry-after" in answer.headers
    assert platform.alerts({"labels": {"alertname": "Meanwhile"}}).status == 200
    eventually(lambda: platform.call("GET", "/sign-in/").status == 200, 60)


def a_killed_supervisor_takes_all_with_it(platform: Platform) -> None:
    """Its processes end by themselves."""
    assert platform.process is not None
    children = list(platform.processes().values())
    assert len(children) == 3
    platform.process.kill()
    platform.process.wait()
    _, alive = psutil.wait_procs(children, timeout=15)
    assert not alive


def test_what_cannot_be_said_or_started_now_ends_nothing(tmp_path: Path) -> None:
    """The disk that standard output goes to is full, and there is no such program yet."""
    script = (
        "import time\n"
        "from watchkeeper.app.supervisor import Child\n"
        "class Nothing:\n"
        "    def clear(self, name): ...\n"
        "ended = Child('a', ['/bin/false'], {}, (), Nothing())\n"
        f"missing = Child('b', [{str(tmp_path / 'later')!r}], {{}}, (), Nothing())\n"
        "for _ in range(8):\n"
        "    ended.tend(); missing.tend(); time.sleep(0.1)\n"
        "assert missing.running is None and missing.wait > 0.25\n"
    )
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert b"AssertionError" not in done.stderr and b"Traceback" not in done.stderr, done.stderr
