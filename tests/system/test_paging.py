"""kill -9 of the web process, and of everything, between two steps of an escalation: it goes on, and nobody is told twice;
the link in a message acknowledges the situation itself."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.kernel.receivers import Got, webhook_receiver
from tests.platform import Platform
from tests.support import eventually


def _told(got: Got) -> list[str]:
    return [path for path, _, _ in got.requests]


def _make(platform: Platform, path: str, body: dict[str, Any]) -> Any:
    made = platform.do(f"/api/{path}/", body)
    assert made.status == 201, made.body
    return made.json()["id"]


def _prepare(platform: Platform, got: Got) -> None:
    """Ann, then Bob, then Cid."""
    policy = _make(platform, "escalation-policies", {"name": "shop", "repeat": 0})
    for n, name in enumerate(("ann", "bob", "cid"), 1):
        _make(platform, "users", {"username": name, "password": f"a long {name} password 7"})
        hook = {"person": name, "name": "hook", "channel": "webhook", "address": f"{got.url}/{name}"}
        _make(platform, "contact-methods", hook)
        _make(platform, "escalation-steps", {"policy": policy, "position": n, "people": [name], "minutes": 1})
    _make(platform, "escalation-rules", {"name": "all", "policy": policy, "min_severity": "warning"})


def _sooner(platform: Platform, seconds: float) -> None:
    """The time to answer ends in so many seconds: a minute is the least, and longer than a test."""
    due = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + seconds))
    with closing(sqlite3.connect(platform.data / "records.db", timeout=20)) as records:
        records.execute("UPDATE oncall_escalation SET due_at = ? WHERE state = 'running'", (due,))
        records.commit()


def test_kill_9_between_two_steps_neither_loses_nor_doubles(tmp_path: Path) -> None:
    env = {"WATCHKEEPER_OUTBOUND_ALLOW": "127.0.0.0/8"}
    with webhook_receiver() as got, Platform(tmp_path / "var", env).start() as platform:
        _prepare(platform, got)
        alert = [{"labels": {"alertname": "Full", "severity": "critical"}}]
        head = {"Authorization": f"Bearer {platform.key}", "Content-Type": "application/json"}
        assert platform.call("POST", "/api/v2/alerts", json.dumps(alert).encode(), **head).status == 200
        eventually(lambda: _told(got) == ["/ann"], 90)
        eventually(lambda: platform.get("/api/pages/")["results"][0]["state"] == "delivered", 60)
        _sooner(platform, 2)
        web = platform.processes()["web"]
        web.kill()
        web.wait(10)
        eventually(lambda: _told(got) == ["/ann", "/bob"], 120)
        eventually(lambda: platform.get("/api/pages/?state=delivered")["count"] == 2, 60)
        _sooner(platform, 0)
        platform.kill_all()
        platform.start()
        eventually(lambda: len(_told(got)) == 3, 120)
        assert _told(got) == ["/ann", "/bob", "/cid"]
        link = json.loads(got.requests[-1][2])["data"]["acknowledge"]
        path = re.sub(r"^https?://[^/]+", "", link)
        assert b"Do you take care of it?" in platform.call("GET", path, Accept="text/html").body
        assert b"You have it" in platform.call("POST", path, b"", Accept="text/html").body
        eventually(lambda: platform.get("/api/situations/?state=acknowledged")["count"] == 1, 60)
        [escalation] = platform.get("/api/escalations/")["results"]
        assert (escalation["state"], escalation["ended_by"]) == ("acknowledged", "cid")
        states = [p["state"] for p in platform.get("/api/pages/?ordering=at")["results"]]
        assert states == ["delivered", "delivered", "acknowledged"]
        timeline = platform.get("/api/timeline/?kind=acknowledge")["results"]
        assert [line["actor"] for line in timeline] == ["cid"]
        assert len(_told(got)) == 3
        assert platform.stop() == 0
