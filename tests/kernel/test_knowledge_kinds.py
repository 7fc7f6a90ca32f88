"""Articles, their versions, and runbooks with their steps and runs keep what every kind promises."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks


class TestArticles(KindChecks):
    path = "articles"
    invalid = {
        "title": "",
        "audience": "aliens",
        "team": 987_654,
        "owner": "nobody-here",
        "review_on": "soon",
    }
    changes = {
        "title": "How to wake it",
        "audience": "everybody",
        "body": "Press the *button*.",
        "review_on": "2031-02-03",
    }

    def valid(self, n: int) -> dict[str, Any]:
        return {"title": f"Printer {n} prints stars", "body": "Turn it off and on."}


class TestArticleVersions(KindChecks):
    path = "article-versions"

    def make(self, start: int, stop: int) -> list[Any]:
        made = []
        for n in range(start, stop):
            article = self.send("post", "/api/articles/", {"title": f"Article {n}", "body": "one"}, 201)["id"]
            made.append(self.get(f"/api/articles/{article}/article-versions/")["results"][0]["id"])
        return made


class OfARunbook(KindChecks):
    """Something that needs a runbook."""

    def runbook(self) -> int:
        if not hasattr(self, "made"):
            self.made = self.send("post", "/api/runbooks/", {"name": "Redis is down"}, 201)["id"]
        return int(self.made)


class TestRunbooks(KindChecks):
    path = "runbooks"
    invalid = {"name": "", "team": 987_654}
    changes = {"description": "when Redis does not answer"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"Runbook {n}"}


class TestRunbookSteps(OfARunbook):
    path = "runbook-steps"
    invalid = {
        "runbook": 987_654,
        "number": 0,
        "sort": "dance",
        "text": "",
        "does": "tickets.explode",
        "then": -1,
    }
    changes = {"text": "Look at its log", "then": 7}

    def valid(self, n: int) -> dict[str, Any]:
        return {"runbook": self.runbook(), "number": n + 1, "text": f"Step {n}", "then": 1}


class TestRunbookRuns(OfARunbook):
    path = "runbook-runs"

    def make(self, start: int, stop: int) -> list[Any]:
        made = []
        for n in range(start, stop):
            book = self.send("post", "/api/runbooks/", {"name": f"Book {n}"}, 201)["id"]
            self.send(
                "post", "/api/runbook-steps/", {"runbook": book, "number": 1, "text": "Look", "then": 2}, 201
            )
            self.send(
                "post",
                "/api/runbook-steps/",
                {"runbook": book, "number": 2, "sort": "end", "text": "Done"},
                201,
            )
            self.send("post", f"/api/runbooks/{book}/use/", {})
            ticket = self.send("post", "/api/tickets/", {"title": f"ticket {n}"}, 201)["id"]
            made.append(self.send("post", f"/api/runbooks/{book}/run/", {"ticket": ticket})["run"])
        return made


class TestRunbookRunSteps(TestRunbookRuns):
    path = "runbook-run-steps"

    def make(self, start: int, stop: int) -> list[Any]:
        made = []
        for run in super().make(start, stop):
            self.send("post", f"/api/runbook-runs/{run}/go-on/", {"note": "seen"})
            made.append(self.get(f"/api/runbook-runs/{run}/runbook-run-steps/")["results"][0]["id"])
        return made
