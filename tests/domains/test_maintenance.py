"""Maintenance windows through HTTP, the journal, analysis and the outbox, with somebody who listens for notifications."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import time
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.api.platform_parts import alone, analysing
from tests.kernel.kind_checks import KindChecks
from tests.kernel.receivers import webhook_receiver
from tests.support import eventually
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.maintenance.rules import Repetition, rrule_of, words
from watchkeeper.domains.situations.happenings import alert_act
from watchkeeper.domains.situations.models import AppliedAct
from watchkeeper.kernel.outbox import OutboxWorker
from watchkeeper.model.schedule import Schedule

SOON = "2030-01-06T02:00:00Z"


class TestMaintenanceWindows(KindChecks):
    """As every kind."""

    path = "maintenance-windows"
    invalid = {"zone": "Mars/Olympus", "every": 0, "weekdays": ["XX"], "repeats": "often"}
    changes = {"name": "moved", "reason": "the power", "zone": "Europe/Berlin", "reach": "items", "every": 2}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"window {n}", "labels": {"site": f"s{n}"}, "starts_at": SOON,
                "ends_at": "2030-01-06T04:00:00Z", "repeats": "week"}  # fmt: skip

    @pytest.mark.parametrize(
        ("part", "field"),
        [
            ({"labels": {}}, "items"),
            ({"labels": {"site": ""}}, "labels"),
            ({"ends_at": SOON}, "ends_at"),
            ({"repeats": "rule"}, "rule"),
            ({"repeats": "rule", "rule": "FREQ=SECONDLY"}, "rule"),
            ({"repeats": "rule", "rule": "FREQ=DAILY;INTERVAL=7;BYDAY=MO"}, "rule"),  # it begins on a Sunday
            ({"repeats": "rule", "rule": "FREQ=MONTHLY;BYDAY=1MO,10MO"}, "rule"),
            ({"repeats_until": "2029-12-31"}, "repeats_until"),
        ],
    )
    def test_a_window_that_is_none_is_refused(self, part: dict[str, Any], field: str) -> None:
        answer = self.send("post", self.url, {**self.valid(0), **part}, 400)
        assert field in answer["errors"]

    def test_it_says_when_in_words(self) -> None:
        made = self.send("post", self.url, self.valid(0), 201)
        assert made["when"] == "every Sunday 02:00–04:00 UTC, next: Sun 6 Jan 2030"
        assert made["state"] == "upcoming"
        assert made["next_at"] == SOON
        self.send("post", f"{self.one(made['id'])}end-now/", {}, 409)

    def test_the_list_is_narrowed_by_state(self) -> None:
        """It follows from the schedule and the time."""
        now = timezone.now()
        for name, begins in (("was", -3), ("is", -1), ("will be", 2)):
            starts = now + dt.timedelta(hours=begins)
            ends = (starts + dt.timedelta(hours=2)).isoformat()
            made = {
                **self.valid(0),
                "name": name,
                "repeats": "once",
                "starts_at": starts.isoformat(),
                "ends_at": ends,
            }
            self.send("post", self.url, made, 201)
        self.send("post", self.url, {**self.valid(1), "name": "every week"}, 201)

        def named(query: str) -> set[str]:
            return {w["name"] for w in self.send("get", f"{self.url}?{query}", None, 200)["results"]}

        assert named("state=past") == {"was"}
        assert named("state=running&search=is") == {"is"}
        assert named("state=upcoming") == {"will be", "every week"}
        assert "state='soon'" in self.send("get", f"{self.url}?state=soon", None, 400)["detail"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Repetition("once"), "Sun 8 Mar 2026 02:00–04:00 UTC"),
        (Repetition("day"), "every day 02:00–04:00 UTC, next: Sun 8 Mar 2026"),
        (Repetition("week", 2), "every second Sunday 02:00–04:00 UTC, next: Sun 8 Mar 2026"),
        (Repetition("week", 3, ("SU", "TU")), "every 3 weeks on Tuesday, Sunday 02:00–04:00 UTC, next: Sun 8 Mar 2026"),
        (Repetition("month_weekday"), "every second Sunday of the month 02:00–04:00 UTC, next: Sun 8 Mar 2026"),
        (Repetition("month_day"), "every month on day 8 02:00–04:00 UTC, next: Sun 8 Mar 2026"),
        (Repetition("year"), "every year on 8 March 02:00–04:00 UTC, next: Sun 8 Mar 2026"),
        (Repetition("day", until=dt.date(2026, 3, 8)), "every day 02:00–04:00 UTC, next: Sun 8 Mar 2026"),
    ],
)  # fmt: skip
def test_what_people_choose_in_words(given: Repetition, said: str) -> None:
    first = dt.datetime(2026, 3, 8, 2, tzinfo=dt.UTC)
    ms = round(first.timestamp() * 1000)
    schedule = Schedule(ms, ms + 7_200_000, rrule_of(given, first.replace(tzinfo=None)))
    assert words(schedule, ms - 1) == said


def down(instance: str, severity: str = "critical", **more: Any) -> dict[str, Any]:
    """As Prometheus posts it."""
    return {"labels": {"alertname": "Down", "instance": instance, "severity": severity}, **more}


def work() -> None:
    """Carry out everything that is due."""
    worker = OutboxWorker()
    while worker.step():
        pass


def applied(count: int) -> None:
    """So many windows and changes of them have reached analysis."""
    work()
    eventually(lambda: AppliedAct.objects.filter(kind="maintenance").count() >= count)


@pytest.mark.usefixtures("transactional_db")
def test_nobody_is_told_during_a_window_and_somebody_after_it(tmp_path: Path, settings: Any) -> None:
    """What fired before is told to its end; what fires in it waits, also over a restart; what ends in it is over."""
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    now, ahead = timezone.now(), [0.0]  # seconds by which analysis's clock has jumped

    def clock() -> float:
        return time.time() + ahead[0]

    with webhook_receiver() as got, alone(tmp_path) as web:

        def told() -> list[tuple[str, str]]:
            work()
            bodies = [json.loads(body) for _, _, body in got.requests]
            return [(b["type"].partition(".")[2], b["data"]["title"].partition(" on ")[2]) for b in bodies]

        def alert(instance: str) -> dict[str, Any]:
            found = web.call("GET", "/api/alerts/").json["results"]
            return next((a for a in found if a["labels"].get("instance") == instance), {})

        with analysing(web.journal, tmp_path, clock):
            web.call("POST", "/api/notification-rules/", {"name": "all", "address": got.url}, scope="admin")
            web.tell(down("db-1"))
            eventually(lambda: told() == [("opened", "db-1")])
            item = Item.objects.get(name="db-1")
            window = {"name": "New disks", "items": [item.pk], "starts_at": now.isoformat(),
                      "ends_at": (now + dt.timedelta(hours=2)).isoformat()}  # fmt: skip
            made = web.call("POST", "/api/maintenance-windows/", window)
            assert made.status == 201, made.body
            other = web.call("POST", "/api/maintenance-windows/",
                             {**window, "items": [], "labels": {"instance": "web-1"}, "name": "web"}).json  # fmt: skip
            applied(2)
            eventually(lambda: alert("db-1")["suppressed_by"] == f"maintenance:{made.json['id']}")
            web.tell(down("web-1"), down("web-2", "info"))
            eventually(lambda: alert("web-1").get("suppressed_by"))
            assert alert("web-1")["status"] == "firing"
            amtool = web.call("GET", "/api/v2/alerts", scope="read").json
            states = {a["labels"]["instance"]: a["status"]["state"] for a in amtool}
            assert states == {"db-1": "suppressed", "web-1": "suppressed", "web-2": "active"}
            web.tell(down("db-1", endsAt=timezone.now().isoformat()))
            eventually(lambda: alert("db-1")["status"] == "resolved")
            ahead[0] = 301.0
            eventually(lambda: told() == [("opened", "db-1"), ("resolved", "db-1")])
        with analysing(web.journal, tmp_path, clock):  # again, from the records alone
            web.tell(down("web-2", "info"), down("web-1"))
            eventually(lambda: alert("web-1")["count"] == 2)
            assert len(told()) == 2
            done = web.call("POST", f"/api/maintenance-windows/{other['id']}/end-now/", {})
            assert done.status == 200, done.body
            assert done.json["state"] == "past"
            applied(3)
            eventually(lambda: told()[2:] == [("opened", "web-1")])
    because = json.loads(got.requests[-1][2])["data"]["because"]
    assert any("held back until the maintenance “web” ended" in text for text in because)


def test_rules_about_alerts_hear_of_a_firing_when_the_window_is_over() -> None:
    """And once: an event's id is of the firing, so one that was told before is not told again."""
    heard = {"status": "firing", "firings": 1, "severity": "error", "suppressed_by": ""}
    held = {**heard, "suppressed_by": "maintenance:1"}
    assert alert_act(None, heard) == "fire"
    assert alert_act(None, held) == ""
    assert alert_act({**held, "severity": "warning"}, held) == "change"
    assert alert_act(held, {**held, "status": "resolved"}) == "resolve"
    assert alert_act(held, heard) == "fire"
