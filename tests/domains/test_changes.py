"""Changes over their life: risk from the graph, approvals bound to the version, freezes, collisions, windows and reviews."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains.approving import answer, as_, call, make_people, work
from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Role, Team
from watchkeeper.domains.approvals.models import ApprovalRequest, Vote
from watchkeeper.domains.changes import telling
from watchkeeper.domains.changes.models import Change
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice
from watchkeeper.domains.maintenance.models import MaintenanceWindow
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.model.doors import CHANGES, ITEM

JSON = "application/json"
HOUR = dt.timedelta(hours=1)


def service(root: Client, name: str, *needs: str) -> str:
    """A service that needs these."""
    made = call(root, "post", "items", {"name": name, "kind": "service"}, 201)["id"]
    for other in needs:
        call(root, "post", "relations", {"source": made, "kind": "depends_on", "target": other}, 201)
    return str(made)


@pytest.fixture
def people(db: None) -> dict[str, User]:  # noqa: ARG001
    """Four people with accounts."""
    return make_people()


@pytest.fixture
def ann(people: dict[str, User]) -> Client:
    """An author who may work on changes; bea is in her team."""
    people["ann"].is_administrator = True
    people["ann"].save()
    Team.objects.create(name="net").members.set([people["ann"], people["bea"]])
    return as_(people["ann"])


def plan(ann: Client, *items: str, **more: Any) -> dict[str, Any]:
    """A change with everything that it needs, from now for an hour."""
    now = timezone.now()
    body = {
        "title": "Replace the disk", "items": list(items), "implementation": "1. Replace it", "test": "Read it",
        "back_out": "Put the old one back", "starts_at": now.isoformat(), "ends_at": (now + HOUR).isoformat(),
        "team": Team.objects.get(name="net").pk, **more,
    }  # fmt: skip
    made: dict[str, Any] = call(ann, "post", "changes", body, 201)
    return made


def act(client: Client, made: dict[str, Any], name: str, body: Any = None, status: int = 200) -> Any:
    """Do something with a change."""
    return call(client, "post", f"changes/{made['id']}/{name}", body, status)


def approve(people: Any, made: dict[str, Any]) -> None:
    """Its peer approves it."""
    request = ApprovalRequest.objects.get(kind="changes", record=str(made["id"]), state="waiting")
    assert answer(people["bea"], request) == 200
    work()


def scheduled(ann: Client, people: Any, *items: str, **more: Any) -> dict[str, Any]:
    """One that may start."""
    made = plan(ann, *items, **more)
    act(ann, made, "assess")
    act(ann, made, "ask")
    approve(people, made)
    done: dict[str, Any] = act(ann, made, "schedule", {"despite": True})
    return done


def test_who_approves_is_said_by_the_rules_and_not_by_who_asks(ann: Client, people: Any) -> None:
    """Neither before they were asked, nor instead of whom they named."""
    call(ann, "post", "change-approval-rules", {"name": "CAB", "risk": "low", "people": ["cleo"]}, 201)
    made = plan(ann, service(ann, "db"))
    mine = {"kind": "changes", "record": str(made["id"]), "subject": "Please", "people": ["dora"]}
    assert "rules" in call(ann, "post", "approval-requests", mine, 409)["detail"]
    act(ann, made, "assess")
    act(ann, made, "ask")
    request = ApprovalRequest.objects.get()
    call(ann, "post", f"approval-requests/{request.pk}/withdraw", status=409)
    assert answer(people["cleo"], request) == 200
    work()
    assert call(ann, "get", f"changes/{made['id']}")["status"] == "approved"


def test_whoever_asks_is_not_asked_themselves(ann: Client, people: Any) -> None:
    """Neither when a service account of theirs has asked, nor when somebody else is its owner after."""
    asked = lambda: set(Vote.objects.filter(answer="open").values_list("approver__username", flat=True))  # noqa: E731
    robot = User.objects.create(username="robot", kind="service", owner=people["ann"])
    role = Role.objects.get(name="operations manager")
    robot.grants.create(role=role, reason="a test", valid_from=timezone.now())
    token = identity.create_token("robot's", "write", user=robot)
    made = plan(ann, service(ann, "db"))
    act(ann, made, "assess")
    act(Client(headers={"authorization": f"Bearer {token}"}), made, "ask")
    assert asked() == {"bea"}
    more = {"owner": "dora", "implementation": "1. Do something else"}
    call(ann, "patch", f"changes/{made['id']}", more)
    work()
    assert call(ann, "get", f"changes/{made['id']}")["status"] == "waiting"
    assert asked() == {"bea"}


def test_its_risk_says_what_depends_on_it_and_why_it_is_what_it_is(ann: Client) -> None:
    db = service(ann, "db")
    for n in range(5):
        service(ann, f"shop{n}", db)
    made = plan(ann, db, back_out="")
    assessed = act(ann, made, "assess")
    assert assessed["because"] == [
        "+2: 5 depend on db",
        "+2: there is no back-out plan",
        "+1: nothing like it was done before",
    ]
    assert (assessed["risk"], assessed["points"], assessed["status"]) == ("medium", 5, "assessed")


def test_past_failures_of_like_changes_count(ann: Client) -> None:
    db = service(ann, "db")
    for status in ("failed", "closed"):
        Change.objects.create(title="before", status=status).items.add(db)
    assert "+3: 1 of 2 changes like it went wrong" in act(ann, plan(ann, db), "assess")["because"]
    other = act(ann, plan(ann, service(ann, "shop")), "assess")
    assert "+3: 1 of 2 changes like it went wrong" in other["because"], "of other items of the kind"


def test_what_was_approved_is_bound_to_plan_items_and_window(ann: Client, people: Any) -> None:
    made = plan(ann, service(ann, "db"))
    act(ann, made, "assess")
    act(ann, made, "schedule", {"despite": True}, 409)
    assert act(ann, made, "ask")["status"] == "waiting"
    assert call(ann, "get", f"changes/{made['id']}")["risk"] == "low"
    approve(people, made)
    assert call(ann, "get", f"changes/{made['id']}")["status"] == "approved"
    call(ann, "patch", f"changes/{made['id']}", {"title": "Replace the disk of db"})
    work()
    assert call(ann, "get", f"changes/{made['id']}")["status"] == "approved", (
        "its title is not what was approved"
    )
    call(ann, "patch", f"changes/{made['id']}", {"implementation": "1. Replace both"})
    act(ann, made, "schedule", {}, 409)
    work()
    assert call(ann, "get", f"changes/{made['id']}")["status"] == "waiting", "it is asked anew"
    approve(people, made)
    assert call(ann, "get", f"changes/{made['id']}")["status"] == "approved"


def test_back_in_draft_it_is_asked_for_again_also_when_nothing_has_changed(ann: Client, people: Any) -> None:
    made = scheduled(ann, people)
    assert act(ann, made, "redraft")["status"] == "draft"
    act(ann, made, "assess")
    assert act(ann, made, "ask")["status"] == "waiting"
    approve(people, made)
    assert call(ann, "get", f"changes/{made['id']}")["status"] == "approved"


def test_who_declines_sends_it_back(ann: Client, people: Any) -> None:
    made = plan(ann)
    act(ann, made, "assess")
    act(ann, made, "ask")
    assert answer(people["bea"], ApprovalRequest.objects.get(), "decline", note="no test") == 200
    work()
    assert call(ann, "get", f"changes/{made['id']}")["status"] == "draft"


def test_a_rule_says_who_approves_a_risk(ann: Client, people: Any) -> None:
    board = Team.objects.create(name="change board")
    board.members.set([people["cleo"], people["dora"]])
    rule = {"name": "board", "risk": "medium", "teams": [board.pk], "quorum": 2}
    call(ann, "post", "change-approval-rules", rule, 201)
    made = plan(ann, back_out="", test="")
    act(ann, made, "assess")
    act(ann, made, "ask")
    request = ApprovalRequest.objects.get()
    assert answer(people["cleo"], request) == answer(people["dora"], request) == 200
    work()
    assert call(ann, "get", f"changes/{made['id']}")["status"] == "approved"


def test_in_a_freeze_only_an_emergency_with_a_reason_is_scheduled(ann: Client, people: Any) -> None:
    now = timezone.now()
    freeze = {
        "name": "Christmas",
        "begins_at": (now - HOUR).isoformat(),
        "ends_at": (now + 9 * HOUR).isoformat(),
    }
    call(ann, "post", "freezes", freeze, 201)
    made = plan(ann)
    act(ann, made, "assess")
    act(ann, made, "ask")
    approve(people, made)
    assert "Christmas" in act(ann, made, "schedule", {}, 409)["detail"]
    call(ann, "patch", f"changes/{made['id']}", {"type": "emergency", "exception": "the disk fails"})
    work()
    approve(people, made)
    assert act(ann, made, "schedule", {})["status"] == "scheduled"


def test_a_freeze_for_some_kinds_is_about_these_only(ann: Client) -> None:
    now = timezone.now()
    freeze = {"name": "network", "begins_at": (now - HOUR).isoformat(), "ends_at": (now + HOUR).isoformat()}
    call(ann, "post", "freezes", {**freeze, "item_kinds": "switch"}, 201)
    made = plan(ann, service(ann, "db"))
    assert not [b for b in act(ann, made, "assess")["because"] if "freeze" in b]


def test_others_that_touch_what_depends_on_it_are_shown_before_it_is_scheduled(
    ann: Client, people: Any
) -> None:
    db = service(ann, "db")
    shop = service(ann, "shop", db)
    first = scheduled(ann, people, db)
    made = plan(ann, shop)
    act(ann, made, "assess")
    act(ann, made, "ask")
    approve(people, made)
    refused = act(ann, made, "schedule", {}, 400)
    assert refused["errors"] == {
        "despite": [f"{first['number']} touches db, which is needed by shop, in the same window"]
    }
    assert act(ann, made, "schedule", {"despite": True})["status"] == "scheduled"


def test_in_progress_it_holds_alerts_back_and_tells_analysis_and_its_end_ends_that(
    ann: Client, people: Any
) -> None:
    db = service(ann, "db")
    made = scheduled(ann, people, db)
    started = act(ann, made, "start")
    window = call(ann, "get", f"maintenance-windows/{started['window']}")
    assert (window["state"], window["items"]) == ("running", [db])
    told = OutboxRow.objects.get(kind=telling.KIND)
    (row,) = telling.rows(told.payload, "http://here/").to_pylist()
    assert (row["kind"], row["door"], json.loads(row["labels"])) == ("change", CHANGES, {ITEM: db})
    assert row["name"] == f"change {made['number']} Replace the disk began"
    call(ann, "patch", f"changes/{made['id']}", {"implementation": "other"}, 409)
    failed = act(ann, made, "fail", {"note": "it did not fit"})
    assert (failed["status"], failed["review"]) == ("failed", "it did not fit")
    assert MaintenanceWindow.objects.get(pk=started["window"]).ends_at < timezone.now() + HOUR / 2
    act(ann, made, "close", {}, 409)
    act(ann, made, "review", {"outcome": "failure", "notes": "measure first"})
    assert act(ann, made, "close")["status"] == "closed"


def test_it_starts_by_itself_in_its_window_if_that_is_said(ann: Client, people: Any) -> None:
    made = scheduled(ann, people, automatic=True)
    work()
    assert call(ann, "get", f"changes/{made['id']}")["status"] == "in_progress"
    other = scheduled(ann, people)
    work()
    assert call(ann, "get", f"changes/{other['id']}")["status"] == "scheduled"
    text = f"The window of {other['number']} Replace the disk begins."
    assert Notice.objects.filter(user=people["ann"], text=text).exists()


def test_a_standard_change_is_approved_as_its_model_describes_it(ann: Client) -> None:
    model = call(
        ann,
        "post",
        "change-models",
        {"name": "reboot", "implementation": "reboot it", "back_out": "none needed"},
        201,
    )
    now = timezone.now()
    body = {"title": "reboot db", "type": "standard", "model": model["id"], "starts_at": now.isoformat()}
    made = call(ann, "post", "changes", body, 201)
    assert made["implementation"] == "reboot it" and made["ends_at"]
    act(ann, made, "assess")
    call(ann, "patch", f"changes/{made['id']}", {"implementation": "reinstall it"})
    act(ann, made, "pre-approve", {}, 409)
    call(ann, "patch", f"changes/{made['id']}", {"implementation": "reboot it"})
    assert act(ann, made, "pre-approve")["status"] == "approved"
    assert act(ann, made, "schedule")["status"] == "scheduled"
    assert act(ann, made, "start")["status"] == "in_progress"
