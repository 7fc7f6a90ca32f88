"""Portal contacts, calendar feeds, calendar imports and absences keep what every kind promises."""

from __future__ import annotations

from typing import Any

from django.test import Client

from tests.kernel.kind_checks import KindChecks
from watchkeeper.domains.access.models import Organisation
from watchkeeper.domains.identity.models import User


class TestPortalContacts(KindChecks):
    path = "portal-contacts"
    invalid = {"user": "nobody-here", "organisation": 987_654}

    def valid(self, n: int) -> dict[str, Any]:
        User.objects.get_or_create(username=f"contact{n}")
        organisation, _ = Organisation.objects.get_or_create(name="Acme")
        return {"user": f"contact{n}", "organisation": organisation.pk}


class TestAbsences(KindChecks):
    path = "absences"
    invalid = {"person": "nobody-here", "ends_at": "2020-01-01T00:00:00Z"}
    changes = {"reason": "ill", "ends_at": "2026-07-12T00:00:00Z"}

    def valid(self, n: int) -> dict[str, Any]:
        User.objects.get_or_create(username=f"away{n}")
        return {"person": f"away{n}", "begins_at": "2026-07-01T00:00:00Z", "ends_at": "2026-07-11T00:00:00Z"}


class TestCalendarImports(KindChecks):
    path = "calendar-imports"
    invalid = {"url": "ftp://calendar", "what": "parties", "schedule": 987_654, "calendar": 987_654}
    changes = {"enabled": False}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"away {n}", "what": "absences"}

    def test_where_events_go_fits_what_they_are(self) -> None:
        for body, field in (({"what": "overrides"}, "schedule"), ({"what": "holidays"}, "calendar")):
            answer = self.writer.post(self.url, {"name": "n", **body}, content_type="application/json")
            assert answer.status_code == 400 and set(answer.json()["errors"]) == {field}


class TestCalendarFeeds(KindChecks):
    path = "calendar-feeds"
    invalid = {"schedule": 987_654, "person": "nobody-here"}

    def valid(self, n: int) -> dict[str, Any]:
        User.objects.get_or_create(username=f"reader{n}")
        return {"person": f"reader{n}"}

    def test_the_address_is_shown_once_and_ends_when_it_is_revoked(self) -> None:
        made = self.send("post", self.url, self.valid(1), 201)
        where = made["address"].partition("//")[2].partition("/")[2]
        assert "address" not in self.get(self.one(made["id"]))
        anybody = Client()
        answer = anybody.get(f"/{where}")
        assert answer.status_code == 200 and answer.content.startswith(b"BEGIN:VCALENDAR")
        assert answer.headers["Content-Type"].startswith("text/calendar")
        self.send("post", f"{self.one(made['id'])}revoke/", {})
        gone, none = anybody.get(f"/{where}"), anybody.get("/calendar/wkc_made-up.ics")
        assert (gone.status_code, gone.content) == (404, none.content)
