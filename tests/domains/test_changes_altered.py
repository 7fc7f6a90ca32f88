"""Changes that are altered after they were approved or scheduled: who is asked then, and what of it still holds."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.domains.approving import answer, as_, call, make_people, work
from tests.domains.test_changes import act, approve, plan, service
from watchkeeper.domains.access.models import Team
from watchkeeper.domains.approvals.models import ApprovalRequest, Vote
from watchkeeper.domains.identity.models import User


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
