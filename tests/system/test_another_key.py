"""A platform whose records were sealed with another secret key: what needs such a secret waits and says so; all else goes
on, and what is entered anew is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.platform import Platform
from tests.pollers.polled_servers import Page, text
from tests.support import eventually, free_port


def _made(platform: Platform, path: str, **fields: Any) -> str:
    answer = platform.do(f"/api/{path}/", fields)
    assert answer.status == 201, answer.body
    return f"/api/{path}/{answer.json()['id']}/"


def _troubles(platform: Platform) -> dict[str, float]:
    """How many each door has."""
    text = platform.call("GET", "/metrics", Authorization=f"Bearer {platform.token}").body.decode()
    lines = [line for line in text.splitlines() if line.startswith("watchkeeper_door_troubles{")]
    return {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in lines}


def _seal(platform: Platform, page: Page, called: Page) -> tuple[str, str]:
    """Records of every sort that a thread reads, with secrets."""
    _made(platform, "snmp-users", name="old", auth="sha256", auth_secret="a long pass phrase")
    _made(platform, "mqtt-subscriptions", name="old", host="127.0.0.1", port=free_port(), topics=["a"],
          user="u", password="p")  # fmt: skip
    _made(
        platform, "notification-rules", name="old", channel="webhook", address=f"http://{called.address}/told"
    )
    _made(platform, "event-rules", name="old", kinds=["tickets"], does="webhook",
          address=f"http://{called.address}/done")  # fmt: skip
    beat = _made(platform, "heartbeats", name="old", url=f"http://{called.address}/old", interval=5)
    job = _made(platform, "scrape-jobs", name="old", targets=[page.address], interval=1, timeout=1, user="u",
                password="p")  # fmt: skip
    return beat, job


@pytest.mark.timeout(300)
def test_what_was_sealed_with_another_key_stops_nothing_else(tmp_path: Path) -> None:
    old, new, called = Page(text(b"a 1\n")), Page(text(b"b 1\n")), Page(text(b"fine"))
    allow = {"WATCHKEEPER_OUTBOUND_ALLOW": "127.0.0.0/8"}
    with Platform(tmp_path / "var", allow).start() as platform:
        beat, job = _seal(platform, old, called)
        eventually(lambda: old.asked and called.asked, 60)
        platform.stop()
        platform.env["WATCHKEEPER_SECRET_KEY"] = "another one, of fifty letters or more, as it has to be."
        platform.start()
        web = platform.processes()["web"].pid
        before = old.asked, called.asked
        _made(platform, "scrape-jobs", name="new", targets=[new.address], interval=1, timeout=1)
        eventually(lambda: new.asked > 1, 60)
        _made(platform, "heartbeats", name="new", url=f"http://{called.address}/new", interval=5)
        eventually(lambda: called.asked > before[1], 60)
        eventually(
            lambda: _troubles(platform) | {"snmp": 1, "mqtt": 1, "scrape": 1} == _troubles(platform), 30
        )
        held = eventually(lambda: (r := platform.get(beat))["state"] == "held" and r)
        assert "secret key" in held["reason"] and old.asked == before[0]
        assert platform.alerts({"labels": {"alertname": "Full"}}).status == 200
        eventually(lambda: platform.get("/api/situations/")["results"], 30)
        for record, secret in ((beat, {"url": f"http://{called.address}/again"}), (job, {"password": "q"})):
            assert platform.do(record, secret, "PATCH").status == 200
        eventually(lambda: platform.get(beat)["state"] == "beating" and old.asked > before[0], 30)
        eventually(lambda: not _troubles(platform)["scrape"], 30)
        assert platform.processes()["web"].pid == web
        assert platform.stop() == 0
    for server in (old, new, called):
        server.stop()
