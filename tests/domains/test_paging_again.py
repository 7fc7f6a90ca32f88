"""Whoever was told of a situation is told again when it has become graver or has opened again, not when it only changes."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains import paging_setup as setup
from tests.domains.analysis_structs import alert
from tests.domains.paging_setup import (
    ACKNOWLEDGE,
    World,
    call,
    pass_time,
    person,
    policy,
    receiver,
    told,
    work,
)
from tests.kernel.receivers import Got
from watchkeeper.domains.oncall.paging import again, beginning
from watchkeeper.domains.oncall.paging.models import Escalation, PageDelivery
from watchkeeper.domains.situations import AnalysisWriter
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.model.act import Act
from watchkeeper.model.verdicts import Severity

__all__ = ["receiver"]
pytestmark = pytest.mark.django_db
WARNING, ERROR, CRITICAL = Severity.WARNING, Severity.ERROR, Severity.CRITICAL


@pytest.fixture
def root(db: None, receiver: Got) -> Client:  # noqa: ARG001
    """A client that may do everything; there are Ann, Bob and Cid."""
    client = setup.root()
    for name in ("ann", "bob", "cid"):
        person(client, name, receiver.url)
    return client


@pytest.fixture
def world(root: Client) -> World:
    """Warnings and what is worse: Ann has five minutes, then Bob has."""
    policy(root, {"people": ["ann"]}, {"people": ["bob"]}, rule={"min_severity": "warning"})
    return World()


def states() -> list[str]:
    """Of escalations, in the order in which they began."""
    return [str(e.state) for e in Escalation.objects.order_by("pk")]


def test_a_warning_that_quiet_hours_hold_is_told_at_once_when_it_becomes_critical(
    root: Client, world: World, receiver: Got
) -> None:
    quiet = {"person": "ann", "zone": "UTC", "begins": "00:00:00", "ends": "23:59:59"}
    call(root, "post", "quiet-hours", quiet, 201)
    world.write(severity=WARNING)
    pass_time()
    assert told(receiver) == []
    world.write(severity=CRITICAL)
    pass_time()
    assert told(receiver) == ["ann"]
    sent = json.loads(receiver.requests[0][2])["data"]
    assert (sent["severity"], sent["urgency"]) == ("critical", "high")
    OutboxRow.objects.filter(state="due").update(due_at=timezone.now())
    work()
    assert told(receiver) == ["ann"]
    assert sorted(PageDelivery.objects.values_list("state", flat=True)) == ["delivered", "given_up"]


def test_one_that_runs_begins_anew_when_it_is_graver_by_the_policy_that_is_for_that(
    root: Client, world: World, receiver: Got
) -> None:
    policy(root, {"people": ["cid"]}, {"people": ["bob"]}, name="grave",
           rule={"min_severity": "critical", "position": 1})  # fmt: skip
    world.write(severity=WARNING)
    pass_time()
    world.write(severity=ERROR)
    pass_time()
    assert told(receiver) == ["ann", "ann"]
    pass_time(6)
    world.write(severity=CRITICAL)
    pass_time()
    world.write(severity=CRITICAL, title="The shop is still down")
    pass_time()
    assert told(receiver) == ["ann", "ann", "bob", "cid"]
    pass_time(6)
    assert (told(receiver)[4:], states()) == (["bob"], ["running"])
    pass_time(6)
    assert states() == ["unanswered"]


def test_one_that_still_waits_to_begin_waits_no_longer_than_what_is_graver_has_to(
    root: Client, receiver: Got
) -> None:
    policy(root, {"people": ["ann"]}, name="slow", rule={"min_severity": "warning", "delay": 30})
    policy(root, {"people": ["bob"]}, name="quick", rule={"min_severity": "critical", "position": 1})
    world = World()
    world.write(severity=WARNING)
    world.write(severity=ERROR)
    pass_time()
    assert told(receiver) == []
    world.write(severity=CRITICAL)
    pass_time()
    assert told(receiver) == ["bob"]
    assert Escalation.objects.get().round == 0


def test_an_alert_that_is_graver_than_those_that_somebody_has_is_told(world: World, receiver: Got) -> None:
    mine = {"alert_acknowledged_by": "cid", "alert_severity": ERROR}
    world.write(**mine)
    pass_time()
    assert (told(receiver), states()) == ([], ["acknowledged"])
    same, worse = (alert(str(w), situation="s", severity=w) for w in (ERROR, CRITICAL))
    world.write(**mine, beside=[same])
    pass_time()
    assert (told(receiver), states()) == ([], ["acknowledged"])
    world.write(**mine, beside=[same, worse])
    pass_time()
    assert told(receiver) == ["ann"]
    for title in ("Still down", "Down"):
        world.write(**mine, title=title)
        pass_time()
    assert told(receiver) == ["ann"]
    pass_time(20)
    pass_time(20)
    world.write(**mine)
    assert (told(receiver), states()) == (["ann", "bob"], ["acknowledged", "unanswered"])


@pytest.mark.parametrize("noticed", [True, False])
def test_what_becomes_graver_than_somebody_has_seen_it_is_told(
    world: World, receiver: Got, noticed: bool
) -> None:
    """Also when its escalation has not yet noticed that they have it."""
    world.write(severity=WARNING)
    pass_time()
    world.write(severity=WARNING, alert_acknowledged_by="ann")
    if noticed:
        pass_time(6)
    mine = {"alert_acknowledged_by": "ann", "severity": CRITICAL}
    world.write(**mine)
    pass_time()
    assert (told(receiver), states()) == (["ann", "ann"], ["acknowledged", "running"])
    world.write(**mine, title="Still down")
    pass_time()
    assert told(receiver) == ["ann", "ann"]
    act = Act(id="a", kind=ACKNOWLEDGE, target="a-s", actor="ann", time_ms=1)
    taken = {"a-s": alert("a-s", situation="s", acknowledged_by="ann")}
    AnalysisWriter().write(
        taken, {}, acts=[act], offset=world.offset, now_ms=milliseconds(timezone.now()) + 1000
    )
    pass_time(6)
    assert (told(receiver), states()) == (["ann", "ann"], ["acknowledged", "acknowledged"])


def test_what_nobody_has_answered_is_told_again_when_it_gets_worse(world: World, receiver: Got) -> None:
    world.write(severity=ERROR)
    for minutes in (0, 6, 6):
        pass_time(minutes)
    assert states() == ["unanswered"]
    world.write(severity=ERROR, title="Still down")
    world.write(severity=WARNING)
    world.write(severity=ERROR)
    pass_time()
    assert told(receiver) == ["ann", "bob"]
    world.write(severity=CRITICAL)
    pass_time()
    assert (told(receiver), states()) == (["ann", "bob", "ann"], ["unanswered", "running"])


def test_what_opens_again_is_told_again(world: World, receiver: Got) -> None:
    world.write()
    pass_time()
    world.write(state="resolved")
    world.write()
    pass_time()
    assert (told(receiver), states()) == (["ann", "ann"], ["resolved", "running"])


def test_of_what_somebody_has_only_what_is_graver_is_told_once(world: World, receiver: Got) -> None:
    world.write(severity=WARNING)
    world.write(state="acknowledged", severity=WARNING, by="ann")
    world.write(state="acknowledged", severity=WARNING, title="Still down")
    pass_time()
    assert (told(receiver), states()) == ([], ["acknowledged"])
    for severity in (CRITICAL, WARNING, CRITICAL, ERROR, CRITICAL):
        world.write(state="acknowledged", severity=severity)
        pass_time()
    assert (told(receiver), states()) == (["ann"], ["acknowledged", "running"])
    world.write(state="acknowledged", severity=CRITICAL, by="cid")
    pass_time(6)
    for severity in (WARNING, CRITICAL):
        world.write(state="acknowledged", severity=severity)
        pass_time()
    assert (told(receiver), states()) == (["ann"], ["acknowledged", "acknowledged"])


def test_what_somebody_has_that_no_rule_was_for_is_told_when_it_is_grave(root: Client, receiver: Got) -> None:
    policy(root, {"people": ["ann"]})
    world = World()
    world.write(severity=WARNING)
    world.write(state="acknowledged", severity=WARNING, by="cid")
    world.write(state="acknowledged", severity=CRITICAL)
    pass_time()
    assert told(receiver) == ["ann"]


def test_events_that_are_heard_again_page_nobody_again(world: World, receiver: Got) -> None:
    world.write(severity=WARNING)
    for times, written in enumerate((
        {"severity": ERROR}, {"severity": ERROR, "state": "acknowledged"}, {"severity": CRITICAL, "state": "acknowledged"},
        {"severity": CRITICAL}, {"severity": CRITICAL, "state": "resolved"}, {"severity": CRITICAL},
    )):  # fmt: skip
        world.write(**written)
        pass_time()
        count = Escalation.objects.count()
        last = OutboxRow.objects.filter(kind="event").order_by("-created_at")[0].pk
        OutboxRow.objects.filter(pk=last).update(state="due", due_at=timezone.now())
        pass_time()
        assert Escalation.objects.count() == count, times
    assert told(receiver) == ["ann"] * 3


def test_of_two_that_begin_the_same_at_once_the_graver_counts(world: World, receiver: Got) -> None:
    """As two threads do, of which neither sees what the other has begun."""
    world.write(severity=ERROR)
    [rule], now = beginning.rules_in_force(), timezone.now()
    record = {"id": "s", "title": "The shop is down", "severity": "critical"}
    again.begin([beginning.begun(rule, "situations:s", record, now)], now)
    pass_time()
    assert [e.severity for e in Escalation.objects.all()] == [CRITICAL]
    assert told(receiver) == ["ann"]


def test_what_is_stopped_stays_so_until_it_is_graver(root: Client, world: World, receiver: Got) -> None:
    world.write(severity=ERROR)
    number = call(root, "get", "escalations")["results"][0]["id"]
    call(root, "post", f"escalations/{number}/stop")
    world.write(severity=ERROR, title="Still down")
    pass_time()
    assert (told(receiver), states()) == ([], ["stopped"])
    world.write(severity=CRITICAL)
    pass_time()
    assert told(receiver) == ["ann"]
