"""Schedules, layers and overrides keep what every kind promises, and say who is on call."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from tests.kernel.kind_checks import KindChecks, problem
from watchkeeper.domains.identity.models import User


def _people(*names: str) -> None:
    for name in names:
        User.objects.get_or_create(username=name)


def _schedule(checks: KindChecks, name: str = "shop") -> int:
    n = checks.writer.get("/api/schedules/").json()["count"]
    return int(checks.send("post", "/api/schedules/", {"name": f"{name} {n}"}, 201)["id"])


class TestSchedules(KindChecks):
    path = "schedules"
    invalid = {"zone": "Mars/Olympus", "team": 987_654}
    changes = {"zone": "Europe/Berlin", "description": "the shop"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"shop {n}"}

    def test_it_says_who_is_on_call_and_when_nobody_is(self) -> None:
        _people("bob", "cid")
        (one,) = self.make(1, 2)
        now = timezone.now().replace(microsecond=0)
        empty = self.get(self.one(one))
        assert (empty["now"], empty["next_gap_at"]) == ("", None)
        layer = {"schedule": one, "people": ["bob"], "starts_on": "2020-01-01"}
        made = self.send("post", "/api/schedule-layers/", layer, 201)
        assert (self.get(self.one(one))["now"], self.get(self.one(one))["next_gap_at"]) == ("bob", None)
        for_now = {
            "schedule": one, "person": "cid", "begins_at": (now - dt.timedelta(hours=1)).isoformat(),
            "ends_at": (now + dt.timedelta(hours=1)).isoformat(),
        }  # fmt: skip
        self.send("post", "/api/schedule-overrides/", for_now, 201)
        assert self.get(self.one(one))["now"] == "cid"
        ends = now + dt.timedelta(days=3)
        self.send("patch", f"/api/schedule-layers/{made['id']}/", {"ends_at": ends.isoformat()})
        gap = dt.datetime.fromisoformat(self.get(self.one(one))["next_gap_at"])
        assert abs(gap - ends) < dt.timedelta(seconds=1)

    def test_its_page_shows_two_weeks_and_who_comes_next(self) -> None:
        _people("bob", "cid")
        (one,) = self.make(1, 2)
        self.send("patch", self.one(one), {"zone": "Europe/Berlin"})
        layer = {"schedule": one, "people": ["bob", "cid"], "starts_on": "2020-01-01", "days": 1}
        self.send("post", "/api/schedule-layers/", layer, 201)
        page = self.person().get(f"/schedules/{one}/").content.decode()
        assert page.count('class="wk-shift wk-shift-') >= 28  # each day hands over once
        assert "09:00" in page and "Europe/Berlin" in page
        assert "nobody is on call" not in page

    def test_for_who_has_left_nobody_is_on_call_and_its_page_says_so(self) -> None:
        _people("bob", "cid")
        (one,) = self.make(1, 2)
        layer = {"schedule": one, "people": ["bob"], "starts_on": "2020-01-01"}
        self.send("post", "/api/schedule-layers/", layer, 201)
        self.send("post", "/api/schedule-layers/", layer | {"people": ["cid"], "position": 2}, 201)
        browser = self.person()
        assert self.get(self.one(one))["now"] == "cid"
        for gone, on_call, named in (("cid", "bob", "cid"), ("bob", "", "bob, cid")):
            User.objects.filter(username=gone).update(is_active=False)
            assert self.get(self.one(one))["now"] == on_call
            page = browser.get(f"/schedules/{one}/").content.decode()
            assert f"Nobody is on call for {named}, whose account is off" in page

    def test_of_overrides_that_overlap_the_last_one_made_comes_first(self) -> None:
        _people("bob", "cid")
        (one,) = self.make(1, 2)
        now = timezone.now()
        for person, begins in (("bob", 1), ("cid", 2)):
            body = {"schedule": one, "person": person, "begins_at": (now - dt.timedelta(hours=begins)).isoformat(),
                    "ends_at": (now + dt.timedelta(hours=1)).isoformat()}  # fmt: skip
            self.send("post", "/api/schedule-overrides/", body, 201)
        assert self.get(self.one(one))["now"] == "cid"


class TestLayers(KindChecks):
    path = "schedule-layers"
    invalid = {"people": ["nobody-here"], "days": 0, "position": 0, "calendar": 987_654}
    changes = {"days": 1, "handover": "08:30:00", "people": ["cid", "bob"]}

    def valid(self, n: int) -> dict[str, Any]:
        _people("bob", "cid")
        return {
            "schedule": _schedule(self),
            "position": n + 1,
            "people": ["bob", "cid"],
            "starts_on": "2026-01-05",
        }


class TestOverrides(KindChecks):
    path = "schedule-overrides"
    invalid = {"person": "nobody-here", "begins_at": "soon"}
    changes = {"reason": "holiday", "ends_at": "2026-01-09T00:00:00Z"}

    def valid(self, n: int) -> dict[str, Any]:
        _people("bob")
        times = {"begins_at": f"2026-01-0{n % 5 + 1}T00:00:00Z", "ends_at": "2026-01-08T00:00:00Z"}
        return {"schedule": _schedule(self), "person": "bob", **times}

    def test_it_ends_after_it_begins(self) -> None:
        body = {**self.valid(1), "ends_at": "2026-01-01T00:00:00Z"}
        answer = self.writer.post(self.url, body, content_type="application/json")
        assert "ends_at" in problem(answer, 400)["errors"]
