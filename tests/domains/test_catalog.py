"""The service catalogue over REST: forms, approvals, tasks in turn, the record in the inventory, leases and their timers,
and who sees and does what."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Grant, Role, Team
from watchkeeper.domains.catalog.models import Lease
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice
from watchkeeper.kernel.models import AuditEntry, OutboxRow
from watchkeeper.kernel.outbox import OutboxWorker

JSON = "application/json"
FORM = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "title": "Host name", "pattern": "^[a-z][a-z0-9-]*$"},
        "memory": {"type": "integer", "title": "Memory in GiB", "minimum": 1, "maximum": 64, "default": 4},
        "why": {"type": "string", "enum": ["test", "production"]},
    },
    "required": ["name", "why"],
}


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    """A client that may do everything."""
    return Client(headers={"authorization": "Bearer " + identity.create_token("root")})


def call(client: Client, method: str, url: str, body: Any = None, status: int = 200) -> Any:
    """What a call with a body answers."""
    send = getattr(client, method)
    address = f"/api/{url}/"
    answer = send(address) if method == "get" else send(address, json.dumps(body or {}), content_type=JSON)
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def work() -> None:
    """Carry out everything that is due."""
    worker = OutboxWorker()
    while worker.step():
        pass


def later(**span: float) -> None:
    """As if so much time had passed for everything that waits in the outbox."""
    for row in OutboxRow.objects.filter(state="due"):
        OutboxRow.objects.filter(pk=row.pk).update(due_at=row.due_at - dt.timedelta(**span))
    work()


def person(name: str, role: str = "requester", **more: Any) -> tuple[User, Client]:
    """Somebody with a role, and a client that is them."""
    user = User.objects.create_user(name, **more)
    Grant.objects.create(role=Role.objects.get(name=role), user=user, reason="test", valid_from=timezone.now(),
                         approved_by="test")  # fmt: skip
    secret = identity.create_token(f"of {name}", "admin", user=user)
    return user, Client(headers={"authorization": f"Bearer {secret}"})


def item(root: Client, **more: Any) -> Any:
    """A catalogue item that asks what FORM asks."""
    body = {
        "name": "Server",
        "category": "Machines",
        "form": FORM,
        "cost": "120.00",
        "billing": "monthly",
        **more,
    }
    return call(root, "post", "catalog-items", body, 201)


def test_a_form_is_json_schema_and_says_what_is_wrong_at_each_question(root: Client) -> None:
    made = item(root)
    person("bob")
    bad = {"item": made["id"], "person": "bob", "answers": {"name": "Web 1", "memory": 128, "colour": "red"}}
    said = call(root, "post", "orders", bad, 400)["errors"]["answers"]
    assert set(said) == {"name", "memory", "why", "colour"}, said
    assert said["memory"] == ["at most 64"]
    good = call(root, "post", "orders", {**bad, "answers": {"name": "web1", "why": "test"}}, 201)
    assert good["answers"] == {"name": "web1", "why": "test", "memory": 4}
    assert (good["state"], good["price"]) == ("fulfilling", "120.00 EUR a month")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"type": "array"}, "object"),
        ({"type": "object", "properties": {"a": {"type": "strong"}}}, "strong"),
        ({"type": "object", "properties": {"a": {"$ref": "https://example.org/x"}}}, "a.type"),
        ({"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}, "pattern"),
        ({"type": "object", "properties": {"a b": {"type": "string"}}}, "a b"),
        ({"type": "object", "properties": {}, "required": ["x"]}, "x is not among"),
        ({"type": "object", "allOf": []}, "allOf"),
        ({"type": "object", "properties": {"a": {"type": "array"}}}, "items.enum"),
        ([], "object"),
    ],
)
def test_a_form_that_cannot_be_drawn_is_refused(root: Client, form: Any, says: str) -> None:
    said = call(root, "post", "catalog-items", {"name": "x", "form": form}, 400)
    assert says in json.dumps(said["errors"]["form"]), said


def test_texts_and_fields_name_what_is_there(root: Client) -> None:
    for body, field in (
        ({"handover_text": "It is $nothing"}, "handover_text"),
        ({"record_kind": "tickets"}, "record_kind"),
        ({"record_kind": "devices", "record_fields": {"colour": "red"}}, "record_fields"),
        ({"record_kind": "devices", "record_fields": {"name": "$host"}}, "record_fields"),
        ({"record_fields": {"name": "x"}}, "record_kind"),
        ({"currency": "money"}, "currency"),
    ):
        assert field in call(root, "post", "catalog-items", {"name": "x", **body}, 400)["errors"]


def test_an_order_is_approved_fulfilled_in_turn_recorded_and_delivered(root: Client) -> None:
    bob, bobs = person("bob", email="bob@example.org")
    boss, _ = person("boss")
    team = Team.objects.create(name="servers")
    made = item(
        root, record_kind="virtual-machines", record_fields={"name": "$name", "memory_mib": "4096"}, lease_days=30,
        handover_text="Dear $person_name, $item is there.",
    )  # fmt: skip
    call(root, "post", "catalog-approvals", {"item": made["id"], "name": "budget", "people": ["boss"]}, 201)
    for step, title in ((1, "Reserve an address"), (1, "Ask the owner"), (2, "Install it")):
        call(root, "post", "catalog-tasks",
             {"item": made["id"], "step": step, "title": title, "team": team.pk, "hours": 8}, 201)  # fmt: skip
    order = call(
        bobs, "post", "orders", {"item": made["id"], "answers": {"name": "web1", "why": "test"}}, 201
    )
    assert (order["state"], order["person"], order["ordered_by"]) == ("ordered", "bob", "bob")
    work()
    [vote] = call(root, "get", "votes")["results"]
    assert call(root, "get", f"orders/{order['id']}")["state"] == "ordered"
    answer = Client(headers={"authorization": "Bearer " + identity.create_token("boss", "write", user=boss)})
    call(answer, "post", f"votes/{vote['id']}/approve")
    work()
    assert call(root, "get", f"orders/{order['id']}")["state"] == "fulfilling"
    assert call(root, "get", f"tickets/{order['ticket']}")["status"] == "in_progress"
    listed = _tasks(root, order)
    assert [t["title"] for t in listed] == [
        "Reserve an address", "Ask the owner", "Install it", "Note it in the inventory"
    ]  # fmt: skip
    first, second, third, _ = listed
    assert sorted(third["after"]) == sorted([first["id"], second["id"]])
    early = call(root, "post", f"request-tasks/{third['id']}/done", {"note": "early"}, 409)
    assert "Reserve an address" in early["detail"]
    for task in (first, second, third):
        call(root, "post", f"request-tasks/{task['id']}/done", {"note": "done"})
    work()
    done = call(root, "get", f"orders/{order['id']}")
    assert done["state"] == "delivered", _tasks(root, order)
    assert call(root, "get", f"virtual-machines/{done['record']}")["name"] == "web1"
    ticket = call(root, "get", f"tickets/{order['ticket']}")
    assert (ticket["status"], ticket["type"], ticket["items"]) == ("resolved", "request", [done["record"]])
    lease = Lease.objects.get(holder=bob)
    assert lease.item_id == done["record"] and lease.until is not None
    assert Notice.objects.filter(user=bob, text="Server is there for you").exists()
    assert OutboxRow.objects.filter(kind="order-mail").count() == 1
    acts = AuditEntry.objects.filter(kind="order").order_by("pk").values_list("act", flat=True)
    assert list(acts) == ["order.create", "order.approve", "order.fulfil", "order.deliver"]


def _tasks(root: Client, order: Any) -> Any:
    answer = root.get("/api/request-tasks/", {"ticket": order["ticket"], "ordering": "id"})
    return answer.json()["results"]


def test_what_is_declined_ends_with_its_reason_and_its_ticket(root: Client) -> None:
    _, bobs = person("bob")
    _boss, bosses = person("boss")
    made = item(root)
    call(root, "post", "catalog-approvals", {"item": made["id"], "name": "budget", "people": ["boss"]}, 201)
    order = call(
        bobs, "post", "orders", {"item": made["id"], "answers": {"name": "web1", "why": "test"}}, 201
    )
    work()
    [vote] = call(bosses, "get", "votes")["results"]
    call(bosses, "post", f"votes/{vote['id']}/decline", {"note": "too dear"})
    work()
    after = call(bobs, "get", f"orders/{order['id']}")
    assert (after["state"], after["note"]) == ("declined", "too dear")
    assert call(root, "get", f"tickets/{order['ticket']}")["status"] == "cancelled"


def test_who_agrees_to_an_order_is_said_by_its_item_and_not_by_who_orders(root: Client) -> None:
    """Nor to a lease for longer."""
    bob, bobs = person("bob")
    person("boss")
    person("carl")
    made = item(root, form={"type": "object", "properties": {}}, handover_text="It is yours.")
    call(root, "post", "catalog-approvals", {"item": made["id"], "name": "security", "people": ["boss"]}, 201)
    order = call(bobs, "post", "orders", {"item": made["id"]}, 201)
    lease = Lease.objects.create(
        holder=bob, what="Server", order_id=order["id"], extension_approved=True, until=timezone.now()
    )
    mine = {"kind": "leases", "record": str(lease.pk), "subject": "Please", "people": ["carl"]}
    assert "rules" in call(root, "post", "approval-requests", mine, 409)["detail"]
    until = (timezone.now() + dt.timedelta(days=9)).isoformat()
    call(bobs, "post", f"leases/{lease.pk}/extend", {"until": until}, 202)
    for asked in call(root, "get", "approval-requests")["results"]:
        call(root, "post", f"approval-requests/{asked['id']}/withdraw", status=409)
    assert {v["approver"] for v in call(root, "get", "votes")["results"]} == {"boss"}
    call(bobs, "post", f"orders/{order['id']}/cancel")
    assert {r["state"] for r in call(root, "get", "approval-requests")["results"]} == {"waiting", "withdrawn"}
    call(root, "post", "approval-requests", {**mine, "kind": "orders", "record": str(order["id"])}, 409)


def test_a_record_that_cannot_be_made_fails_its_task_and_can_be_tried_again(root: Client) -> None:
    person("bob")
    made = item(root, record_kind="virtual-machines", record_fields={"name": "$name", "memory_mib": "$why"})
    order = call(
        root,
        "post",
        "orders",
        {"item": made["id"], "person": "bob", "answers": {"name": "w", "why": "test"}},
        201,
    )
    work()
    [task] = _tasks(root, order)
    assert task["state"] == "failed" and "memory_mib" in task["note"]
    assert call(root, "get", f"orders/{order['id']}")["state"] == "fulfilling"
    call(root, "patch", f"catalog-items/{made['id']}", {"record_fields": {"name": "$name"}})
    call(root, "post", f"request-tasks/{task['id']}/retry")
    work()
    assert call(root, "get", f"orders/{order['id']}")["state"] == "delivered"


def test_what_has_no_tasks_is_handed_over_by_somebody(root: Client) -> None:
    person("bob")
    team = call(root, "post", "teams", {"name": "Store"}, 201)
    queue = call(root, "post", "queues", {"name": "Store", "team": team["id"]}, 201)
    made = item(root, queue=queue["id"])
    body = {"item": made["id"], "person": "bob", "answers": {"name": "w", "why": "test"}}
    order = call(root, "post", "orders", body, 201)
    work()
    [task] = _tasks(root, order)
    assert (task["title"], task["team"], task["state"]) == ("Hand over Server", team["id"], "open")
    assert call(root, "get", f"orders/{order['id']}")["state"] == "fulfilling"
    call(root, "post", f"request-tasks/{task['id']}/done")
    assert call(root, "get", f"orders/{order['id']}")["state"] == "delivered"


def test_a_lease_warns_is_extended_and_is_taken_back(root: Client) -> None:
    bob, bobs = person("bob", email="bob@example.org")
    made = item(root, lease_days=30, form={"type": "object", "properties": {}}, handover_text="It is yours.")
    call(root, "post", "orders", {"item": made["id"], "person": "bob"}, 201)
    work()
    lease = Lease.objects.get(holder=bob)
    later(days=20)
    assert [n.text for n in Notice.objects.filter(user=bob, kind="leases")] == [
        "Server is yours for 14 more days"
    ]
    assert OutboxRow.objects.filter(kind="lease-mail").count() == 1
    assert lease.until is not None
    until = lease.until + dt.timedelta(days=60)
    call(bobs, "post", f"leases/{lease.pk}/extend", {"until": until.isoformat()})
    later(days=15)  # when it would have ended
    assert call(bobs, "get", f"leases/{lease.pk}")["state"] == "active"
    later(days=80)
    assert call(bobs, "get", f"leases/{lease.pk}")["state"] == "returning"
    [task] = root.get("/api/request-tasks/", {"state": "open"}).json()["results"]
    assert task["title"] == "Take back: Server from bob"
    call(root, "post", f"request-tasks/{task['id']}/done", {"note": "on the shelf"})
    assert call(bobs, "get", f"leases/{lease.pk}")["state"] == "ended"


def test_a_membership_that_is_lent_is_really_given_and_taken(root: Client) -> None:
    bob, _ = person("bob")
    team = Team.objects.create(name="dba")
    made = item(root, lease_days=5, form={"type": "object", "properties": {}})
    call(
        root, "post", "catalog-tasks", {"item": made["id"], "title": "Let them in", "member_of": team.pk}, 201
    )
    call(root, "post", "orders", {"item": made["id"], "person": "bob"}, 201)
    work()
    assert team.members.filter(pk=bob.pk).exists()
    later(days=6)
    assert not team.members.filter(pk=bob.pk).exists()
    assert Lease.objects.get(holder=bob).state == "ended"


def test_every_membership_that_was_lent_ends_and_none_that_was_there_before(root: Client) -> None:
    bob, _ = person("bob")
    teams = {name: Team.objects.create(name=name) for name in ("dba", "web", "staff")}
    teams["staff"].members.add(bob)
    made = item(root, lease_days=5, form={"type": "object", "properties": {}})
    for team in teams.values():
        body = {"item": made["id"], "title": "Let them in", "member_of": team.pk}
        call(root, "post", "catalog-tasks", body, 201)
    call(root, "post", "orders", {"item": made["id"], "person": "bob"}, 201)
    work()
    assert set(bob.teams.values_list("name", flat=True)) == set(teams)
    assert set(Lease.objects.values_list("team__name", flat=True)) == {"dba", "web"}
    later(days=6)
    assert set(bob.teams.values_list("name", flat=True)) == {"staff"}
    assert set(Lease.objects.values_list("state", flat=True)) == {"ended"}


def test_what_is_lent_for_longer_only_with_approval_is_not_where_nobody_is_asked(root: Client) -> None:
    bob, bobs = person("bob")
    now = timezone.now()
    lease = Lease.objects.create(
        holder=bob, what="Van", extension_approved=True, until=now + dt.timedelta(days=1)
    )
    longer = {"until": (now + dt.timedelta(days=900)).isoformat()}
    assert "approval" in call(bobs, "post", f"leases/{lease.pk}/extend", longer, 409)["detail"]
    lease.refresh_from_db()
    assert lease.until == now + dt.timedelta(days=1)
    call(root, "post", f"leases/{lease.pk}/extend", longer)


def test_what_is_for_a_team_is_seen_and_ordered_by_its_members_only(root: Client) -> None:
    bob, bobs = person("bob")
    _, eves = person("eve")
    team = Team.objects.create(name="dba")
    team.members.add(bob)
    made = item(root, teams=[team.pk], form={"type": "object", "properties": {}})
    assert [i["id"] for i in call(bobs, "get", "catalog-items")["results"]] == [made["id"]]
    assert call(eves, "get", "catalog-items")["results"] == []
    call(eves, "get", f"catalog-items/{made['id']}", status=404)
    assert "item" in call(eves, "post", "orders", {"item": made["id"]}, 400)["errors"]
    order = call(bobs, "post", "orders", {"item": made["id"]}, 201)
    call(eves, "get", f"orders/{order['id']}", status=404)
    assert eves.get("/api/search/", {"q": "Server"}).json()["kinds"] == []


def test_a_cancelled_order_takes_back_what_was_given_and_so_does_its_ticket(root: Client) -> None:
    bob, bobs = person("bob")
    team = Team.objects.create(name="dba")
    made = item(root, form={"type": "object", "properties": {}})
    call(
        root, "post", "catalog-tasks", {"item": made["id"], "title": "Let them in", "member_of": team.pk}, 201
    )
    call(root, "post", "catalog-tasks", {"item": made["id"], "step": 2, "title": "Teach them"}, 201)
    order = call(bobs, "post", "orders", {"item": made["id"]}, 201)
    work()
    assert team.members.filter(pk=bob.pk).exists()
    call(root, "post", f"tickets/{order['ticket']}/cancel")
    work()
    assert not team.members.filter(pk=bob.pk).exists()
    assert call(bobs, "get", f"orders/{order['id']}")["state"] == "cancelled"
    assert [t["state"] for t in _tasks(root, order)] == ["done", "skipped"]
    call(bobs, "post", f"orders/{order['id']}/cancel", status=409)
