"""Faults, caused for real: kill -9 of each process and of all while signals arrive, with a ledger kept outside."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import random
import threading
import time
import urllib.error
from pathlib import Path

import psutil
import pytest

from tests.platform import Platform
from tests.support import eventually

ROUNDS = int(os.environ.get("WATCHKEEPER_KILL_ROUNDS", "4"))


class Sender(threading.Thread):
    """Posts numbered alerts and log lines; what was acknowledged goes into the ledger."""

    def __init__(self, platform: Platform, key: str) -> None:
        super().__init__(daemon=True)
        self.platform, self.key, self.stop_now = platform, key, threading.Event()
        self.ledger: list[str] = []

    def run(self) -> None:
        for number in itertools.count():
            if self.stop_now.is_set():
                return
            names = [f"n{number}-{i}" for i in range(5)]
            body = [{"labels": {"alertname": "Numbered", "number": n, "severity": "info"},
                     "startsAt": dt.datetime.now(dt.UTC).isoformat(),
                     "endsAt": (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat()} for n in names]  # fmt: skip
            try:
                answer = self.platform.call(
                    "POST", "/api/v2/alerts", json.dumps(body).encode(), timeout=10,
                    Authorization=f"Bearer {self.key}", Content_Type="application/json",
                )  # fmt: skip
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
                continue
            if answer.status == 200:
                self.ledger.extend(names)
            else:
                time.sleep(0.05)


@pytest.mark.timeout(600)
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    platform = Platform(tmp_path / "var").start()
    sender = Sender(platform, platform.key)
    token = platform.token
    sender.start()
    chance = random.Random(7)
    for victim in [*itertools.islice(itertools.cycle(("receive", "analyse", "web")), ROUNDS), "all"]:
        time.sleep(chance.uniform(0.2, 1.5))
        if victim == "all":
            platform.kill_all()
            platform.start()
        else:
            process: psutil.Process = eventually(lambda v=victim: platform.processes().get(v), 15)
            process.kill()
            process.wait(10)
    time.sleep(1)
    sender.stop_now.set()
    sender.join(20)
    assert sender.ledger

    def stored() -> int:
        answer = platform.call("GET", "/api/alerts/?limit=1&search=Numbered", Authorization=f"Bearer {token}")
        return answer.json()["count"] if answer.status == 200 else 0

    eventually(lambda: stored() >= len(sender.ledger), 60)
    seen: list[str] = []
    url = "/api/alerts/?limit=1000&search=Numbered&ordering=first_seen_at"
    for offset in itertools.count(0, 1000):
        page = platform.get(f"{url}&offset={offset}")["results"]
        seen += [a["labels"]["number"] for a in page]
        if len(page) < 1000:
            break
    assert len(seen) == len(set(seen)), "an alert is there twice"
    assert not set(sender.ledger) - set(seen), "an acknowledged alert is lost"
    assert platform.stop() == 0
