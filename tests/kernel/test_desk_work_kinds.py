"""What agents work with from day to day keeps what every kind promises."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks
from watchkeeper.domains.desk.models import Ticket, TicketTemplate
from watchkeeper.domains.identity.models import User


def _ticket() -> int:
    made, _ = Ticket.objects.get_or_create(title="printer prints stars")
    return int(made.pk)


def _person(name: str = "zoe") -> str:
    User.objects.get_or_create(username=name)
    return name


class TestSkills(KindChecks):
    path = "skills"
    invalid = {"people": ["nobody-here"], "name": ""}
    changes = {"description": "kernels and shells"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"skill {n}", "people": [_person()]}


class TestMacros(KindChecks):
    path = "macros"
    invalid = {"queue": 987_654, "gives": "the moon", "moves": "dance", "impact": 4, "person": "nobody-here"}
    changes = {"enabled": False, "impact": 1, "note": "see $number"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"macro {n}", "moves": "ask", "labels": "asked"}


class TestTicketTemplates(KindChecks):
    path = "ticket-templates"
    invalid = {"queue": 987_654, "type": "wish", "impact": 4, "title": "", "steps": "x" * 301}
    changes = {"type": "incident", "urgency": 1, "steps": "one\ntwo"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"template {n}", "title": f"a laptop for the {n}th"}


class TestChecklistItems(KindChecks):
    path = "checklist-items"
    invalid = {"ticket": 987_654, "text": "", "position": -1}
    changes = {"position": 7, "text": "turn it on again"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"ticket": _ticket(), "text": f"step {n}"}


class TestTimeEntries(KindChecks):
    path = "time-entries"
    invalid = {"ticket": 987_654, "minutes": 0, "person": "nobody-here"}
    changes = {"minutes": 90, "billable": True}

    def valid(self, n: int) -> dict[str, Any]:
        began = f"2026-02-{n % 27 + 1:02}T08:00:00Z"
        return {
            "ticket": _ticket(),
            "person": _person(),
            "minutes": n + 1,
            "note": f"call {n}",
            "began_at": began,
        }


class TestRecurringTickets(KindChecks):
    path = "recurring-tickets"
    invalid = {"template": 987_654, "rule": "FREQ=SECONDLY", "zone": "Mars/Base", "starts_on": "soon"}
    changes = {"enabled": False, "zone": "Europe/Berlin", "rule": "FREQ=WEEKLY;BYDAY=MO"}

    def valid(self, n: int) -> dict[str, Any]:
        template, _ = TicketTemplate.objects.get_or_create(name="rounds", title="Do the rounds")
        return {"name": f"rounds {n}", "template": template.pk, "starts_on": "2026-01-01"}
