"""Changes that are altered after they were approved or scheduled: who is asked then, and what of it still holds."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains.approving import answer, as_, call, make_people, work
from tests.domains.test_changes import HOUR, act, approve, plan, service
from watchkeeper.domains.access.models import Role, Team
from watchkeeper.domains.approvals.models import ApprovalRequest, Vote
from watchkeeper.domains.changes import approving
from watchkeeper.domains.changes.models import Change, ChangeModel
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice
from watchkeeper.kernel.models import OutboxRow


@pytest.fixture
def people(db: None) -> dict[str, User]:  # noqa: ARG001
    """Ann and bea are a team and may work on changes; cleo and dora approve."""
    found = make_people()
    User.objects.filter(username__in=("ann", "bea")).update(is_administrator=True)
    Team.objects.create(name="net").members.set([found["ann"], found["bea"]])
    return {name: User.objects.get(pk=person.pk) for name, person in found.items()}


@pytest.fixture
def ann(people: dict[str, User]) -> Client:
    """The author."""
    return as_(people["ann"])


def asked() -> set[str]:
    """Who has something to answer."""
    return set(Vote.objects.filter(answer="open").values_list("approver__username", flat=True))


def approved(ann: Client, people: Any, *items: str, **more: Any) -> dict[str, Any]:
    """One that its peer has approved."""
    made = plan(ann, *items, **more)
    act(ann, made, "assess")
    act(ann, made, "ask")
    approve(people, made)
    return made


def now(client: Client, made: dict[str, Any]) -> dict[str, Any]:
    """As it is."""
    found: dict[str, Any] = call(client, "get", f"changes/{made['id']}")
    return found


def test_altered_to_be_riskier_it_is_asked_of_those_who_approve_that_risk(ann: Client, people: Any) -> None:
    """Its risk is measured anew before anybody is asked."""
    call(ann, "post", "change-approval-rules", {"name": "CAB", "risk": "medium", "people": ["cleo"]}, 201)
    core = service(ann, "core")
    for n in range(12):
        service(ann, f"shop{n}", core)
    made = approved(ann, people, service(ann, "edge"))
    assert now(ann, made)["risk"] == "low"
    call(ann, "patch", f"changes/{made['id']}", {"items": [core]})
    work()
    assert (now(ann, made)["status"], now(ann, made)["risk"], asked()) == ("waiting", "medium", {"cleo"})
    assert "risk medium" in ApprovalRequest.objects.get(state="waiting").text


@pytest.mark.parametrize("later", [False, True])
def test_whoever_has_altered_it_does_not_approve_it(ann: Client, people: Any, later: bool) -> None:
    """Also when somebody else alters it too before anybody is asked, or after."""
    rule = {"name": "CAB", "risk": "low", "people": ["bea", "cleo"]}
    call(ann, "post", "change-approval-rules", rule, 201)
    bea = as_(people["bea"])
    made = approved(ann, people, service(ann, "db"))
    call(bea, "patch", f"changes/{made['id']}", {"implementation": "1. Wipe it"})
    if later:
        work()
        assert asked() == {"cleo"}
    call(ann, "patch", f"changes/{made['id']}", {"test": "Read it twice"})
    work()
    assert (now(ann, made)["status"], asked()) == ("waiting", {"cleo"})
    assert answer(people["cleo"], ApprovalRequest.objects.get(state="waiting")) == 200
    work()
    call(bea, "patch", f"changes/{made['id']}", {"title": "Replace it"})  # not what is approved
    call(ann, "patch", f"changes/{made['id']}", {"implementation": "1. Replace it"})
    work()
    assert asked() == {"bea", "cleo"}, "what was approved since is not hers any more"


def test_nor_by_a_token_or_as_somebody_s_delegate(ann: Client, people: Any) -> None:
    """It is the person who counts, whatever they called with."""
    from watchkeeper.domains import identity

    rule = {"name": "CAB", "risk": "low", "people": ["bea", "cleo"]}
    call(ann, "post", "change-approval-rules", rule, 201)
    made = approved(ann, people, service(ann, "db"))
    token = identity.create_token("bea's", "write", user=people["bea"])
    robot = Client(headers={"authorization": f"Bearer {token}"})
    call(robot, "patch", f"changes/{made['id']}", {"implementation": "1. Wipe it"})
    work()
    assert asked() == {"cleo"}
    Vote.objects.filter(answer="open").update(delegate=people["bea"])
    request = ApprovalRequest.objects.get(state="waiting")
    assert answer(people["bea"], request, of=people["cleo"]) == 403


def test_with_nobody_left_who_could_approve_it_goes_back_to_draft(ann: Client, people: Any) -> None:
    """And is asked for again from there."""
    made = approved(ann, people)
    call(as_(people["bea"]), "patch", f"changes/{made['id']}", {"implementation": "1. Wipe it"})
    work()
    assert (now(ann, made)["status"], asked()) == ("draft", set())


def test_why_it_may_be_done_in_a_freeze_is_approved_too(ann: Client, people: Any) -> None:
    """Whoever approves reads it, and when it is altered they are asked again."""
    made = approved(ann, people, type="emergency", exception="the disk fails")
    assert "the disk fails" in ApprovalRequest.objects.get().text
    call(ann, "patch", f"changes/{made['id']}", {"exception": "I am on leave tomorrow"})
    work()
    assert now(ann, made)["status"] == "waiting"
    assert "on leave" in ApprovalRequest.objects.get(state="waiting").text


def standard(ann: Client, **more: Any) -> dict[str, Any]:
    """A standard change that is assessed."""
    plans = {"implementation": "reboot it", "back_out": "none needed", "test": "log in"}
    model = call(ann, "post", "change-models", {"name": "reboot", **plans}, 201)["id"]
    made = plan(ann, **{"type": "standard", "model": model, **plans, **more})
    act(ann, made, "assess")
    return made


def test_a_standard_change_that_is_done_in_another_way_is_approved_like_any_other(
    ann: Client, people: Any
) -> None:
    """In advance only what its model says is."""
    made = standard(ann, implementation="reinstall it")
    act(ann, made, "pre-approve", {}, 409)
    act(ann, made, "ask")
    approve(people, made)
    assert now(ann, made)["status"] == "approved"
    assert act(ann, made, "schedule")["status"] == "scheduled"
    assert act(ann, made, "start")["status"] == "in_progress"


def test_its_window_keeps_both_its_ends_once_it_is_no_draft(ann: Client, people: Any) -> None:
    """Nobody could approve it without."""
    made = approved(ann, people)
    for end in ("starts_at", "ends_at"):
        assert end in call(ann, "patch", f"changes/{made['id']}", {end: None}, 400)["errors"]
    assert now(ann, made)["status"] == "approved"
    act(ann, made, "redraft")
    call(ann, "patch", f"changes/{made['id']}", {"ends_at": None})


def test_without_a_window_it_is_not_scheduled_and_says_so(ann: Client) -> None:
    """As those are that lost an end of it before that was refused."""
    made = standard(ann)
    act(ann, made, "pre-approve")
    Change.objects.update(ends_at=None)
    assert "window" in act(ann, made, "schedule", {}, 409)["detail"]


def test_when_it_cannot_be_asked_anew_what_was_asked_still_stands(
    ann: Client, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it or nothing, so that the next attempt does it."""
    made = approved(ann, people)
    text_of = approving.text_of
    monkeypatch.setattr(approving, "text_of", lambda _: 1 / 0)
    call(ann, "patch", f"changes/{made['id']}", {"implementation": "1. Replace both"})
    with suppress(ZeroDivisionError):
        work()
    assert (now(ann, made)["status"], ApprovalRequest.objects.get().state) == ("approved", "approved")
    monkeypatch.setattr(approving, "text_of", text_of)
    OutboxRow.objects.filter(kind="event").update(state="due", due_at=timezone.now())
    work()
    assert (now(ann, made)["status"], asked()) == ("waiting", {"bea"})


