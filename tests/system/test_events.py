"""kill -9 of the web process between the commit of an act and the telling of it: nothing is lost, and what is told
twice is told under one id. The acts are of people and of analysis."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from pathlib import Path

import psutil
from standardwebhooks import Webhook

from tests.kernel.receivers import webhook_receiver
from tests.platform import Platform
from tests.support import eventually

EVALUATOR = "watchkeeper.domains.automation.evaluating"


def test_kill_9_of_the_web_process_loses_no_event(tmp_path: Path) -> None:
    env = {"WATCHKEEPER_OUTBOUND_ALLOW": "127.0.0.0/8"}
    with webhook_receiver() as told, Platform(tmp_path / "var", env).start() as platform:
        rule = {"name": "all", "kinds": ["teams", "alerts"], "acts": ["create", "fire"], "address": told.url,
                "condition": "!has(record.colour)"}  # fmt: skip
        made = platform.do("/api/event-rules/", rule)
        assert made.status == 201, made.body
        hold, held = threading.Event(), threading.Event()

        def answer() -> int:
            held.set()
            hold.wait(30)
            return 204

        told.answer = answer
        for n in range(6):
            assert platform.do("/api/teams/", {"name": f"team {n}"}).status == 201
        assert held.wait(30)
        web = platform.processes()["web"]
        evaluators = [c for c in web.children() if EVALUATOR in c.cmdline()]
        assert len(evaluators) == 1
        assert platform.do("/api/teams/", {"name": "the last"}).status == 201
        web.kill()
        web.wait(10)
        alert = [{"labels": {"alertname": "Full", "severity": "critical"}}]
        head = {"Authorization": f"Bearer {platform.key}", "Content-Type": "application/json"}
        eventually(
            lambda: platform.call("POST", "/api/v2/alerts", json.dumps(alert).encode(), **head).status == 200
        )
        hold.set()
        wanted = {*(f"team {n}" for n in range(6)), "the last", "Full"}
        eventually(lambda: {json.loads(body)["data"]["name"] for _, _, body in told.requests} >= wanted, 60)
        ids = defaultdict(set)
        for _, headers, body in told.requests:
            message = Webhook(made.json()["secret"]).verify(body, {k.lower(): v for k, v in headers.items()})
            ids[message["data"]["id"]].add(headers["webhook-id"])
        assert len(ids) == len(wanted) and all(len(found) == 1 for found in ids.values())
        eventually(lambda: platform.call("GET", "/readyz").status == 200)  # it sends before it answers
        eventually(lambda: platform.get("/api/firings/?outcome=done")["count"] == len(wanted))
        psutil.wait_procs(evaluators, timeout=10)
        assert not evaluators[0].is_running()
        assert platform.stop() == 0
