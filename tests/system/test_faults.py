"""kill -9 of each process and of all while signals of every kind arrive, with ledgers kept outside: nothing that was
acknowledged is lost, nothing is there twice, and nobody is told twice.

WATCHKEEPER_KILL_ROUNDS=50 is the long variant.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from standardwebhooks import Webhook

from tests.kernel.receivers import Got, webhook_receiver
from tests.platform import Platform
from tests.support import eventually, free_port
from tests.system import senders

ROUNDS = int(os.environ.get("WATCHKEEPER_KILL_ROUNDS", "4"))


@pytest.mark.timeout(120 + ROUNDS * 40)
def test_kill_9_loses_and_doubles_nothing(tmp_path: Path) -> None:
    port = free_port()
    env = {"WATCHKEEPER_OUTBOUND_ALLOW": "127.0.0.0/8", "WATCHKEEPER_SYSLOG": f"127.0.0.1:{port}"}
    with webhook_receiver() as told, Platform(tmp_path / "var", env).start() as platform:
        rule = {"name": "all", "channel": "webhook", "address": told.url, "min_severity": "critical"}
        made = platform.do("/api/notification-rules/", rule)
        assert made.status == 201, made.body
        alerts, samples, lines = (
            kind(platform.url, platform.key) for kind in (senders.Alerts, senders.Samples, senders.Lines)
        )
        syslog = senders.Syslog(("127.0.0.1", port))
        with senders.sending(alerts, samples, lines, syslog):
            killed = kill(platform)
        assert alerts.ledger and samples.ledger and lines.ledger and syslog.sent
        eventually(lambda: settled(platform), 120, 0.5)
        alerts_are_whole(platform, alerts.ledger)
        telemetry_is_whole(platform, samples.ledger, lines.ledger, syslog.sent)
        eventually(lambda: told_all(platform, told), 60, 0.5)
        again = told_once(told, made.json()["secret"], killed["web"] + killed["all"])
        answers = {type(s).__name__: dict(s.answers) for s in (alerts, samples, lines)}
        report = {"killed": killed, "answers": answers, "syslog_sent": syslog.sent,
                  "notifications": len(told.requests), "sent_again_under_the_same_id": again}  # fmt: skip
        sys.stdout.write(json.dumps(report))
        assert platform.stop() == 0


def kill(platform: Platform) -> Counter[str]:
    """One after the other at odd moments, and every tenth time, and in the end, all at once."""
    chance = random.Random(7)
    one = itertools.cycle(("receive", "analyse", "web"))
    killed: Counter[str] = Counter()
    for number in range(1, ROUNDS + 1):
        time.sleep(chance.uniform(0.2, 1.5))
        victim = "all" if number % 10 == 0 or number == ROUNDS else next(one)
        killed[victim] += 1
        if victim == "all":
            platform.kill_all()
            platform.start(120)
        else:
            process: psutil.Process = eventually(lambda v=victim: platform.processes().get(v), 30)
            process.kill()
            process.wait(10)
    time.sleep(1)
    return killed


def settled(platform: Platform) -> bool:
    """Whether analysis and telemetry have passed all there is, the host's own numbers aside."""
    answer = platform.call("GET", "/metrics", Authorization=f"Bearer {platform.token}")
    lags = [
        line.split()[-1]
        for line in answer.body.decode().splitlines()
        if line.startswith("watchkeeper_journal_lag_entries{")
    ]
    return answer.status == 200 and len(lags) == 2 and all(float(lag) <= 2 for lag in lags)


def alerts_are_whole(platform: Platform, ledger: list[int]) -> None:
    """Each acknowledged one is there, and was taken in once."""
    found: list[dict[str, object]] = []
    while True:
        page = platform.get(
            f"/api/alerts/?limit=1000&search=Numbered&ordering=first_seen_at&offset={len(found)}"
        )
        found += page["results"]
        if not page["results"]:
            break
    numbers = Counter(int(a["labels"]["number"]) for a in found)  # type: ignore[index]
    assert not [n for n, times in numbers.items() if times > 1], "an alert is there twice"
    assert not set(ledger) - set(numbers), "an acknowledged alert is lost"
    assert {a["count"] for a in found} == {1}, "an alert was taken in twice"


def telemetry_is_whole(platform: Platform, samples: list[int], lines: list[int], syslog: int) -> None:
    """Each acknowledged sample and line is there once, and no other twice."""
    store = platform.telemetry()
    try:
        values = "SELECT toInt64(value) AS n, count() AS times FROM samples WHERE series IN " \
                 "(SELECT id FROM series WHERE name = {name:String}) GROUP BY n"  # fmt: skip
        once([(r["n"], r["times"]) for r in store.rows(values, {"name": senders.SERIES})], samples)
        bodies = (
            "SELECT body, count() AS times FROM logs WHERE body LIKE '%line % of the ledger' GROUP BY body"
        )
        found = [(r["body"].split(), r["times"]) for r in store.rows(bodies)]
        once([(int(words[2]), times) for words, times in found if words[0] == "otlp"], lines)
        there = [(int(words[2]), times) for words, times in found if words[0] == "syslog"]
        once(there, [])
        assert bool(there) == bool(syslog) and len(there) <= syslog
    finally:
        store.close()


def once(found: list[tuple[int, int]], ledger: list[int]) -> None:
    """Nothing of the ledger is missing, and nothing is there twice."""
    assert not [n for n, times in found if times > 1], "doubled"
    assert not set(ledger) - {n for n, _ in found}, "lost"


def told_all(platform: Platform, told: Got) -> bool:
    """Whether somebody was told of each grave situation."""
    opened = {json.loads(body)["data"]["id"] for _, _, body in told.requests}
    grave = platform.get("/api/situations/?limit=1000&severity=critical")["results"]
    return bool(grave) and {s["id"] for s in grave} <= opened


def told_once(told: Got, secret: str, kills: int) -> int:
    """Each message is signed and has an id of its own. One may come again under its id when its sender was killed
    between the answer and the note of it; how many did."""
    ids: dict[tuple[str, ...], str] = {}
    deliveries: Counter[str] = Counter()
    for _, headers, body in told.requests:
        named = {k.lower(): v for k, v in headers.items()}
        message = Webhook(secret).verify(body, named)
        what = (message["type"], message["data"]["id"], message["data"]["severity"])
        assert ids.setdefault(what, named["webhook-id"]) == named["webhook-id"], (
            f"{what} was told under two ids"
        )
        deliveries[named["webhook-id"]] += 1
    again = sum(deliveries.values()) - len(deliveries)
    assert len(deliveries) == len(ids) and again <= kills
    return again
