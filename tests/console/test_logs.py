"""The log: asked in its language, narrowed by what is found, opened line by line, and followed while lines arrive."""

from __future__ import annotations

import json
import socket
import subprocess
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.console.axe import look
from tests.console.conftest import keep
from tests.platform import COMMAND, Platform
from tests.support import PATIENCE, eventually

LOGS = "/explore/logs/"


def syslog(platform: Platform, *texts: str, host: str = "tail-host") -> None:
    """Lines by syslog, as a device sends them."""
    name, _, port = platform.env["WATCHKEEPER_SYSLOG"].rpartition(":")
    with socket.create_connection((name, int(port)), 5) as link:
        link.sendall("".join(f"<11>1 - {host} tailed - - - {text}\n" for text in texts).encode())


def bodies(platform: Platform, query: str) -> list[str]:
    return [line["body"] for line in platform.get(f"/api/logs/?q={quote(query)}")["results"]]


def test_a_query_is_asked_and_narrowed_by_its_fields(seeded: Platform, page: Page) -> None:
    page.goto(seeded.url + LOGS)
    expect(page.locator(".wk-bars canvas").first).to_be_visible()
    page.get_by_label("Query").fill("order OR PANIC")
    expect(page.locator(".wk-entries")).to_contain_text("No space left on device")
    keep(page, "logs-found")
    assert not (wrong := look(page)), wrong
    expect(
        page.get_by_role("link", name="fatal", exact=True)
    ).to_be_hidden()  # beside the lines there is no room
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("link", name="fatal", exact=True).click()
    expect(page.get_by_label("Query")).to_have_value("(order OR PANIC) severity:fatal")
    expect(page.locator(".wk-entries")).not_to_contain_text("order 7000 was placed")
    page.goto(f"{seeded.url}{LOGS}?q={quote('(disk')}")
    expect(page.get_by_role("alert")).to_contain_text("bracket that closes (at character 6)")


def test_a_line_opens_and_its_surroundings_are_shown(seeded: Platform, page: Page) -> None:
    page.goto(f"{seeded.url}{LOGS}?q=PANIC")
    entry = page.locator(".wk-entry").first
    entry.locator("summary").click()
    expect(entry.locator(".wk-facts")).to_contain_text("severity")
    keep(page, "logs-line")
    wrong = look(page)
    entry.get_by_role("link", name="Around this line").click()
    expect(page.locator(".wk-here")).to_contain_text("No space left on device")
    keep(page, "logs-around")
    assert not (wrong := wrong + look(page)), wrong


def test_dragging_over_the_picture_narrows_the_time(seeded: Platform, page: Page) -> None:
    page.goto(seeded.url + LOGS)
    expect(page.locator(".wk-bars[data-state=drawn]")).to_be_visible()
    box = page.locator(".wk-bars").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 40, steps=5)
    page.mouse.up()
    page.wait_for_url("**from=*to=*")
    expect(page.get_by_role("link", name="Back to the last hours")).to_be_visible()


def test_lines_that_arrive_by_syslog_appear_and_wait_while_paused(seeded: Platform, page: Page) -> None:
    page.goto(f"{seeded.url}{LOGS}?q=host:tail-host")
    with page.expect_response("**/api/logs/tail/**"):
        page.get_by_role("button", name="Follow").click()
    syslog(seeded, "the first <b>that</b> arrives", "noise", host="tail-host")
    expect(page.locator(".wk-entry")).to_have_count(2, timeout=30_000 * PATIENCE)
    expect(page.locator(".wk-entries")).to_contain_text("the first <b>that</b> arrives")
    keep(page, "logs-followed")
    page.get_by_role("button", name="Pause").click()
    syslog(seeded, "while paused")
    expect(page.locator("#followed")).to_have_text("Paused: 1 new", timeout=30_000 * PATIENCE)
    expect(page.locator(".wk-entry")).to_have_count(2)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".wk-entry")).to_have_count(3)
    page.locator(".wk-entry").first.locator("summary").click()
    expect(page.locator(".wk-entry").first.locator(".wk-facts")).to_contain_text("tailed")


def test_programs_ask_the_same(seeded: Platform) -> None:
    syslog(seeded, "=1+1 for programs", "second for programs", host="rest-host")
    eventually(lambda: len(bodies(seeded, "host:rest-host")) == 2)
    first = seeded.get("/api/logs/?q=host:rest-host&limit=1")
    rest = seeded.get(f"/api/logs/?q=host:rest-host&limit=5&before={first['before']}")
    assert {x["body"] for x in first["results"] + rest["results"]} == {
        "=1+1 for programs",
        "second for programs",
    }
    assert rest["before"] == "" and first["results"][0]["level"] == "error"
    assert sum(b["count"] for b in seeded.get("/api/logs/histogram/?q=host:rest-host")) == 2
    assert seeded.get("/api/logs/facets/?q=host:rest-host")["host"] == [{"value": "rest-host", "count": 2}]
    assert sum(p["count"] for p in seeded.get("/api/logs/patterns/?q=host:rest-host")) <= 2
    token = {"Authorization": f"Bearer {seeded.token}"}
    table = seeded.call("GET", "/api/logs/export/?as=csv&q=host:rest-host", **token)
    assert table.headers["content-disposition"].endswith('"logs.csv"') and b"'=1+1 for" in table.body
    lines = seeded.call("GET", "/api/logs/export/?as=ndjson&q=host:rest-host", **token).body.splitlines()
    assert {json.loads(line)["body"] for line in lines} == {"=1+1 for programs", "second for programs"}


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("?q=hots:x", "q"), ("?limit=0", "limit"), ("?from=5&to=4", "from"), ("?colour=red", "colour"),
        ("export/?as=pdf", "as"),
        ("tail/?q=(", "q"), ("histogram/?bars=9999", "bars"),
    ],
)  # fmt: skip
def test_what_programs_cannot_ask_is_told(seeded: Platform, path: str, parameter: str) -> None:
    answer = seeded.call("GET", f"/api/logs/{path}", Authorization=f"Bearer {seeded.token}")
    assert answer.status == 400 and answer.json()["parameter"] == parameter
    assert seeded.call("GET", f"/api/logs/{path}").status == 401


def test_the_command_prints_and_follows(seeded: Platform) -> None:
    syslog(seeded, "before the command", host="cli-host")
    eventually(lambda: bodies(seeded, "host:cli-host"))
    assert "error   cli-host tailed: before the command" in seeded.run(
        "logs", "host:cli-host", "--since", "15m"
    )
    command = [COMMAND, "logs", "host:cli-host", "--follow"]
    with subprocess.Popen(command, env=seeded.environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert "before the command" in running.stdout.readline()
        syslog(seeded, "while it follows", host="cli-host")
        assert "while it follows" in running.stdout.readline()
        running.terminate()
