"""Problems, causes, evidence, actions, recurring situations, timeline lines and reports keep what every kind promises."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks
from watchkeeper.domains.problems.models import Recurring


class TestProblems(KindChecks):
    path = "problems"
    invalid = {"title": "", "priority": 9, "owner": "nobody-here", "team": 987_654, "incidents": [987_654]}
    changes = {"title": "The disk fills up", "priority": 1, "workaround": "Empty /tmp."}

    def valid(self, n: int) -> dict[str, Any]:
        return {"title": f"Problem {n}", "description": "again and again"}


class OfAProblem(KindChecks):
    """Something that belongs to a problem."""

    def problem(self) -> int:
        if not hasattr(self, "made"):
            self.made = self.send("post", "/api/problems/", {"title": "It is slow"}, 201)["id"]
        return int(self.made)

    def cause(self) -> int:
        if not hasattr(self, "said"):
            body = {"problem": self.problem(), "what": "the disk is full"}
            self.said = self.send("post", "/api/problem-causes/", body, 201)["id"]
        return int(self.said)


class TestCauses(OfAProblem):
    path = "problem-causes"
    invalid = {"problem": 987_654, "what": "", "parent": 987_654}
    changes = {"what": "nobody emptied it"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"problem": self.problem(), "what": f"cause {n}"}


class TestEvidence(OfAProblem):
    path = "problem-evidence"
    invalid = {"cause": 987_654, "alert": "nowhere", "situation": "nowhere", "text": "", "seen_at": "then"}
    changes = {"text": "df says so", "against": True}

    def valid(self, n: int) -> dict[str, Any]:
        return {"cause": self.cause(), "text": f"line {n} of the log"}


class TestProblemActions(OfAProblem):
    path = "problem-actions"
    invalid = {"problem": 987_654, "what": "", "owner": "nobody-here", "due_on": "soon"}
    changes = {"what": "Buy another disk", "due_on": "2031-02-03"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"problem": self.problem(), "what": f"action {n}"}


class TestRecurringSituations(KindChecks):
    path = "recurring-situations"

    def make(self, start: int, stop: int) -> list[Any]:
        made = [
            Recurring(title=f"Disk {n} is full", count=3 + n, because=("all 3 are about db1",))
            for n in range(start, stop)
        ]
        return [r.pk for r in Recurring.objects.bulk_create(made)]


class OnATicket(KindChecks):
    """Something that hangs on a ticket."""

    def on(self) -> dict[str, Any]:
        if not hasattr(self, "ticket"):
            self.ticket = self.send("post", "/api/tickets/", {"title": "it is slow"}, 201)["id"]
        return {"kind": "tickets", "record": str(self.ticket)}


class TestTimelineLines(OnATicket):
    path = "timeline-lines"
    invalid = {"kind": "sites", "record": "nowhere", "text": "", "at": "then"}
    changes = {"text": "the provider called back", "at": "2026-01-05T10:00:00Z"}

    def valid(self, n: int) -> dict[str, Any]:
        return {**self.on(), "text": f"line {n}", "at": f"2026-01-0{n % 5 + 1}T10:00:00Z"}


class TestReports(OnATicket):
    path = "post-incident-reports"
    invalid = {"kind": "sites", "record": "nowhere"}
    changes = {"title": "What we learnt", "body": "Disks fill up."}

    def valid(self, n: int) -> dict[str, Any]:
        return {**self.on(), "title": f"Report {n}", "body": f"It was {n}."}


class TestReportVersions(OnATicket):
    path = "report-versions"

    def make(self, start: int, stop: int) -> list[Any]:
        made = []
        for n in range(start, stop):
            body = {**self.on(), "title": f"Report {n}"}
            report = self.send("post", "/api/post-incident-reports/", body, 201)["id"]
            made.append(self.get(f"/api/post-incident-reports/{report}/report-versions/")["results"][0]["id"])
        return made
