"""Escalation policies and what they are made of, and what people say of how they are reached, keep what every kind
promises; and what is somebody's own is seen by nobody else."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.utils import timezone

from tests.kernel.kind_checks import KindChecks, problem
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.oncall.paging.models import Escalation, Page, PageDelivery

JSON = "application/json"


def _person(name: str) -> User:
    return User.objects.get_or_create(username=name)[0]


def _policy(checks: KindChecks) -> int:
    n = checks.writer.get("/api/escalation-policies/").json()["count"]
    made = checks.api("admin").post("/api/escalation-policies/", {"name": f"of steps {n}"}, content_type=JSON)
    return int(made.json()["id"])


class TestPolicies(KindChecks):
    path = "escalation-policies"
    invalid = {"name": "", "team": 987_654}
    changes = {"repeat": 5, "description": "the shop"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"policy {n}"}


class TestSteps(KindChecks):
    path = "escalation-steps"
    invalid = {
        "people": ["nobody-here"],
        "minutes": 0,
        "channel": "pigeon",
        "schedules": [987_654],
    }
    changes = {"minutes": 20, "people": ["bob"], "min_severity": "error"}

    def valid(self, n: int) -> dict[str, Any]:
        _person("cid"), _person("bob")
        return {"policy": _policy(self), "position": n + 1, "people": ["cid"]}

    def test_it_has_to_tell_somebody(self) -> None:
        body = {"policy": _policy(self), "people": []}
        assert "schedules" in problem(self.writer.post(self.url, body, content_type=JSON), 400)["errors"]
        body = {"policy": _policy(self), "channel": "slack", "address": "not there"}
        assert "address" in problem(self.writer.post(self.url, body, content_type=JSON), 400)["errors"]


class TestRules(KindChecks):
    path = "escalation-rules"
    invalid = {"policy": 987_654, "urgency": "now", "min_severity": "bad", "hours": "night"}
    changes = {"position": 7, "words": "disk", "delay": 3}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"rule {n}", "policy": _policy(self)}


class TestEscalations(KindChecks):
    path = "escalations"
    invalid = {"people": ["nobody-here"], "record": "nothing", "kind": "users"}

    def valid(self, n: int) -> dict[str, Any]:
        _person("cid")
        ticket = (
            self.api("admin").post("/api/tickets/", {"title": f"it is slow {n}"}, content_type=JSON).json()
        )
        return {"kind": "tickets", "record": str(ticket["id"]), "people": ["cid"], "message": "look at it"}

    def test_people_or_a_policy(self) -> None:
        for more in ({"policy": _policy(self)}, {"people": []}):
            answer = self.writer.post(self.url, {**self.valid(0), **more}, content_type=JSON)
            assert "people" in problem(answer, 400)["errors"]


class TestPages(KindChecks):
    path = "pages"

    def make(self, start: int, stop: int) -> list[Any]:
        return [_page(n).pk for n in range(start, stop)]


class TestPageDeliveries(KindChecks):
    path = "page-deliveries"

    def make(self, start: int, stop: int) -> list[Any]:
        pages = (_page(n) for n in range(start, stop))
        made = (
            PageDelivery.objects.create(page=p, channel="email", due_at=p.at, answer="accepted")
            for p in pages
        )
        return [d.pk for d in made]


def _page(n: int) -> Page:
    now = timezone.now()
    count = Escalation.objects.count()
    about = Escalation.objects.create(
        cause=f"{count}:{n}", kind="tickets", record="1", title="slow", began_at=now
    )
    return Page.objects.create(escalation=about, person=_person("cid"), at=now)


class TestContactMethods(KindChecks):
    path = "contact-methods"
    invalid = {"person": "nobody-here", "channel": "pigeon", "address": "x"}
    changes = {"address": "cid@home.example", "name": "private"}

    def valid(self, n: int) -> dict[str, Any]:
        return {
            "person": _person(f"cid{n}").username,
            "name": f"mail {n}",
            "channel": "email",
            "address": f"cid{n}@work.example",
        }

    def test_addresses_suit_their_channel(self) -> None:
        for channel, address in (
            ("sms", "0170 123"),
            ("voice", "+49"),
            ("slack", "cid@x.example"),
            ("push", "https://x.example"),
        ):
            body = {**self.valid(0), "channel": channel, "address": address}
            errors = problem(self.writer.post(self.url, body, content_type=JSON), 400)["errors"]
            assert errors.keys() <= {"address", "channel"}, channel
        sms = {**self.valid(0), "channel": "sms", "address": "+49 (170) 123-4567"}
        assert self.send("post", self.url, sms, 201)["address"] == "+491701234567"


class TestPreferences(KindChecks):
    path = "notification-preferences"
    invalid = {"method": 987_654, "urgency": "now", "minutes": -1}
    changes = {"minutes": 9, "urgency": "low"}

    def valid(self, n: int) -> dict[str, Any]:
        _person("cid")
        count = self.api("admin").get("/api/contact-methods/").json()["count"]
        body = {"person": "cid", "name": f"way {count}", "address": f"cid{n}@work.example"}
        method = self.api("admin").post("/api/contact-methods/", body, content_type=JSON).json()
        return {"person": "cid", "method": method["id"], "minutes": n + 1}


class TestQuietHours(KindChecks):
    path = "quiet-hours"
    invalid = {"zone": "Mars/Olympus", "begins": "late", "person": "nobody-here"}
    changes = {"zone": "Europe/Berlin", "ends": "08:30:00"}

    def valid(self, n: int) -> dict[str, Any]:
        count = self.api("admin").get(self.url).json()["count"]
        return {"person": _person(f"sleeper{count}-{n}").username}


class TestProviders(KindChecks):
    path = "telephone-providers"
    invalid = {"url": "nowhere", "sender": "12", "kind": "pigeons"}
    changes = {"enabled": False, "sender": "+15005550007"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"twilio {n}", "account": "AC1", "token": "secret", "sender": "+15005550006"}


def test_a_person_sees_and_changes_their_own_alone(api: Any) -> None:
    root = api("admin")
    clients = {}
    for name in ("ann", "bob"):
        clients[name] = Client(raise_request_exception=False)
        clients[name].force_login(_person(name))
        body = {"name": "mail", "address": f"{name}@work.example"}
        assert clients[name].post("/api/contact-methods/", body, content_type=JSON).status_code == 201
    mine = clients["ann"].get("/api/contact-methods/").json()["results"]
    assert [(m["person"], m["address"]) for m in mine] == [("ann", "ann@work.example")]
    theirs = root.get("/api/contact-methods/?person__username=bob").json()["results"][0]["id"]
    assert clients["ann"].get(f"/api/contact-methods/{theirs}/").status_code == 404
    assert clients["ann"].delete(f"/api/contact-methods/{theirs}/").status_code == 404
    other = {"person": "bob", "name": "x", "address": "ann@work.example"}
    assert clients["ann"].post("/api/contact-methods/", other, content_type=JSON).status_code == 403
    stolen = {"method": theirs, "minutes": 0}
    assert clients["ann"].post("/api/notification-preferences/", stolen, content_type=JSON).status_code == 400
    assert "bob@work.example" not in clients["ann"].get("/search/?q=work.example").content.decode()
    trail = root.get("/api/audit/?kind=contact%20method").content.decode()
    assert "contact-method.create" in trail and "work.example" not in trail
