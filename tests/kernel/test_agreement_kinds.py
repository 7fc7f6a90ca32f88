"""Calendars, agreements and their targets keep what every kind promises; what cannot be read is refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kernel.kind_checks import KindChecks, problem


class TestCalendars(KindChecks):
    path = "calendars"
    invalid = {"zone": "Mars/Olympus", "monday": "9 to 5", "holidays": "XX", "exceptions": "tomorrow"}
    changes = {"zone": "Europe/Berlin", "saturday": "10:00-12:00", "holidays": "DE-BY"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"office {n}", "monday": "09:00-12:00, 13:00-17:00", "exceptions": "12-24 closed"}

    def test_a_calendar_says_whether_it_is_open_and_until_when(self) -> None:
        always = dict.fromkeys(
            ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "24h"
        )
        made = self.send("post", self.url, {"name": "always", **always}, 201)
        assert (made["open_now"], made["next_change_at"]) == (True, None)
        never = self.send("patch", self.one(made["id"]), dict.fromkeys(always, ""))
        assert (never["open_now"], never["next_change_at"]) == (False, None)

    def test_a_day_whose_hours_are_emptied_in_the_form_is_closed(self) -> None:
        root = self.person()
        page = root.get("/calendars/new/").content.decode()
        assert 'value="09:00-17:00"' in page
        answer = root.post("/calendars/new/", {"name": "four days", "zone": "UTC", "friday": ""})
        assert answer.status_code == 302, answer.content
        (made,) = self.get(name="four days")["results"]
        assert (made["thursday"], made["friday"]) == ("09:00-17:00", "")

    @pytest.mark.parametrize(
        ("field", "sent", "said"),
        [
            ("tuesday", "22:00-06:00", "ends before it begins"),
            ("exceptions", "12-24 closed\n02-30 closed", "line 2"),
            ("holidays", "DE-XX", "BY"),
            ("holidays", "Germany", "such as DE"),
        ],
    )
    def test_what_cannot_be_read_is_refused_with_what_was_expected(
        self, field: str, sent: str, said: str
    ) -> None:
        answer = self.writer.post(self.url, {**self.valid(1), field: sent}, content_type="application/json")
        assert said in str(problem(answer, 400)["errors"][field])


def _calendar(checks: KindChecks) -> int:
    return int(
        checks.send(
            "post",
            "/api/calendars/",
            {"name": f"c{checks.writer.get('/api/calendars/').json()['count']}"},
            201,
        )["id"]
    )


class TestAgreements(KindChecks):
    path = "service-level-agreements"
    invalid = {"kind": "promise", "calendar": 987_654, "pauses": "always"}
    changes = {"kind": "ola", "pauses": "never", "valid_until": "2030-01-01"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"gold {n}", "calendar": _calendar(self)}

    def test_it_does_not_end_before_it_begins(self) -> None:
        dates = {"valid_from": "2026-02-01", "valid_until": "2026-01-01"}
        answer = self.writer.post(self.url, {**self.valid(1), **dates}, content_type="application/json")
        assert "valid_until" in problem(answer, 400)["errors"]


class TestTargets(KindChecks):
    path = "agreement-targets"
    invalid = {"priority": 9, "resolution_minutes": 0}
    changes = {"priority": 2, "response_minutes": 30}

    def valid(self, n: int) -> dict[str, Any]:
        calendar = _calendar(self)
        agreement = self.send(
            "post", "/api/service-level-agreements/", {"name": f"a{calendar}-{n}", "calendar": calendar}, 201
        )
        return {"agreement": agreement["id"], "priority": 1, "resolution_minutes": 240}

    @pytest.mark.parametrize("promised", [{}, {"response_minutes": 90, "resolution_minutes": 60}])
    def test_it_promises_something_that_can_be_kept(self, promised: dict[str, int]) -> None:
        body = {**self.valid(1), "resolution_minutes": None, **promised}
        problem(self.writer.post(self.url, body, content_type="application/json"), 400)
