"""What a newcomer meets: it serves, signs in once, finds this machine, and turns signals into a situation."""

from __future__ import annotations

import json
import re
import socket
import urllib.parse
from http.cookiejar import CookieJar
from urllib.request import HTTPCookieProcessor, Request, build_opener

from tests.platform import Platform
from tests.support import eventually
from tests.system import walk


def test_health_needs_no_token_and_everything_else_does(platform: Platform) -> None:
    assert platform.call("GET", "/healthz").status == 200
    assert platform.call("GET", "/readyz").json()["status"] == "ok"
    for path in ("/api/alerts/", "/api/situations/", "/metrics"):
        answer = platform.call("GET", path)
        assert answer.status == 401, path
        assert answer.headers["content-type"].startswith("application/problem+json")
    assert platform.call("POST", "/api/v2/alerts", b"[]", Content_Type="application/json").status == 401


def test_the_link_signs_in_once(platform: Platform) -> None:
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    page = browser.open(platform.link, timeout=20).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]  # type: ignore[index]
    form = {"csrfmiddlewaretoken": token, "username": "ada", "password": "correct horse battery"}
    done = browser.open(
        Request(platform.link, urllib.parse.urlencode(form).encode(), {"Referer": platform.link})
    )
    assert done.url == platform.url + "/" and "Overview" in done.read().decode()
    again = platform.call("GET", platform.link.removeprefix(platform.url))
    assert again.status == 404


def test_this_machine_is_found_without_configuration(platform: Platform) -> None:
    host = eventually(lambda: platform.get("/api/items/?kind=host")["results"], 30)
    assert any(socket.gethostname().lower() in i["name"].lower() for i in host)
    kinds = eventually(
        lambda: (
            (k := {i["kind"] for i in platform.get("/api/items/?limit=500")["results"]})
            and {"host", "interface", "service"} <= k
            and k
        ),
        30,
    )
    assert kinds
    assert platform.get("/api/relations/")["count"] > 0


def test_alerts_become_one_explained_situation(platform: Platform) -> None:
    """A database and two services that need it, told by traces; then all three complain."""
    walk.from_signals_to_a_situation(platform)


def test_metrics_of_the_platform(platform: Platform) -> None:
    text = platform.call("GET", "/metrics", Authorization=f"Bearer {platform.token}").body.decode()
    assert "watchkeeper_journal_offset" in text and "watchkeeper_door_rows_total" in text


def test_bad_bodies_are_answered_and_kept(platform: Platform) -> None:
    assert platform.send("/api/v2/alerts", b"{not json").status == 400
    assert platform.send("/v1/traces", b"\xff\xff\xff", "application/x-protobuf").status == 400
    letters = eventually(lambda: platform.get("/api/dead-letters/")["results"], 20)
    assert {"alertmanager"} <= {x["door"] for x in letters}


def test_commands_print_secrets_alone(platform: Platform) -> None:
    assert re.fullmatch(r"wki_?\S+", platform.run("intake-key", "create", "printer"))
    assert re.fullmatch(r"wkt_?\S+", platform.run("token", "create", "printer"))
    status = json.loads(platform.run("status", "--json"))
    assert status["ready"] is True
