"""Approvals over their life: steps, quorums, who may answer, what they are bound to, and what time does to them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests.domains.approving import acting, answer, as_, client, make_people, work
from watchkeeper.domains import approvals
from watchkeeper.domains.access.models import Team
from watchkeeper.domains.approvals import rules
from watchkeeper.domains.approvals.binding import fingerprint_of
from watchkeeper.domains.approvals.models import ApprovalRequest, Step, Vote
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice
from watchkeeper.domains.inventory.models import Item
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.hanging import subject
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.problems import Refused

JSON = "application/json"


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    """A client that may do everything."""
    return client()


@pytest.fixture
def people(db: None) -> dict[str, User]:  # noqa: ARG001
    """Four people with accounts."""
    return make_people()


@pytest.fixture
def site(root: Client) -> str:
    """A record that somebody has to approve."""
    answer = root.post("/api/sites/", json.dumps({"name": "attic"}), content_type=JSON)
    return str(answer.json()["id"])


def ask(person: User, site: str, *steps: rules.Asked, **more: Any) -> ApprovalRequest:
    """Ask about the site as this person."""
    resource, record = subject("sites", site)
    return approvals.ask(
        acting(person), record, steps, fingerprint_of(resource, record), "close the attic", **more
    )


def state(request: ApprovalRequest) -> str:
    """As it is now."""
    request.refresh_from_db()
    return request.state


def test_steps_come_one_after_the_other_and_a_team_answers_with_its_quorum(people: Any, site: str) -> None:
    board = Team.objects.create(name="board")
    board.members.set([people["ann"], people["cleo"], people["dora"]])
    request = ask(
        people["ann"],
        site,
        rules.Asked("peer", [people["bea"]]),
        rules.Asked("board", teams=[board], quorum=2),
    )
    assert list(Vote.objects.values_list("approver__username", flat=True)) == ["bea"]
    assert answer(people["bea"], request) == 200
    asked = Vote.objects.filter(step__name="board").order_by("approver__username")
    assert [v.approver.username for v in asked] == ["cleo", "dora"], "who asks is not asked"
    assert answer(people["cleo"], request) == 200
    assert state(request) == "waiting"
    assert answer(people["dora"], request) == 200
    assert state(request) == "approved"
    work()
    assert Notice.objects.filter(user=people["ann"], text="Approved: close the attic").count() == 1


def test_one_who_declines_ends_it_with_a_reason_and_the_others_need_not_answer(
    people: Any, site: str
) -> None:
    request = ask(people["ann"], site, rules.Asked("all", [people["bea"], people["cleo"]], quorum=rules.ALL))
    assert answer(people["bea"], request, "decline", note="") == 400
    assert answer(people["bea"], request, "decline", note="not this week") == 200
    assert state(request) == "declined"
    assert answer(people["cleo"], request) == 409
    notice = Notice.objects.get(user=people["ann"])
    assert (notice.text, notice.why) == ("bea declined: close the attic", "not this week")


def test_nobody_approves_what_they_ask_for_themselves_unless_that_is_said(people: Any, site: str) -> None:
    with pytest.raises(Refused, match="nobody could approve it"):
        ask(people["ann"], site, rules.Asked("self", [people["ann"]]))
    assert not ApprovalRequest.objects.exists()
    request = ask(people["ann"], site, rules.Asked("self", [people["ann"]]), own=True)
    assert answer(people["ann"], request) == 200
    assert state(request) == "approved"


def test_nobody_answers_who_was_not_asked_and_strangers_do_not_see_it(people: Any, site: str) -> None:
    request = ask(people["ann"], site, rules.Asked("peer", [people["bea"]]))
    assert answer(people["cleo"], request, of=people["bea"]) in (403, 404)
    assert state(request) == "waiting"


def test_an_approval_holds_for_what_was_approved_and_is_asked_anew_after_a_change(
    root: Client, people: Any, site: str
) -> None:
    request = ask(people["ann"], site, rules.Asked("peer", [people["bea"]]))
    assert answer(people["bea"], request) == 200
    resource, record = subject("sites", site)
    assert approvals.state_of(record, fingerprint_of(resource, record)) == "approved"
    assert ask(people["ann"], site, rules.Asked("peer", [people["bea"]])) == request, "it holds"
    root.patch(f"/api/sites/{site}/", json.dumps({"facility": "and the cellar"}), content_type=JSON)
    resource, record = subject("sites", site)
    assert approvals.state_of(record, fingerprint_of(resource, record)) == "changed"
    work()
    assert state(request) == "outdated"
    anew = ApprovalRequest.objects.get(state="waiting")
    assert answer(people["bea"], anew) == 200
    assert approvals.state_of(record, fingerprint_of(resource, record)) == "approved"


def test_who_was_asked_about_something_else_meanwhile_cannot_answer(
    root: Client, people: Any, site: str
) -> None:
    request = ask(people["ann"], site, rules.Asked("peer", [people["bea"]]))
    root.patch(f"/api/sites/{site}/", json.dumps({"facility": "and the cellar"}), content_type=JSON)
    assert answer(people["bea"], request) == 409


def test_a_delegate_answers_from_the_beginning_of_the_delegation_to_its_end(people: Any, site: str) -> None:
    request = ask(people["ann"], site, rules.Asked("peer", [people["bea"]]))
    now = timezone.now()
    body = {
        "delegate": "cleo",
        "begins_at": now.isoformat(),
        "ends_at": (now + dt.timedelta(days=1)).isoformat(),
    }
    bea = as_(people["bea"])
    assert (
        bea.post("/api/delegations/", json.dumps({**body, "person": "dora"}), content_type=JSON).status_code
        == 403
    )
    made = bea.post("/api/delegations/", json.dumps(body), content_type=JSON)
    assert made.status_code == 201, made.content
    assert Notice.objects.filter(user=people["cleo"], why="You answer for bea.").exists()
    assert bea.delete(f"/api/delegations/{made.json()['id']}/").status_code == 204
    assert answer(people["cleo"], request, of=people["bea"]) in (403, 404)
    assert bea.post("/api/delegations/", json.dumps(body), content_type=JSON).status_code == 201
    assert answer(people["cleo"], request, of=people["bea"]) == 200
    vote = Vote.objects.get()
    assert (vote.answer, vote.answered_by, vote.approver) == ("approved", "cleo", people["bea"])


def delegate(person: User, to: str) -> None:
    """They answer for this person from now on."""
    now = timezone.now()
    body = {"delegate": to, "begins_at": now.isoformat(), "ends_at": (now + dt.timedelta(days=1)).isoformat()}
    made = as_(person).post("/api/delegations/", json.dumps(body), content_type=JSON)
    assert made.status_code == 201, made.content


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_one_person_is_not_two_of_a_quorum(people: Any, site: str, before: bool) -> None:
    """Neither who is asked as well, nor a third person to whom two delegate."""
    both = rules.Asked("peer", [people["bea"], people["cleo"]], quorum=2)
    if before:
        delegate(people["bea"], "cleo")
    request = ask(people["ann"], site, both)
    if not before:
        delegate(people["bea"], "cleo")
    assert answer(people["cleo"], request) == 200
    assert answer(people["cleo"], request, of=people["bea"]) in (403, 404, 409)
    assert state(request) == "waiting"
    assert answer(people["bea"], request) == 200
    assert state(request) == "approved"


def test_two_who_delegate_to_one_still_give_one_answer_by_them(people: Any, site: str) -> None:
    delegate(people["bea"], "dora")
    delegate(people["cleo"], "dora")
    request = ask(people["ann"], site, rules.Asked("peer", [people["bea"], people["cleo"]], quorum=2))
    said = [answer(people["dora"], request, of=people[n]) for n in ("bea", "cleo")]
    assert sorted(said)[0] == 200 and sorted(said)[1] in (403, 404, 409)
    assert state(request) == "waiting"


def test_who_has_answered_for_another_is_not_counted_again_when_they_are_asked_later(
    people: Any, site: str
) -> None:
    delegate(people["bea"], "cleo")
    two = rules.Asked(
        "peer", [people["bea"], people["dora"]], quorum=2, hours=4, then_people=[people["cleo"]]
    )
    request = ask(people["ann"], site, two)
    assert answer(people["cleo"], request, of=people["bea"]) == 200
    for _ in (1, 2):
        OutboxRow.objects.filter(kind="approval-step", state="due").update(due_at=timezone.now())
        work()
    assert answer(people["cleo"], request) == 409
    assert state(request) == "waiting"


def test_who_does_not_answer_is_reminded_and_then_others_are_asked(people: Any, site: str) -> None:
    request = ask(
        people["ann"], site, rules.Asked("peer", [people["bea"]], hours=4, then_people=[people["dora"]])
    )
    for round_ in (1, 2):
        OutboxRow.objects.filter(kind="approval-step", state="due").update(due_at=timezone.now())
        work()
        assert Notice.objects.filter(user=people["bea"], event__endswith=f":due:{round_}").count() == 1
    assert set(Vote.objects.values_list("approver__username", flat=True)) == {"bea", "dora"}
    assert answer(people["dora"], request) == 200
    OutboxRow.objects.filter(kind="approval-step", state="due").update(due_at=timezone.now())
    work()
    assert not Notice.objects.filter(event__endswith=":due:3").exists(), "it is answered"


def test_what_is_removed_need_not_be_approved(root: Client, people: Any, site: str) -> None:
    request = ask(people["ann"], site, rules.Asked("peer", [people["bea"]]))
    assert root.delete(f"/api/sites/{site}/").status_code == 204
    Item.objects.filter(pk=site).delete()
    work()
    assert state(request) == "withdrawn"
    assert SYSTEM.name and Step.objects.get().state == "not_needed"


@given(st.integers(0, 6), st.lists(st.sampled_from(["open", "approved", "declined"]), max_size=6))
def test_a_step_is_approved_by_enough_and_by_no_fewer(quorum: int, answers: list[str]) -> None:
    outcome = rules.outcome(quorum, answers)
    if outcome == "approved":
        assert answers.count("approved") >= rules.needed(quorum, len(answers))
        assert "declined" not in answers
    elif outcome == "":
        assert "declined" not in answers
        one_more = answers.count("approved") + answers.count("open")
        assert not answers or one_more >= rules.needed(quorum, len(answers)), "it could still be approved"
    else:
        assert "declined" in answers
