"""The clocks of tickets over whole histories, against one that is read minute by minute; who is told, what is broken, and
what begins anew."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.domains.test_desk import MINUTE, act, call, earlier, promise, root, ticket, work
from watchkeeper.domains.access.models import Team
from watchkeeper.domains.agreements.models import WEEKDAYS, Agreement, Calendar, Target
from watchkeeper.domains.desk import moving, promising, rules
from watchkeeper.domains.desk.conversation import say
from watchkeeper.domains.desk.models import Escalation, Queue, Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice
from watchkeeper.kernel.acting import Actor, ActorKind, Scope
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.models import OutboxRow

__all__ = ["root"]  # a fixture
HOURS = ("", "24h", "09:00-12:00, 13:00-17:00", "22:00-24:00", "00:00-06:30")
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe")
STATES = (rules.NEW, rules.WORKED_ON, rules.ASKED, rules.WITH_PARTNER, rules.RESOLVED)
#: around changes of the clocks
BEGINS = (
    dt.datetime(2025, 3, 29, 20),
    dt.datetime(2025, 10, 25, 20),
    dt.datetime(2025, 11, 1, 12),
    dt.datetime(2025, 4, 5, 8),
)

CALENDAR = st.tuples(st.sampled_from(ZONES), st.lists(st.sampled_from(HOURS), min_size=7, max_size=7))
EVENT = st.one_of(
    st.tuples(st.just("state"), st.sampled_from(STATES)),
    st.tuples(
        st.just("agreement"), st.tuples(st.sampled_from(["never", "requester", "anybody"]), st.booleans())
    ),
    st.tuples(st.just("calendar"), CALENDAR),
    st.tuples(st.just("wrote"), st.none()),
    st.tuples(st.just("promise"), st.integers(1, 900)),
)
HISTORY = st.lists(st.tuples(st.integers(1, 500), EVENT), min_size=1, max_size=9)


class Oracle:
    """A clock that is read every minute: it counts when the calendar is open and the ticket does not wait."""

    def __init__(self, began: dt.datetime) -> None:
        self.began = began
        self.states: list[tuple[dt.datetime, str]] = [(began, rules.NEW)]
        self.wrote: dt.datetime | None = None

    def state(self, at: dt.datetime) -> str:
        """In which it was."""
        return [state for since, state in self.states if since <= at][-1]

    def counts(self, at: dt.datetime, agreement: Agreement) -> bool:
        """Whether this minute does, by the agreement and the calendar of now."""
        wall = at.astimezone(ZoneInfo(agreement.calendar.zone))
        minute = wall.hour * 60 + wall.minute
        open_ = False
        for part in filter(None, getattr(agreement.calendar, WEEKDAYS[wall.weekday()]).split(",")):
            a, b = ("00:00", "24:00") if part == "24h" else part.strip().split("-")
            begins, ends = (int(x[:2]) * 60 + int(x[3:]) for x in (a, b))
            open_ = open_ or begins <= minute < ends
        return open_ and self.state(at) not in rules.STANDS[agreement.pauses]

    def used(self, agreement: Agreement, now: dt.datetime) -> int:
        """Minutes until now, or until it was resolved."""
        at = max(self.began, self.wrote) if agreement.restarts and self.wrote else self.began
        number = 0
        while at < now:
            number += self.counts(at, agreement)
            at += MINUTE
        return number


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(BEGINS), HISTORY, CALENDAR, st.integers(0, 300))
def test_whatever_happens_the_clock_is_what_one_read_every_minute_says(
    db: None,  # noqa: ARG001
    begins: dt.datetime,
    history: list[Any],
    first: Any,
    after: int,
) -> None:
    for model in (Ticket, Queue, Agreement, Calendar):
        model.objects.all().delete()
    began = begins.replace(tzinfo=dt.UTC)
    calendar = Calendar.objects.create(name="c", zone=first[0], **dict(zip(WEEKDAYS, first[1], strict=True)))
    agreement = Agreement.objects.create(name="a", calendar=calendar)
    Target.objects.create(agreement=agreement, priority=3, resolution_minutes=240)
    made = Ticket.objects.create(title="t", agreement=agreement, opened_at=began)
    oracle, now = Oracle(began), began
    for gap, (what, value) in [*history, (after + 1, ("nothing", None))]:
        now += gap * MINUTE
        made = Ticket.objects.get(pk=made.pk)
        match what:
            case "state" if value != made.status:
                made.status = value
                made.resolved_at = now if value == rules.RESOLVED else None
                moving._wait(made, now)
                oracle.states.append((now, value))
            case "agreement":
                Agreement.objects.update(pauses=value[0], restarts=value[1])
            case "calendar":
                Calendar.objects.update(zone=value[0], **dict(zip(WEEKDAYS, value[1], strict=True)))
            case "promise":
                Target.objects.update(resolution_minutes=value)
            case "wrote" if made.status != rules.RESOLVED:
                made.restarted_at = oracle.wrote = now
        made.save()
        (read,) = promising.with_promises(Ticket.objects.filter(pk=made.pk))
        clock = promising.clocks(read)[1]
        assert clock is not None
        used = oracle.used(read.promise, now)
        assert clock.used(milliseconds(now)) == used * 60_000
        assert clock.broken(milliseconds(now)) == (used * 60_000 > clock.promised_ms)
        promising.follow(read)
        if read.resolution_due_at is not None and read.resolution_due_at <= now:
            assert oracle.used(read.promise, read.resolution_due_at) * 60_000 == clock.promised_ms


def _people(queue: dict[str, Any]) -> tuple[User, User, User]:
    worker, lead, member = (
        User.objects.create_user(n, is_administrator=True) for n in ("worker", "lead", "member")
    )
    team = Team.objects.create(name="first line")
    team.owners.add(lead)
    team.members.add(member, lead)
    Queue.objects.filter(pk=queue["id"]).update(team=team)
    return worker, lead, member


def _hours_pass(made: dict[str, Any], by: dt.timedelta) -> None:
    """As if so much time had gone by: all that has happened was earlier, and what was planned is due earlier."""
    earlier(made, by)
    row = Ticket.objects.get(pk=made["id"])
    promising.follow(row)
    row.save()
    work()


def test_people_are_told_as_the_promise_runs_out_and_once_each(root: Client) -> None:
    queue = promise(root)
    levels = {"tell_assignee": "50, 75, 100", "tell_leads": "75", "tell_team": "100"}
    call(root, "patch", f"service-level-agreements/{queue['agreement']}", levels)
    worker, lead, member = _people(queue)
    made = ticket(root, queue=queue["id"], assignee="worker")
    act(root, made, "start")
    work()
    for minutes, told in ((110, [0, 0, 0]), (15, [1, 0, 0]), (60, [2, 1, 0]), (60, [3, 2, 1])):
        _hours_pass(made, minutes * MINUTE)
        assert [Notice.objects.filter(user=u).count() for u in (worker, lead, member)] == told, minutes
        work()
    assert "is late" in Notice.objects.filter(user=member).get().why
    found = call(root, "get", f"tickets/{made['id']}")
    assert found["resolution_breached_at"] is not None
    act(root, made, "resolve", {"resolution": "done"})
    assert (
        call(root, "get", f"tickets/{made['id']}")["resolution_breached_at"]
        == found["resolution_breached_at"]
    )
    assert root.get("/api/tickets/", {"resolution_breached_at__isnull": "false"}).json()["count"] == 1


def test_nothing_is_told_of_what_is_resolved_or_stands(root: Client) -> None:
    queue = promise(root)
    worker, _, _ = _people(queue)
    made = ticket(root, queue=queue["id"], assignee="worker")
    act(root, made, "ask")
    _hours_pass(made, 400 * MINUTE)
    other = ticket(root, queue=queue["id"], assignee="worker")
    act(root, other, "resolve", {"resolution": "done"})
    _hours_pass(other, 400 * MINUTE)
    assert not Notice.objects.filter(user=worker).exists()
    assert not Escalation.objects.filter(clock="resolution").exists()


def test_what_is_planned_moves_with_the_due_time(root: Client) -> None:
    queue = promise(root)
    made = ticket(root, queue=queue["id"])
    act(root, made, "start")

    def planned() -> list[dt.datetime]:
        due = OutboxRow.objects.filter(kind="promise", state="due").order_by("due_at")
        return list(due.values_list("due_at", flat=True))

    opened = dt.datetime.fromisoformat(made["opened_at"])
    assert any(abs(at - opened - 180 * MINUTE) < MINUTE for at in planned())
    (target,) = call(root, "get", "agreement-targets")["results"]
    call(root, "patch", f"agreement-targets/{target['id']}", {"resolution_minutes": 480})
    work()
    assert any(abs(at - opened - 360 * MINUTE) < MINUTE for at in planned())


def test_the_clock_begins_anew_when_the_requester_writes_where_so_set(root: Client) -> None:
    queue = promise(root)
    call(root, "patch", f"service-level-agreements/{queue['agreement']}", {"restarts": True})
    made = ticket(root, queue=queue["id"])
    act(root, made, "start")
    _hours_pass(made, 100 * MINUTE)
    before = call(root, "get", f"tickets/{made['id']}")["resolution_due_at"]
    row = Ticket.objects.get(pk=made["id"])
    asker = User.objects.create_user("asker", is_administrator=True)
    Ticket.objects.filter(pk=row.pk).update(requester=asker)
    actor = Actor(ActorKind.PERSON, "asker", str(asker.pk), Scope.WRITE, person=asker)
    say(actor, Ticket.objects.get(pk=row.pk), "still slow", public=False, source="api")
    work()
    assert call(root, "get", f"tickets/{made['id']}")["resolution_due_at"] == before
    say(actor, Ticket.objects.get(pk=row.pk), "still slow", public=True, source="api")
    work()
    after = call(root, "get", f"tickets/{made['id']}")
    due = dt.datetime.fromisoformat(after["resolution_due_at"])
    assert abs(due - timezone.now() - 240 * MINUTE) < MINUTE
    clocks = call(root, "get", f"tickets/{made['id']}/clocks")["clocks"]
    assert [c["promise"] for c in clocks] == ["answer", "resolution"]
    assert clocks[1]["left_seconds"] > 239 * 60
    call(root, "patch", f"service-level-agreements/{queue['agreement']}", {"restarts": False})
    work()
    assert call(root, "get", f"tickets/{made['id']}")["resolution_due_at"] == before


def test_at_the_queues_pace_some_will_be_late(root: Client) -> None:
    queue = promise(root)
    for number in range(12):
        made = ticket(root, queue=queue["id"])
        act(root, made, "start")
        act(root, made, "resolve", {"resolution": "done"})
        hours = dt.timedelta(hours=1 if number < 6 else 6)
        row = Ticket.objects.get(pk=made["id"])
        row.opened_at = row.resolved_at - hours
        row.save()
    open_ = ticket(root, queue=queue["id"])
    found = call(root, "get", f"queues/{queue['id']}/forecast")
    assert found["tickets"][0]["late"] == 0.5
    earlier(open_, 120 * MINUTE)
    (late,) = call(root, "get", f"queues/{queue['id']}/forecast")["tickets"]
    assert late["late"] == 1.0
    assert "6 took at least as much working time" in late["because"]


def test_an_agreement_shows_what_those_beneath_it_do_not_carry(root: Client) -> None:
    queue = promise(root)
    calendar = call(root, "get", f"service-level-agreements/{queue['agreement']}")["calendar"]
    made = []
    for kind, minutes in (("ola", 120), ("uc", 180)):
        body = {"name": kind, "kind": kind, "calendar": calendar}
        one = call(root, "post", "service-level-agreements", body, 201)
        call(
            root,
            "post",
            "agreement-targets",
            {"agreement": one["id"], "priority": 3, "resolution_minutes": minutes},
            201,
        )
        made.append(one["id"])
    upper = f"service-level-agreements/{queue['agreement']}"
    call(root, "patch", upper, {"kept_by": made})
    warned = call(root, "get", upper)["warnings"]
    assert any("may take 300" in w for w in warned)
    refused = call(
        root, "patch", f"service-level-agreements/{made[0]}", {"kept_by": [queue["agreement"]]}, 400
    )
    assert "customer" in str(refused["errors"]["kept_by"])
    call(root, "patch", f"service-level-agreements/{made[0]}", {"kept_by": [made[1]]})
    refused = call(
        root, "patch", f"service-level-agreements/{made[1]}", {"kept_by": [made[0]], "kind": "ola"}, 400
    )
    assert "itself" in str(refused["errors"]["kept_by"])
    refused = call(root, "patch", upper, {"tell_team": "often"}, 400)
    assert "percentage" in str(refused["errors"]["tell_team"])
