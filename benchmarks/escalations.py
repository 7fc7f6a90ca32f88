"""Paging: how late the timers of many escalations are, and how long it takes from an alert to the attempt to page.

    python -m benchmarks.escalations [--escalations 10000] [--seconds 20] [--postgres] [--only timers|latency]

`timers`: so many escalations in flight, whose timers all end within the given seconds; the pager's thread beside an outbox
worker that sends the pages to a receiver on this machine. How late each step was done, against its time. `at once`: all
of them end in the same instant. `latency`: the whole platform under 1,000 alerts/s, and every second one that is escalated;
from its acceptance to the receiver's having it.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.kernel.receivers import Got, webhook_receiver
from tests.platform import Platform

from benchmarks.alerts import alert, post
from benchmarks.whole.records import arguments, database


def main() -> None:
    """Build, measure, print; the databases are removed after."""
    parser = arguments(__doc__)
    parser.add_argument("--escalations", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--only", choices=("timers", "latency"))
    given = parser.parse_args()
    if given.only != "latency":
        with database(given.postgres):
            _timers(given.escalations, given.seconds, "timers")
            _timers(given.escalations, 0.0, "at once")
    if given.only != "timers":
        _latency(given.seconds)


def _timers(count: int, seconds: float, name: str) -> None:
    from django.conf import settings
    from django.db import connection
    from django.utils import timezone

    from watchkeeper.domains.oncall.paging.climbing import Pager
    from watchkeeper.domains.oncall.paging.models import Escalation, Page
    from watchkeeper.kernel.models import OutboxRow
    from watchkeeper.kernel.outbox import OutboxWorker

    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    for model in (Page, Escalation, OutboxRow):
        model.objects.all().delete()
    with webhook_receiver() as got:
        policy = _policy(got)
        begins = timezone.now() + dt.timedelta(seconds=3 + count / 10_000)
        due = [begins + dt.timedelta(seconds=seconds * n / count) for n in range(count)]
        _fill(policy, due)
        stop = threading.Event()
        threads = [threading.Thread(target=run, args=(stop,)) for run in (Pager().run, OutboxWorker().run)]
        for thread in threads:
            thread.start()
        while Page.objects.count() < count:
            time.sleep(0.2)
        planned = {e.pk: e.began_at for e in Escalation.objects.only("began_at")}
        late = sorted(
            (made - planned[escalation]).total_seconds()
            for escalation, made in Page.objects.values_list("escalation", "at")
        )
        sent = len(got.requests)
        while len(got.requests) < count and time.time() < begins.timestamp() + 120:
            time.sleep(0.2)
        took = time.time() - begins.timestamp()
        print(f"{name} ({connection.vendor}): {count:,} within {seconds:.0f} s: late p50 {late[count // 2]:.2f} p99 "
              f"{late[count * 99 // 100]:.2f} max {late[-1]:.2f} s; {sent:,} sent by then, {len(got.requests):,} after "
              f"{took:.0f} s; load {os.getloadavg()[0]:.1f}")  # fmt: skip
        stop.set()
        for thread in threads:
            thread.join()


def _policy(got: Got) -> Any:
    from watchkeeper.domains.identity.models import User
    from watchkeeper.domains.oncall.paging.models import EscalationPolicy, EscalationStep
    from watchkeeper.domains.oncall.paging.own_models import ContactMethod

    user, _ = User.objects.get_or_create(username="ann")
    ContactMethod.objects.update_or_create(
        person=user, name="hook", defaults={"channel": "mattermost", "address": f"{got.url}/ann"}
    )
    policy, _ = EscalationPolicy.objects.get_or_create(name="shop")
    step, _ = EscalationStep.objects.get_or_create(policy=policy, position=1)
    step.responders.set([user])
    return policy


def _fill(policy: Any, due: list[dt.datetime]) -> None:
    from watchkeeper.domains.oncall.paging.models import Escalation

    Escalation.objects.bulk_create(
        (
            Escalation(cause=f"bench:{at.timestamp()}:{n}", kind="tickets", record=str(n), title=f"ticket {n}",
                       policy=policy, began_at=at, due_at=at)
            for n, at in enumerate(due)
        ),
        batch_size=1000,
    )  # fmt: skip


def _latency(seconds: float) -> None:
    """Ten batches of a hundred alerts a second, and one that matters."""
    env = {"WATCHKEEPER_OUTBOUND_ALLOW": "127.0.0.0/8"}
    with tempfile.TemporaryDirectory() as folder, webhook_receiver() as got:
        arrived: dict[str, float] = {}
        got.answer = lambda: _note(got, arrived)
        with Platform(Path(folder) / "var", env).start() as platform:
            _set_up(platform, got)
            head = {"Authorization": f"Bearer {platform.key}"}
            began, accepted, number = time.time(), {}, 0
            while time.time() < began + seconds:
                tick = time.time()
                rows = [alert(number + n, (number + n) // 100, "bench") for n in range(99)]
                mark = f"matters-{number}"
                rows.append({"labels": {"alertname": mark, "severity": "critical"}})
                post(platform.url, head, [json.dumps(rows).encode()])
                accepted[mark] = time.time()
                number += 100
                time.sleep(max(0.0, 0.1 - (time.time() - tick)))
            rate = number / (time.time() - began)
            end = time.time() + 60
            while len(arrived) < len(accepted) and time.time() < end:
                time.sleep(0.1)
            took = sorted(arrived[m] - at for m, at in accepted.items() if m in arrived)
            print(f"latency: {rate:,.0f} alerts/s, {len(took)} of {len(accepted)} paged: p50 {took[len(took) // 2]:.2f} "
                  f"p99 {took[len(took) * 99 // 100]:.2f} max {took[-1]:.2f} s; load {os.getloadavg()[0]:.1f}")  # fmt: skip
            platform.stop()


def _set_up(platform: Platform, got: Got) -> None:
    def make(path: str, body: dict[str, Any]) -> Any:
        made = platform.do(f"/api/{path}/", body)
        assert made.status == 201, made.body
        return made.json()["id"]

    make("users", {"username": "ann", "password": "a long password of ann 7"})
    hook = {"person": "ann", "name": "hook", "channel": "webhook", "address": f"{got.url}/ann"}
    make("contact-methods", hook)
    policy = make("escalation-policies", {"name": "shop"})
    make("escalation-steps", {"policy": policy, "people": ["ann"]})
    make("escalation-rules", {"name": "all", "policy": policy, "min_severity": "critical"})


def _note(got: Got, arrived: dict[str, float]) -> int:
    """Note when each of those that have come did; what is answered."""
    now = time.time()
    for _, _, body in list(got.requests):
        arrived.setdefault(_mark(json.loads(body)["data"]["title"]), now)
    return 204


def _mark(title: str) -> str:
    return next((w.strip(":,") for w in title.split() if w.startswith("matters-")), title)


if __name__ == "__main__":
    main()