def scheduled(ann: Client, **more: Any) -> dict[str, Any]:
    """A standard change that is scheduled."""
    made = standard(ann, **more)
    act(ann, made, "pre-approve")
    done: dict[str, Any] = act(ann, made, "schedule", {"despite": True})
    return done


def window(hours: int) -> dict[str, str]:
    """From so many hours from now, for an hour."""
    begins = timezone.now() + hours * HOUR
    return {"starts_at": begins.isoformat(), "ends_at": (begins + HOUR).isoformat()}


def test_moved_it_starts_by_itself_when_its_new_window_begins(ann: Client) -> None:
    """It is scheduled again with it."""
    made = scheduled(ann, automatic=True, **window(5))
    moved = call(ann, "patch", f"changes/{made['id']}", window(0))
    assert moved["status"] == "scheduled"
    work()
    assert now(ann, made)["status"] == "in_progress"


def test_also_when_its_window_has_begun_and_it_did_not_start_by_itself_yet(ann: Client) -> None:
    """Its owner was told that it begins; now it is to start by itself."""
    made = scheduled(ann, **window(0))
    work()
    assert now(ann, made)["status"] == "scheduled"
    call(ann, "patch", f"changes/{made['id']}", {"automatic": True})
    work()
    assert now(ann, made)["status"] == "in_progress"


def test_moved_onto_what_another_touches_it_is_scheduled_no_more_and_its_owner_is_told(
    ann: Client, people: Any
) -> None:
    """Until somebody says that it is all the same."""
    db = service(ann, "db")
    other = approved(ann, people, db)
    made = scheduled(ann)
    assert call(ann, "patch", f"changes/{made['id']}", {"title": "Reboot"})["status"] == "scheduled"
    moved = call(ann, "patch", f"changes/{made['id']}", {"items": [db]})
    assert moved["status"] == "approved"
    told = Notice.objects.filter(user=people["ann"], text__contains="is not scheduled any more")
    assert f"{other['number']} touches db" in told.get().text
    assert act(ann, made, "schedule", {"despite": True})["status"] == "scheduled"


def test_moved_into_a_freeze_it_is_scheduled_no_more(ann: Client) -> None:
    """As it could not have been."""
    at = timezone.now()
    freeze = {
        "name": "Easter",
        "begins_at": (at + 3 * HOUR).isoformat(),
        "ends_at": (at + 9 * HOUR).isoformat(),
    }
    call(ann, "post", "freezes", freeze, 201)
    made = scheduled(ann)
    assert call(ann, "patch", f"changes/{made['id']}", window(5))["status"] == "approved"


def test_who_may_not_start_its_job_does_not_let_it_start_by_itself(ann: Client, people: Any) -> None:
    """Also when that is said after it was scheduled."""
    made = scheduled(ann)
    ChangeModel.objects.update(job="backup")
    call(ann, "patch", f"changes/{made['id']}", {"job": "backup"})
    role = Role.objects.get(name="operations manager")
    people["dora"].grants.create(role=role, reason="a test", valid_from=timezone.now())
    dora = as_(people["dora"])
    assert now(ann, made)["status"] == "scheduled"
    assert call(dora, "patch", f"changes/{made['id']}", {"automatic": True})["status"] == "approved"
    assert "policies" in Notice.objects.get(text__contains="not scheduled any more").text
    act(dora, made, "schedule", {}, 403)
    assert act(ann, made, "schedule")["status"] == "scheduled"
