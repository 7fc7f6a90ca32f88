"""What people watch and are told: in their inbox and by mail as they like, once, and never of what they may not read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.kernel.kind_checks import problem
from tests.kernel.receivers import mail_receiver
from watchkeeper.domains import identity, inbox
from watchkeeper.domains.access.models import Grant, Role
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice, Subscription
from watchkeeper.kernel.models import AuditEntry, OutboxRow
from watchkeeper.kernel.outbox import OutboxWorker

JSON = "application/json"
Person = Callable[..., Client]


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    """A client that may do everything and is nobody."""
    return Client(headers={"authorization": "Bearer " + identity.create_token("root")})


@pytest.fixture
def person(db: None) -> Person:  # noqa: ARG001
    """`person("ann")` is a client that ann has signed in to; by default she runs operations."""

    def make(name: str, role: str = "operations engineer", **fields: Any) -> Client:
        user = User.objects.create_user(name, email=f"{name}@example.org", **fields)
        Grant.objects.create(role=Role.objects.get(name=role), user=user, reason="test", approved_by="test",
                             valid_from=timezone.now())  # fmt: skip
        client = Client(raise_request_exception=False)
        client.force_login(user)
        return client

    return make


def call(client: Client, method: str, url: str, body: Any = None, status: int = 200) -> Any:
    """What a call with a body answers."""
    answer = getattr(client, method)(url, json.dumps(body), content_type=JSON)
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def work(*, all_of_it: bool = False) -> None:
    """Carry out what is due, or what ever will be."""
    if all_of_it:
        OutboxRow.objects.filter(state="due").update(due_at=timezone.now())
    worker = OutboxWorker()
    while worker.step():
        pass


def texts(client: Client, **query: str) -> list[str]:
    """What is in the inbox, newest first."""
    return [n["text"] for n in client.get("/api/inbox/", query).json()["results"]]


def device(root: Client, name: str, **fields: Any) -> str:
    """A device; its id."""
    return str(call(root, "post", "/api/devices/", {"name": name, "status": "staged", **fields}, 201)["id"])


def test_a_record_a_kind_and_a_filter_are_watched(root: Client, person: Person) -> None:
    one, kind, some = person("one"), person("kind"), person("some")
    first, second = device(root, "sw1", role="switch"), device(root, "sw2", role="router")
    call(one, "post", "/api/subscriptions/", {"kind": "devices", "record": first}, 201)
    made = call(kind, "post", "/api/subscriptions/", {"kind": "items"}, 201)
    assert made["title"] == "All items"
    made = call(some, "post", "/api/subscriptions/", {"kind": "devices", "query": "?role=router&page=3"}, 201)
    assert (made["query"], made["title"]) == ("role=router", "Devices with role router")
    call(root, "patch", f"/api/devices/{first}/", {"asset_tag": "A-1"})
    call(root, "post", f"/api/devices/{second}/activate/", {})
    call(root, "delete", f"/api/devices/{first}/", status=204)
    work()
    changed, moved = "root changed device sw1: asset tag from nothing to A-1", "root activated device sw2"
    assert texts(one) == ["root removed device sw1", changed]
    assert texts(kind) == ["root removed device sw1", f"{moved}: status from staged to active", changed]
    assert texts(some) == [f"{moved}: status from staged to active"]
    OutboxRow.objects.filter(kind="event").update(state="due")
    work()
    assert Notice.objects.count() == 6


def test_who_may_not_read_it_is_not_told(root: Client, person: Person) -> None:
    """Nor what they were told of before, once they may not."""
    ann = person("ann")
    key = device(root, "sw1")
    call(ann, "post", "/api/subscriptions/", {"kind": "devices", "record": key}, 201)
    call(root, "patch", f"/api/devices/{key}/", {"asset_tag": "A-1"})
    work()
    assert len(texts(ann)) == 1
    Grant.objects.filter(user__username="ann").update(role=Role.objects.get(name="requester"))
    call(root, "patch", f"/api/devices/{key}/", {"asset_tag": "A-2"})
    call(root, "delete", f"/api/devices/{key}/", status=204)
    work()
    assert Notice.objects.count() == 1
    assert texts(ann) == []
    answer = ann.post("/api/subscriptions/", json.dumps({"kind": "devices"}), content_type=JSON)
    problem(answer, 403)
    problem(root.get("/api/inbox/"), 409)  # a token of nobody has none


def test_nobody_is_told_of_what_they_did(root: Client, person: Person) -> None:
    ann = person("ann")
    key = device(root, "sw1")
    call(ann, "post", "/api/subscriptions/", {"kind": "devices", "record": key}, 201)
    call(ann, "patch", f"/api/devices/{key}/", {"asset_tag": "A-1"})
    work()
    assert texts(ann) == []


def test_a_subscription_is_ones_own(root: Client, person: Person) -> None:
    ann, bob = person("ann"), person("bob")
    key = device(root, "sw1")
    made = call(ann, "post", "/api/subscriptions/", {"kind": "devices", "record": key}, 201)
    assert (
        call(ann, "post", "/api/subscriptions/", {"kind": "devices", "record": key}, 201)["id"] == made["id"]
    )
    one = f"/api/subscriptions/{made['id']}/"
    assert bob.get("/api/subscriptions/").json()["count"] == 0
    for method in ("patch", "delete"):
        problem(getattr(bob, method)(one, '{"muted": true}', content_type=JSON), 404)
    call(ann, "patch", one, {"muted": True})
    call(root, "patch", f"/api/devices/{key}/", {"asset_tag": "A-1"})
    work()
    assert texts(ann) == [] and not OutboxRow.objects.filter(kind="event").exists()
    call(ann, "patch", one, {"muted": False})
    call(root, "patch", f"/api/devices/{key}/", {"asset_tag": "A-2"})
    work()
    [notice] = ann.get("/api/inbox/", {"unread": "true"}).json()["results"]
    problem(bob.post(f"/api/inbox/{notice['id']}/read/"), 404)
    assert call(ann, "post", f"/api/inbox/{notice['id']}/read/")["read"] == 1
    assert texts(ann, unread="true") == [] and len(texts(ann)) == 1
    assert call(ann, "post", "/api/inbox/read-all/")["read"] == 0
    call(ann, "delete", one, status=204)
    assert not Subscription.objects.exists()
    acts = (
        AuditEntry.objects.filter(act__startswith="subscription.")
        .order_by("id")
        .values_list("act", flat=True)
    )
    assert list(acts) == [
        "subscription.create",
        "subscription.change",
        "subscription.change",
        "subscription.remove",
    ]


def test_what_cannot_be_watched_is_named(root: Client, person: Person) -> None:
    ann = person("ann")
    for body, word in (
        ({"kind": "colours"}, "kind"),
        ({"kind": "devices", "query": "colour=red"}, "query"),
        ({"kind": "devices", "record": "1", "query": "role=router"}, "query"),
        ({"kind": "devices", "colour": "red"}, "colour"),
        ({}, "kind"),
    ):
        answer = ann.post("/api/subscriptions/", json.dumps(body), content_type=JSON)
        assert word in json.dumps(problem(answer, 400))
    nothing = ann.post("/api/subscriptions/", '{"kind": "devices", "record": "none"}', content_type=JSON)
    problem(nothing, 404)
    assert problem(ann.get("/api/inbox/", {"colour": "x"}), 400)["parameter"] == "colour"
    del root


def test_notices_come_by_mail_at_once_or_daily(root: Client, person: Person, settings: Any) -> None:
    """Those of one moment in one mail; each once."""
    ann, bob = person("ann"), person("bob")
    for client, by_mail in ((ann, "at_once"), (bob, "daily")):
        call(client, "patch", "/api/inbox/preferences/", {"by_mail": by_mail})
        call(client, "post", "/api/subscriptions/", {"kind": "devices"}, 201)
    with mail_receiver() as got:
        settings.SMTP_URL = f"smtp://127.0.0.1:{got.port}?from=watch@example.org"
        device(root, "sw1")
        device(root, "sw2")
        work()
        assert {m.partition("To: ")[2].partition("\r\n")[0] for m in got.mails} == {"ann@example.org"}
        daily = OutboxRow.objects.get(kind="inbox-mail", state="due")
        assert timezone.now() < daily.due_at <= timezone.now() + timedelta(days=1)
        device(root, "sw3")
        work()
        work(all_of_it=True)
    mails = [m for m in got.mails if "To: bob@example.org" in m]
    assert len(mails) == 1
    assert "Subject: 3 notices from Watchkeeper" in mails[0]
    for name in ("sw1", "sw2", "sw3"):
        assert sum(f"root made device {name}" in m for m in got.mails) == 2
    assert "/devices/" in mails[0] and "You watch All devices." in mails[0]
    assert not Notice.objects.filter(mailed_at=None).exists()


def test_mail_waits_for_the_mail_server(root: Client, person: Person, settings: Any) -> None:
    ann = person("ann")
    call(ann, "patch", "/api/inbox/preferences/", {"by_mail": "at_once"})
    call(ann, "post", "/api/subscriptions/", {"kind": "devices"}, 201)
    settings.SMTP_URL = "smtp://127.0.0.1:1?from=watch@example.org"
    device(root, "sw1")
    work()
    assert OutboxRow.objects.get(kind="inbox-mail").state == "due"
    with mail_receiver() as got:
        settings.SMTP_URL = f"smtp://127.0.0.1:{got.port}?from=watch@example.org"
        work(all_of_it=True)
    assert len(got.mails) == 1
    call(ann, "patch", "/api/inbox/preferences/", {"by_mail": "weekly"}, 400)
    User.objects.filter(username="ann").update(email="")
    answer = ann.patch("/api/inbox/preferences/", '{"by_mail": "daily"}', content_type=JSON)
    assert "no e-mail address" in problem(answer, 400)["detail"]


def test_an_alarm_reaches_the_administrators_once(person: Person) -> None:
    ada, ann = person("ada", is_administrator=True), person("ann")
    assert [inbox.alarm("x", "Something is wrong") for _ in range(2)] == [1, 0]
    assert (texts(ada), texts(ann)) == (["Something is wrong"], [])
