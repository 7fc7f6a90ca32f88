"""Tasks of orders that something else does, which is called with a signed webhook and says when it is done; and those that
the platform carries out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.domains.test_catalog import call, item, later, person, root, work  # noqa: F401  (a fixture)
from tests.domains.test_service_reports import carry_out_jobs
from tests.kernel.receivers import Got, webhook_receiver
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.runbooks import deeds

pytestmark = pytest.mark.django_db


@pytest.fixture
def automation(settings: Any) -> Iterator[Got]:
    """What makes servers."""
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    settings.PUBLIC_URL = "https://ops.example.org"
    with webhook_receiver() as got:
        yield got


@pytest.fixture
def ina(db: None) -> User:  # noqa: ARG001
    return User.objects.create_user("ina", email="ina@example.org")


def ordered(client: Client, address: str) -> tuple[Any, Any]:
    """An item with one task that is called for, and an order of it."""
    made = item(client)
    body = {"item": made["id"], "title": "Make the server", "address": address}
    task = call(client, "post", "catalog-tasks", body, 201)
    answers = {"name": "db1", "why": "test"}
    order = call(client, "post", "orders", {"item": made["id"], "person": "ina", "answers": answers}, 201)
    work()
    return task, order


def state(client: Client, order: Any) -> tuple[str, str, str]:
    """Of the order and its task, and the task's note."""
    [task] = [t for t in call(client, "get", "request-tasks")["results"] if t["ticket"] == order["ticket"]]
    return call(client, "get", f"orders/{order['id']}")["state"], task["state"], task["note"]


def test_it_is_told_what_was_ordered_and_its_answer_delivers(
    root: Client, automation: Got, ina: User  # noqa: F811
) -> None:  # fmt: skip
    task, order = ordered(root, f"{automation.url}/make?key=1")
    assert task["calls"] and "address" not in task
    [(path, headers, body)] = automation.requests
    told = json.loads(body)["data"]
    assert path == "/make?key=1" and told["answers"] == {"name": "db1", "memory": 4, "why": "test"}
    assert (told["item"], told["person"]["email"]) == ("Server", ina.email)
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(task["secret"].removeprefix("whsec_"))
    made = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{made}"
    assert state(root, order)[:2] == ("delivered", "done")


@pytest.mark.usefixtures("ina")
def test_what_takes_its_time_says_so_and_tells_when_it_is_done(root: Client, automation: Got) -> None:  # noqa: F811
    automation.answer = lambda: 202
    _, order = ordered(root, automation.url)
    assert state(root, order)[:2] == ("fulfilling", "in_progress")
    later(days=2)
    assert len(automation.requests) == 1, "it has it"
    done = json.loads(automation.requests[0][2])["data"]["done"].removeprefix("https://ops.example.org/api/")
    call(root, "post", done.rstrip("/"), {"note": "db1 at 10.1.2.3"})
    assert state(root, order) == ("delivered", "done", "db1 at 10.1.2.3")


@pytest.mark.usefixtures("ina")
def test_it_is_called_again_until_it_answers_under_the_same_id(root: Client, automation: Got) -> None:  # noqa: F811
    automation.answer = lambda: 500 if len(automation.requests) < 3 else 200
    _, order = ordered(root, automation.url)
    assert (
        state(root, order)[:2] == ("fulfilling", "in_progress")
        and "tried again: 500" in state(root, order)[2]
    )
    later(hours=1)
    later(hours=1)
    assert state(root, order)[:2] == ("delivered", "done")
    assert len({headers["webhook-id"] for _, headers, _ in automation.requests}) == 1


@pytest.mark.usefixtures("ina")
def test_what_cannot_be_called_has_failed_with_the_reason_and_can_be_tried_again(
    root: Client, automation: Got, settings: Any  # noqa: F811
) -> None:  # fmt: skip
    settings.OUTBOUND_ALLOW = []
    _, order = ordered(root, automation.url)
    assert state(root, order)[:2] == ("fulfilling", "failed") and "internal address" in state(root, order)[2]
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    [task] = call(root, "get", "request-tasks")["results"]
    call(root, "post", f"request-tasks/{task['id']}/retry")
    work()
    assert state(root, order)[:2] == ("delivered", "done")


@pytest.mark.usefixtures("ina")
def test_an_order_that_was_cancelled_meanwhile_calls_nothing(root: Client, automation: Got) -> None:  # noqa: F811
    automation.answer = lambda: 503
    _, order = ordered(root, automation.url)
    call(root, "post", f"orders/{order['id']}/cancel")
    later(days=1)
    assert len(automation.requests) == 1 and state(root, order)[:2] == ("cancelled", "skipped")


