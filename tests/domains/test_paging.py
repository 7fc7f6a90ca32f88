"""Who is paged, in which order, until somebody answers; and that each is told once."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains import paging_setup as setup
from tests.domains.paging_setup import (
    World,
    call,
    pass_time,
    person,
    policy,
    receiver,
    second_way,
    told,
    work,
)
from tests.kernel.receivers import Got
from tests.kernel.test_jobs import run
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.oncall.paging.models import Escalation, Page, PageDelivery
from watchkeeper.jobs import port as jobs
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.model.verdicts import Severity

__all__ = ["receiver"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    """A client that may do everything."""
    return setup.root()


def states() -> list[str]:
    """Of escalations, in the order in which they began."""
    return [str(e.state) for e in Escalation.objects.order_by("pk")]


@pytest.fixture
def two_steps(root: Client, receiver: Got) -> World:
    """Ann has five minutes, then Bob has."""
    person(root, "ann", receiver.url)
    person(root, "bob", receiver.url)
    policy(root, {"people": ["ann"]}, {"people": ["bob"]})
    return World()


def test_a_situation_pages_step_after_step_until_nobody_is_left(two_steps: World, receiver: Got) -> None:
    two_steps.write()
    pass_time()
    pass_time()
    assert told(receiver) == ["ann"]
    pass_time(4)
    assert told(receiver) == ["ann"]
    pass_time(6)
    assert told(receiver) == ["ann", "bob"]
    assert states() == ["running"]
    pass_time(20)
    assert states() == ["unanswered"]
    assert told(receiver) == ["ann", "bob"]
    body = json.loads(receiver.requests[0][2])
    assert (body["type"], body["data"]["title"], body["data"]["severity"]) == (
        "page",
        "The shop is down",
        "critical",
    )
    assert [p.state for p in Page.objects.order_by("pk")] == ["delivered", "delivered"]


def test_whoever_acknowledges_or_resolves_ends_it(two_steps: World, receiver: Got) -> None:
    two_steps.write()
    pass_time()
    two_steps.write(state="acknowledged")
    assert states() == ["acknowledged"]
    pass_time(30)
    assert told(receiver) == ["ann"]
    two_steps.write("other")
    pass_time()
    two_steps.write("other", "resolved")
    assert states() == ["acknowledged", "resolved"]
    pass_time(30)
    assert told(receiver) == ["ann", "ann"]


def test_that_nobody_has_it_any_more_begins_again(two_steps: World, receiver: Got) -> None:
    two_steps.write()
    two_steps.write(state="acknowledged")
    two_steps.write(state="open")
    pass_time()
    assert states() == ["acknowledged", "running"]
    assert told(receiver) == ["ann"]


def test_an_acknowledged_alert_is_enough_and_a_silenced_one_waits(two_steps: World, receiver: Got) -> None:
    two_steps.write("acked", alert_acknowledged_by="cid")
    two_steps.write("silent", alert_suppressed_by="silence:x")
    pass_time()
    assert (told(receiver), states()) == ([], ["acknowledged", "running"])
    two_steps.write("silent")
    pass_time(2)
    assert told(receiver) == ["ann"]


def test_rules_choose_the_policy_by_severity_words_and_hours(root: Client, receiver: Got) -> None:
    for name in ("ann", "bob", "cid"):
        person(root, name, receiver.url)
    never = call(root, "post", "calendars", {"name": "never", **dict.fromkeys(
        ("monday", "tuesday", "wednesday", "thursday", "friday"), "")}, 201)  # fmt: skip
    asleep = {"calendar": never["id"], "hours": "within", "position": 1}
    policy(root, {"people": ["ann"]}, name="day", rule=asleep)
    policy(root, {"people": ["bob"]}, name="disks", rule={"words": "DISK", "position": 2})
    policy(root, {"people": ["cid"]}, name="rest", rule={"min_severity": "warning", "position": 3})
    world = World()
    world.write("1", title="Disk is full")
    world.write("2", title="Fan stopped", severity=Severity.WARNING)
    world.write("3", title="Hello", severity=Severity.INFO)
    pass_time()
    assert sorted(told(receiver)) == ["bob", "cid"]
    found = {e.record: (e.policy.name, e.urgency) for e in Escalation.objects.select_related("policy")}
    assert found == {"1": ("disks", "high"), "2": ("rest", "low")}
    world.write("3", title="Hello", severity=Severity.CRITICAL)
    assert Escalation.objects.filter(record="3").count() == 1


def test_a_rule_fits_as_soon_as_the_title_has_its_words(root: Client, receiver: Got) -> None:
    person(root, "ann", receiver.url)
    policy(root, {"people": ["ann"]}, rule={"words": "disk"})
    world = World()
    for title in ("Slow", "Slow because of the disk", "Slow because of the disk of db1"):
        world.write(title=title)
        pass_time()
    assert told(receiver) == ["ann"]
    assert [e.title for e in Escalation.objects.all()] == ["Slow because of the disk"]


def test_steps_are_for_severities_and_where_nobody_is_reached_the_next_follows_at_once(
    root: Client, receiver: Got
) -> None:
    person(root, "lost")
    person(root, "ann", receiver.url)
    empty = call(root, "post", "schedules", {"name": "nobody's"}, 201)["id"]
    policy(
        root, {"people": ["ann"], "min_severity": "critical"}, {"schedules": [empty]}, {"people": ["lost"]},
        {"people": ["ann"]},
    )  # fmt: skip
    World().write(severity=Severity.ERROR)
    pass_time()
    assert told(receiver) == ["ann"]
    assert [(p.person.username, p.position, p.state) for p in Page.objects.order_by("pk")] == [
        ("lost", 2, "failed"), ("ann", 3, "delivered"),
    ]  # fmt: skip


def test_whoever_is_on_call_is_paged_and_teams_are(root: Client, receiver: Got) -> None:
    for name in ("ann", "bob", "cid"):
        person(root, name, receiver.url)
    schedule = call(root, "post", "schedules", {"name": "first line"}, 201)["id"]
    layer = {"schedule": schedule, "people": ["bob"], "starts_on": "2020-01-01"}
    call(root, "post", "schedule-layers", layer, 201)
    ids = {u.username: u.pk for u in (person(root, n) for n in ("bob", "cid"))}
    team = call(root, "post", "teams", {"name": "web", "members": list(ids.values())}, 201)["id"]
    policy(root, {"schedules": [schedule], "teams": [team]})
    World().write()
    pass_time()
    assert sorted(told(receiver)) == ["bob", "cid"]
    reasons = dict(Page.objects.values_list("person__username", "because"))
    assert reasons == {"bob": "you are on call in first line", "cid": "you are in the team web"}


def test_a_policy_is_repeated(root: Client, receiver: Got) -> None:
    person(root, "ann", receiver.url)
    policy(root, {"people": ["ann"]}, repeat=2)
    World().write()
    for minutes in (0, 6, 12, 18, 24):
        pass_time(minutes)
    assert (told(receiver), states()) == (["ann"] * 3, ["unanswered"])
    assert [p.round for p in Page.objects.order_by("pk")] == [0, 1, 2]


def test_ways_come_one_after_the_other_and_not_once_it_is_acknowledged(root: Client, receiver: Got) -> None:
    person(root, "ann", receiver.url)
    second_way(root, "ann", receiver.url, 3)
    policy(root, {"people": ["ann"]})
    world = World()
    world.write()
    pass_time()
    assert told(receiver) == ["ann"]
    row = OutboxRow.objects.get(kind="page", state="due")
    assert abs(row.due_at - timezone.now() - dt.timedelta(minutes=3)) < dt.timedelta(minutes=1)
    world.write(state="acknowledged")
    OutboxRow.objects.filter(pk=row.pk).update(due_at=timezone.now())
    work()
    assert told(receiver) == ["ann"]
    assert sorted(PageDelivery.objects.values_list("state", flat=True)) == ["delivered", "given_up"]


@pytest.mark.parametrize("end", ["", "acknowledged", "resolved"])
def test_that_nobody_has_answered_yet_stops_no_message_while_it_goes_on(
    root: Client, receiver: Got, end: str
) -> None:
    person(root, "ann", receiver.url)
    second_way(root, "ann", receiver.url, 8)
    policy(root, {"people": ["ann"]})
    world = World()
    world.write()
    pass_time()
    pass_time(6)
    assert (told(receiver), states()) == (["ann"], ["unanswered"])
    if end:
        world.write(state=end)
    pass_time(3)
    assert (told(receiver), states()) == ((["ann"], [end]) if end else (["ann", "later"], ["unanswered"]))


def test_what_is_low_waits_for_the_end_of_quiet_hours_and_what_is_high_does_not(
    root: Client, receiver: Got
) -> None:
    person(root, "ann", receiver.url)
    quiet = {"person": "ann", "zone": "UTC", "begins": "00:00:00", "ends": "23:59:59"}
    call(root, "post", "quiet-hours", quiet, 201)
    policy(root, {"people": ["ann"]}, rule={"min_severity": "warning"})
    world = World()
    world.write("low", severity=Severity.WARNING)
    world.write("high")
    pass_time()
    assert told(receiver) == ["ann"]
    held = PageDelivery.objects.get(held=True)
    assert (held.page.escalation.record, held.due_at.time()) == ("low", dt.time(23, 59, 59))
    low = Escalation.objects.get(record="low")
    assert low.due_at == held.due_at + dt.timedelta(minutes=5)  # the time to answer begins when she is told
    OutboxRow.objects.filter(state="due").update(due_at=timezone.now())
    work()
    assert told(receiver) == ["ann", "ann"]


def test_a_step_of_which_every_page_fails_gives_way_at_once(two_steps: World, receiver: Got) -> None:
    receiver.answer = lambda: 410 if told(receiver) == ["ann"] else 204
    two_steps.write()
    pass_time()
    pass_time()
    assert told(receiver) == ["ann", "bob"]
    assert [p.state for p in Page.objects.order_by("pk")] == ["failed", "delivered"]


def test_what_ended_long_ago_is_forgotten_with_its_pages(two_steps: World, receiver: Got) -> None:
    for key in ("old", "new", "running"):
        two_steps.write(key)
    pass_time()
    assert len(told(receiver)) == Page.objects.count() == 3
    for key in ("old", "new"):
        two_steps.write(key, "resolved")
    long_ago = timezone.now() - dt.timedelta(days=401)
    Escalation.objects.filter(record="old").update(ended_at=long_ago)
    Escalation.objects.filter(record="running").update(began_at=long_ago)
    done = run(jobs.start("forget-pages"))
    assert (done.state, done.result) == ("done", {"escalations forgotten": 1})
    assert {e.record for e in Escalation.objects.all()} == {"new", "running"}
    assert Page.objects.count() == PageDelivery.objects.count() == 2


def test_pages_of_the_console_say_who_is_paged_and_about_what(root: Client, receiver: Got) -> None:
    """The incident of a situation shows who was paged about that; an escalation leads there and counts from one; steps
    and layers say whom they mean."""
    person(root, "ann", receiver.url)
    schedule = call(root, "post", "schedules", {"name": "Shop"}, 201)["id"]
    layer = {"schedule": schedule, "people": ["ann"], "starts_on": "2026-01-01"}
    call(root, "post", "schedule-layers", layer, 201)
    call(root, "post", "incident-rules", {"name": "all"}, 201)
    one = policy(root, {"schedules": [schedule]})
    World().write()
    pass_time()
    [ticket] = call(root, "get", "tickets")["results"]
    [escalation] = call(root, "get", "escalations")["results"]
    browser = Client()
    browser.force_login(User.objects.create_user("ada", is_administrator=True))

    def shown(path: str) -> str:
        return browser.get(f"/{path}/").content.decode()

    assert "Nobody was paged" not in (seen := shown(f"tickets/{ticket['id']}")) and "/pages/" in seen
    page = shown(f"escalations/{escalation['id']}")
    assert f'<a href="/situations/{escalation["record"]}/">The shop is down</a>' in page
    assert "<dt>Round</dt><dd>1</dd>" in page and "<dt>Last step</dt><dd>1</dd>" in page
    assert "on call: Shop" in shown(f"escalation-policies/{one}")
    rota = shown(f"schedules/{schedule}")
    assert "<div>ann</div>" in rota and f"/schedule-overrides/new/?schedule={schedule}&amp;back=" in rota
    new = browser.get(f"/escalations/new/?kind=situations&record={escalation['record']}").content.decode()
    assert "Page somebody about The shop is down" in new
    assert "New escalation" in browser.get("/escalations/new/?kind=users&record=1").content.decode()
