"""Tickets over their life: what was promised and when the clock stands, and incidents that situations become."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains.analysis_structs import NOW, alert, situation
from watchkeeper.domains import identity
from watchkeeper.domains.desk.models import Ticket, Wait
from watchkeeper.domains.situations import AnalysisWriter
from watchkeeper.kernel.outbox import OutboxWorker
from watchkeeper.model.verdicts import AlertStatus, Severity, SituationState

JSON = "application/json"
ALWAYS = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "24h")
MINUTE, MILLISECOND = dt.timedelta(minutes=1), dt.timedelta(milliseconds=1)


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    """A client that may do everything."""
    return Client(headers={"authorization": "Bearer " + identity.create_token("root")})


def call(client: Client, method: str, url: str, body: Any = None, status: int = 200) -> Any:
    """What a call with a body answers."""
    send = getattr(client, method)
    address = f"/api/{url}/"
    answer = send(address) if method == "get" else send(address, json.dumps(body), content_type=JSON)
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def work() -> None:
    """Carry out everything that is due."""
    worker = OutboxWorker()
    while worker.step():
        pass


def promise(root: Client, pauses: str = "requester", **hours: str) -> dict[str, Any]:
    """A queue whose agreement promises an answer in 30 minutes and a resolution in 4 hours for priority 3."""
    calendar = call(root, "post", "calendars", {"name": "hours", **(hours or ALWAYS)}, 201)
    body = {"name": "gold", "calendar": calendar["id"], "pauses": pauses}
    agreement = call(root, "post", "service-level-agreements", body, 201)
    target = {"agreement": agreement["id"], "priority": 3, "response_minutes": 30, "resolution_minutes": 240}
    call(root, "post", "agreement-targets", target, 201)
    queue: dict[str, Any] = call(root, "post", "queues", {"name": "desk", "agreement": agreement["id"]}, 201)
    return queue


def ticket(root: Client, **fields: Any) -> dict[str, Any]:
    """A ticket of priority 3."""
    made: dict[str, Any] = call(root, "post", "tickets", {"title": "it is slow", **fields}, 201)
    return made


def act(root: Client, made: dict[str, Any], name: str, body: Any = None, status: int = 200) -> Any:
    """Do something with a ticket."""
    return call(root, "post", f"tickets/{made['id']}/{name}", body or {}, status)


def at(text: str) -> dt.datetime:
    """A time from REST."""
    return dt.datetime.fromisoformat(text)


def earlier(made: dict[str, Any], by: dt.timedelta) -> None:
    """As if all that has happened to a ticket had happened so much earlier."""
    row = Ticket.objects.get(pk=made["id"])
    row.opened_at -= by
    row.save()
    for wait in Wait.objects.filter(ticket=row):
        wait.began_at -= by
        wait.ended_at = wait.ended_at and wait.ended_at - by
        wait.save()


def test_what_is_promised_is_due_and_the_clock_stands_while_the_requester_is_asked(root: Client) -> None:
    made = ticket(root, queue=promise(root)["id"])
    opened = at(made["opened_at"])
    assert abs(at(made["answer_due_at"]) - opened - 30 * MINUTE) < MILLISECOND
    assert abs(at(made["resolution_due_at"]) - opened - 240 * MINUTE) < MILLISECOND
    earlier(made, 60 * MINUTE)
    asked = act(root, made, "ask")
    assert asked["status"] == "waiting_for_requester"
    assert asked["answered_at"] and asked["resolution_due_at"] is None
    earlier(made, 1000 * MINUTE)
    again = act(root, made, "go-on")
    left = at(again["resolution_due_at"]) - timezone.now()
    assert abs(left - 180 * MINUTE) < MINUTE
    done = act(root, made, "resolve", {"resolution": "restarted it"})
    assert (done["status"], done["resolution"]) == ("resolved", "restarted it")
    reopened = act(root, made, "reopen")
    assert reopened["resolved_at"] is None
    assert abs(at(reopened["resolution_due_at"]) - timezone.now() - 180 * MINUTE) < MINUTE


def test_what_the_agreement_becomes_holds_for_open_tickets_and_keeps_their_pauses(root: Client) -> None:
    queue = promise(root, pauses="anybody")
    made = ticket(root, queue=queue["id"])
    act(root, made, "start")
    act(root, made, "hand-over")
    earlier(made, 100 * MINUTE)
    after = act(root, made, "go-on")
    assert abs(at(after["resolution_due_at"]) - timezone.now() - 240 * MINUTE) < MINUTE
    call(root, "patch", f"service-level-agreements/{queue['agreement']}", {"pauses": "requester"})
    work()
    stricter = call(root, "get", f"tickets/{made['id']}")
    assert abs(at(stricter["resolution_due_at"]) - timezone.now() - 140 * MINUTE) < MINUTE
    call(root, "patch", f"service-level-agreements/{queue['agreement']}", {"pauses": "anybody"})
    work()
    assert call(root, "get", f"tickets/{made['id']}")["resolution_due_at"] == after["resolution_due_at"]


def test_a_priority_for_which_nothing_is_promised_is_not_due(root: Client) -> None:
    made = ticket(root, queue=promise(root)["id"], impact=1, urgency=1)
    assert (made["priority"], made["answer_due_at"], made["resolution_due_at"]) == (1, None, None)
    calmer = call(root, "patch", f"tickets/{made['id']}", {"impact": 2, "urgency": 2})
    assert calmer["resolution_due_at"]


def test_states_are_moved_through_by_what_is_offered(root: Client) -> None:
    made = ticket(root)
    act(root, made, "close", status=409)
    act(root, made, "resolve", status=400)
    act(root, made, "resolve", {"resolution": "done"})
    closed = act(root, made, "close")
    assert closed["closed_at"] and closed["resolved_at"]
    act(root, made, "cancel", status=409)
    assert act(root, made, "reopen")["closed_at"] is None


def _write(offset: int, severity: Severity, *, over: bool = False, title: str = "Redis is down") -> None:
    changed: dict[str, Any] = {"severity": severity, "title": title}
    of_alert: dict[str, Any] = {}
    if over:
        changed |= {"state": SituationState.RESOLVED, "resolved_ms": NOW + offset}
        of_alert = {"status": AlertStatus.RESOLVED}
    s = situation("s", ("a",), updated_ms=NOW + offset, **changed)
    AnalysisWriter().write({"a": alert("a", situation="s", **of_alert)}, {"s": s}, offset=offset, now_ms=NOW)
    work()


def test_a_situation_becomes_one_incident_by_rule_and_takes_it_along(root: Client) -> None:
    queue = promise(root)
    call(root, "post", "incident-rules", {"name": "bad", "queue": queue["id"], "words": "REDIS"}, 201)
    _write(1, Severity.WARNING)
    assert call(root, "get", "tickets")["count"] == 0
    _write(2, Severity.ERROR)
    _write(3, Severity.CRITICAL)
    (made,) = call(root, "get", "tickets")["results"]
    assert (made["type"], made["source"], made["queue"]) == ("incident", "situation", queue["id"])
    assert (made["title"], made["situation"], made["impact"]) == ("Redis is down", "s", 2)
    assert made["resolution_due_at"]
    _write(4, Severity.CRITICAL, over=True)
    after = call(root, "get", f"tickets/{made['id']}")
    assert (after["status"], after["resolution"]) == ("resolved", "All alerts of its situation have ended.")


def test_other_words_make_no_incident_until_the_title_has_them(root: Client) -> None:
    call(root, "post", "incident-rules", {"name": "shop", "words": "shop"}, 201)
    _write(1, Severity.CRITICAL)
    assert call(root, "get", "tickets")["count"] == 0
    for offset in (2, 3):
        _write(offset, Severity.CRITICAL, title=f"Redis and {offset} of the shop are down")
    (made,) = call(root, "get", "tickets")["results"]
    assert made["title"] == "Redis and 2 of the shop are down"


def test_one_queue_takes_what_comes_from_the_portal(root: Client) -> None:
    call(root, "post", "queues", {"name": "front", "portal": True}, 201)
    refused = call(root, "post", "queues", {"name": "back", "portal": True}, 400)
    assert refused["errors"] == {"portal": ["another queue takes what comes from the portal"]}