def test_an_address_that_is_none_and_two_ways_at_once_are_refused(root: Client) -> None:  # noqa: F811
    made = item(root)
    body = {"item": made["id"], "title": "Make it"}
    refused = call(root, "post", "catalog-tasks", {**body, "address": "ftp://x"}, 400)
    assert "https://host/path" in json.dumps(refused)
    team = call(root, "post", "teams", {"name": "dbas"}, 201)["id"]
    both = {**body, "address": "https://example.org/", "member_of": team}
    assert "address" in call(root, "post", "catalog-tasks", both, 400)["errors"]
    task = call(root, "post", "catalog-tasks", {**body, "address": "https://example.org/"}, 201)
    other = call(root, "patch", f"catalog-tasks/{task['id']}", {"address": "https://example.org/b"})
    assert other["secret"] != task["secret"]
    assert "secret" not in call(root, "patch", f"catalog-tasks/{task['id']}", {"address": ""})


def carried_out(client: Client, **task: Any) -> tuple[Any, Any]:
    """An item with one task that the platform carries out, and an order of it."""
    made = item(client)
    template = call(client, "post", "catalog-tasks", {"item": made["id"], "title": "Do it", **task}, 201)
    answers = {"name": "db1", "why": "test"}
    order = call(client, "post", "orders", {"item": made["id"], "person": "ina", "answers": answers}, 201)
    work()
    return template, order


@pytest.mark.usefixtures("ina")
def test_the_platform_does_something_with_the_ticket_of_the_order(root: Client) -> None:  # noqa: F811
    values = {"title": "Cable for $name", "description": "It is for $person_name."}
    template, order = carried_out(root, does="tickets.split", values=values)
    assert template["values"] == values
    assert state(root, order)[:2] == ("delivered", "done")
    assert "Cable for db1" in [t["title"] for t in call(root, "get", "tickets")["results"]]


@pytest.mark.usefixtures("ina")
def test_what_was_interrupted_is_done_when_it_is_tried_again(
    root: Client, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    def interrupted(*_: Any) -> str:
        deed(*_)
        raise OSError("the disk is full")

    deed = deeds.carry_out
    monkeypatch.setattr(deeds, "carry_out", interrupted)
    values = {"title": "Cable for $name"}
    _, order = carried_out(root, does="tickets.split", values=values)
    monkeypatch.setattr(deeds, "carry_out", deed)
    assert state(root, order)[:2] == ("fulfilling", "open")
    later(minutes=10)
    assert state(root, order)[:2] == ("delivered", "done")
    assert [t["title"] for t in call(root, "get", "tickets")["results"]].count("Cable for db1") == 1


@pytest.mark.usefixtures("ina")
def test_a_job_is_started_and_waited_for(root: Client) -> None:  # noqa: F811
    _, order = carried_out(root, does="job.audit-verify")
    assert state(root, order)[:2] == ("fulfilling", "in_progress")
    later(minutes=1)
    assert state(root, order)[:2] == ("fulfilling", "in_progress"), "it is not over"
    carry_out_jobs()
    later(minutes=1)
    assert state(root, order)[:2] == ("delivered", "done")
    assert "/jobs/request-task-" in state(root, order)[2]


@pytest.mark.usefixtures("ina")
def test_a_job_that_fails_fails_its_task_which_starts_another_when_it_is_tried_again(root: Client) -> None:  # noqa: F811
    _, order = carried_out(root, does="job.service-report", values={"report": "987654"})
    carry_out_jobs()
    later(minutes=1)
    [task] = call(root, "get", "request-tasks")["results"]
    assert task["state"] == "failed" and order["state"] == "fulfilling"
    call(root, "post", f"request-tasks/{task['id']}/retry")
    work()
    assert {j["id"] for j in call(root, "get", "jobs")["results"]} >= {
        f"request-task-{task['id']}-0",
        f"request-task-{task['id']}-1",
    }


def test_what_cannot_be_carried_out_is_said_at_its_field(root: Client) -> None:  # noqa: F811
    made = item(root)
    base = {"item": made["id"], "title": "x"}
    for body, field in (
        ({"does": "tickets.explode"}, "does"),
        ({"does": "situations.acknowledge"}, "does"),
        ({"does": "job.audit-verify", "values": {"x": "1"}}, "values"),
        ({"does": "tickets.split", "values": {"title": "$nobody"}}, "values"),
        ({"does": "tickets.split", "values": {"name": "$name"}}, "values"),
        ({"values": {"x": "1"}}, "values"),
        ({"does": "tickets.close", "address": "https://ops.example.org"}, "address"),
    ):
        assert field in call(root, "post", "catalog-tasks", {**base, **body}, 400)["errors"], body
    _, managers = person("mona", "operations manager")
    call(managers, "post", "catalog-tasks", {**base, "does": "job.backup"}, 403)
