"""Major incidents, their updates and status pages keep what every kind promises."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.majors.models import MajorIncident, StatusPage


class TestMajorIncidents(KindChecks):
    path = "major-incidents"
    invalid = {
        "ticket": 987_654,
        "commander": "nobody-here",
        "stakeholders": ["no address"],
        "every": 1,
        "component_state": "odd",
    }
    changes = {"impact": "nobody can pay", "stakeholders": ["board@example.org"], "every": 15}

    def valid(self, n: int) -> dict[str, Any]:
        return {"title": f"outage {n}", "ticket": Ticket.objects.create(title=f"it is down {n}").pk}


class TestStatusUpdates(KindChecks):
    path = "status-updates"
    invalid = {"major": 987_654, "state": "odd", "text": ""}

    def valid(self, n: int) -> dict[str, Any]:
        ticket = Ticket.objects.create(title=f"it is down {n}")
        major = MajorIncident.objects.create(title=f"outage {n}", ticket=ticket)
        return {"major": major.pk, "state": "identified", "text": f"We know more: {n}"}


class TestStatusPages(KindChecks):
    path = "status-pages"
    invalid = {"slug": "not a slug!", "name": ""}
    changes = {"public": True, "description": "how we are"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"page {n}", "slug": f"page-{n}"}


class TestStatusComponents(KindChecks):
    path = "status-components"
    invalid = {"page": 987_654, "item": "none", "name": ""}
    changes = {"section": "Shop", "follows": False}

    def valid(self, n: int) -> dict[str, Any]:
        page, _ = StatusPage.objects.get_or_create(slug="all", defaults={"name": "All"})
        return {"name": f"service {n}", "page": page.pk}
