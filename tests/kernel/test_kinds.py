"""The kinds of the domains keep what every kind promises."""

from __future__ import annotations

from typing import Any

from django.test import Client

from tests.domains.analysis_structs import NOW
from tests.kernel.kind_checks import KindChecks
from watchkeeper.domains.identity.models import Session, User
from watchkeeper.domains.situations import AnalysisWriter
from watchkeeper.model.act import Act, ActKind


class TestItems(KindChecks):
    path = "items"
    invalid = {"name": {"a": 1}, "kind": "", "identifiers": [{"scheme": "x"}], "attributes": 5}
    changes = {"name": "renamed", "attributes": {"cores": 4}}

    def valid(self, n: int) -> dict[str, Any]:
        return {"kind": "host", "name": f"web-{n}", "identifiers": [{"scheme": "hostname", "value": f"w{n}"}]}


class TestRelations(KindChecks):
    path = "relations"
    invalid = {"kind": "envies", "source": "nobody", "target": 5.5}

    def valid(self, n: int) -> dict[str, Any]:
        ends = [{"kind": "host", "name": f"end-{n}-{side}"} for side in "ab"]
        source, target = (made["id"] for made in self.send("post", "/api/items/", ends, 201))
        return {"source": source, "kind": "depends_on", "target": target}


class TestDevices(KindChecks):
    path = "devices"
    invalid = {"role": "cook", "rack": "nowhere", "position": 0, "purchased_on": "once"}
    changes = {"role": "switch", "asset_tag": "A-1", "warranty_until": "2030-01-01"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"device-{n}", "status": "staged"}


class TestPrefixes(KindChecks):
    path = "prefixes"
    invalid = {"prefix": "10.0.0.1/8", "vrf": "nowhere", "status": "lost"}
    changes = {"status": "reserved"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"prefix": f"10.{n}.0.0/16"}


class TestDeviceTypes(KindChecks):
    path = "device-types"
    invalid = {"manufacturer": 4711, "u_height": -1, "end_of_sale": "late"}
    changes = {"part_number": "P-1", "power_w": 400}

    def valid(self, n: int) -> dict[str, Any]:
        maker = self.send("post", "/api/manufacturers/", {"name": f"maker {n}"}, 201)
        return {"manufacturer": maker["id"], "model": f"model {n}"}


class TestPayloadMappings(KindChecks):
    path = "payload-mappings"
    invalid = {"name_from": "", "alerts_from": "a[", "labels_from": "foo(@)", "url_from": "x" * 2001}
    changes = {
        "severity_from": "level || 'warning'",
        "labels_from": "{host: server.name}",
        "alerts_from": "events[]",
    }

    def valid(self, n: int) -> dict[str, Any]:
        key = self.send("post", "/api/intake-keys/", {"name": f"sender {n}"}, 201)
        return {"intake_key": key["id"], "name_from": "title"}


class TestNotificationRules(KindChecks):
    path = "notification-rules"
    invalid = {
        "address": "here",
        "min_severity": "awful",
        "enabled": "perhaps",
        "events": ["x"],
        "labels": [1],
    }
    changes = {"min_severity": "critical", "labels": {"team": "web"}, "enabled": False}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"rule {n}", "channel": "webhook", "address": "https://example.org/hook"}


class TestJobs(KindChecks):
    path = "jobs"
    invalid = {"kind": "make-tea", "arguments": 5}

    def valid(self, n: int) -> dict[str, Any]:  # noqa: ARG002
        return {"kind": "export", "arguments": {"path": "items", "written": "csv", "query": {}}}


class TestTokens(KindChecks):
    path = "tokens"
    invalid = {"scope": "all", "expires_at": "tomorrow", "name": ["a"], "networks": ["10.0.0.0/99"]}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"token {n}", "scope": "read"}

    def test_a_token_that_is_over_already_is_refused(self) -> None:
        over = {**self.valid(0), "expires_at": "2020-01-01T00:00:00Z"}
        assert self.send("post", self.url, over, 400)["errors"].keys() == {"expires_at"}


class TestIntakeKeys(KindChecks):
    path = "intake-keys"
    invalid = {"networks": ["everywhere"], "rate": -1, "series": -1, "doors": "all"}
    changes = {"networks": ["10.0.0.0/8"], "rate": 5.0, "series": 1000}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"key {n}", "doors": ["otlp"]}


class TestUsers(KindChecks):
    path = "users"
    invalid = {"password": "123", "email": "nobody", "username": ""}
    changes = {"name": "Ann", "is_active": False}

    def valid(self, n: int) -> dict[str, Any]:
        return {"username": f"person{n}", "email": f"p{n}@example.org"}


class TestSessions(KindChecks):
    """Made by signing in."""

    path = "sessions"

    def make(self, start: int, stop: int) -> list[Any]:
        made = []
        for n in range(start, stop):
            browser = Client()
            browser.force_login(User.objects.create_user(f"person{n}"))
            made.append(Session.objects.get(user__username=f"person{n}").pk)
        return made


class TestJudgements(KindChecks):
    """Made by the writer, as analysis does once an act has gone through the journal."""

    path = "judgements"

    def make(self, start: int, stop: int) -> list[Any]:
        acts = [
            Act(id=f"j{n}", kind=ActKind.USUAL, target=f"{n:016x}", actor="ann", time_ms=NOW,
                data={"key": f"level|{n:016x}", "name": f"alert {n}", "text": f"load of db up to {n}", "why": "so it is",
                      "period": 0, "up": True, "bound": float(n), "edge": 0.0})
            for n in range(start, stop)
        ]  # fmt: skip
        AnalysisWriter().write({}, {}, [], acts, offset=stop, now_ms=NOW + stop)
        return [a.id for a in acts]


class TestSilences(KindChecks):
    """Made by the writer, as analysis does once an act has gone through the journal."""

    path = "silences"

    def make(self, start: int, stop: int) -> list[Any]:
        matcher = {"name": "a", "value": "b", "isRegex": False, "isEqual": True}
        acts = [
            Act(id=f"{n}", kind=ActKind.SILENCE, target=f"q{n}", actor="ann", time_ms=NOW,
                data={"matchers": [matcher], "starts_ms": NOW, "ends_ms": NOW + 1000, "comment": f"number {n}"})
            for n in range(start, stop)
        ]  # fmt: skip
        AnalysisWriter().write({}, {}, [], acts, offset=stop, now_ms=NOW + stop)
        return [a.target for a in acts]
