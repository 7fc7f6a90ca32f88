"""The pages of changes, approvals and reliability say what they should, without a browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains.approving import as_, call, make_people, work
from tests.domains.test_changes import HOUR, act, plan, service
from tests.domains.test_upkeep import failure
from watchkeeper.domains.access.models import Team
from watchkeeper.domains.approvals.models import Vote


@pytest.fixture
def people(db: None) -> dict[str, Any]:  # noqa: ARG001
    """Ann, who may do everything, and others; ann and bea are a team."""
    found = make_people()
    found["ann"].is_administrator = True
    found["ann"].save()
    Team.objects.create(name="net").members.set([found["ann"], found["bea"]])
    return found


def read(client: Client, url: str) -> str:
    """A page."""
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.content[:2000])
    return answer.content.decode()


def test_a_change_and_what_it_meets_and_its_approval_are_seen(people: dict[str, Any]) -> None:
    ann, bea = as_(people["ann"]), as_(people["bea"])
    db = service(ann, "db")
    now = timezone.now()
    freeze = {
        "name": "Christmas",
        "begins_at": (now - HOUR).isoformat(),
        "ends_at": (now + 9 * HOUR).isoformat(),
    }
    call(ann, "post", "freezes", freeze, 201)
    made = plan(ann, db, reason="the **old** one fails")
    act(ann, made, "assess")
    act(ann, made, "ask")
    page = read(ann, f"/changes/{made['id']}/")
    for text in (
        "<strong>old</strong>",
        "it is within the freeze Christmas",
        "Nothing may be changed then",
        "Peer",
        "bea",
    ):
        assert text in page, text
    assert "Approve</button>" not in page, "not their own"
    mine = read(bea, "/to-approve/")
    assert made["title"] in mine and "Approve</button>" in mine
    vote = Vote.objects.get()
    assert "What is asked" in read(bea, f"/votes/{vote.pk}/")
    calendar = read(ann, "/change-calendar/")
    assert made["title"] in calendar and "Christmas" in calendar
    assert ann.get("/change-calendar/?month=x").status_code == 400
    assert (
        made["title"] in read(ann, f"/items/{db}/")
        or made["title"] in ann.get(f"/items/{db}/", follow=True).content.decode()
    )
    done = bea.post(f"/votes/{vote.pk}/do/approve/", {"back": "/to-approve/"})
    assert done.status_code == 302, done.content[:500]
    work()
    assert call(ann, "get", f"changes/{made['id']}")["status"] == "approved"
    assert "Nothing waits for your answer" in read(bea, "/to-approve/")


def test_states_are_said_as_people_say_them(people: dict[str, Any]) -> None:
    ann = as_(people["ann"])
    order = call(ann, "post", "work-orders", {"title": "swap it", "kind": "preventive"}, 201)
    until = (timezone.now() + HOUR).isoformat()
    call(ann, "post", f"work-orders/{order['id']}/put-off", {"until": until, "reason": "no parts"})
    for url in ("/work-orders/", f"/work-orders/{order['id']}/"):
        page = read(ann, url)
        assert ">put off</span>" in page and ">preventive</span>" in page and ">deferred<" not in page, url
    made = plan(ann, service(ann, "db"))
    act(ann, made, "assess")
    act(ann, made, "ask")
    page = read(ann, f"/changes/{made['id']}/")
    assert "waiting for approval</span>" in page
    assert page.count(made["implementation"]) == 1, "the plans are said once"


def test_the_steps_of_a_work_order_are_ticked_on_its_page(people: dict[str, Any]) -> None:
    ann = as_(people["ann"])
    order = call(ann, "post", "work-orders", {"title": "clean", "checklist": "filter\n- fan"}, 201)
    assert order["checklist"] == "[ ] filter\n[ ] fan"
    url = f"/work-orders/{order['id']}/"
    assert "Tick: filter" in read(ann, url) and "0 of 2 done" in read(ann, url)
    assert ann.post(f"{url}tick/", {"step": "1", "done": "yes"}).status_code == 302
    assert "1 of 2 done" in read(ann, url)
    assert "fan" in call(ann, "post", f"work-orders/{order['id']}/finish", {"minutes": 5}, 409)["detail"]
    ann.post(f"{url}tick/", {"step": "1"})
    ann.post(f"{url}tick/", {"step": "9", "done": "yes"})
    assert call(ann, "get", f"work-orders/{order['id']}")["checklist"] == "[ ] filter\n[ ] fan"
    assert as_(people["bea"]).post(f"{url}tick/", {"step": "1", "done": "yes"}).status_code in (403, 404)


def test_the_page_of_a_plan_by_a_meter_says_what_it_reads(people: dict[str, Any]) -> None:
    ann = as_(people["ann"])
    body = {"name": "oil", "trigger": "meter", "query": 'run_hours{host="$item"}', "every": 500}
    made = call(ann, "post", "maintenance-plans", {**body, "items": [service(ann, "db")]}, 201)
    assert "It could not be read" in read(ann, f"/maintenance-plans/{made['id']}/"), (
        "there is no telemetry here"
    )


def test_a_change_is_planned_from_a_situation_and_a_ticket_without_typing_ids(people: dict[str, Any]) -> None:
    ann = as_(people["ann"])
    db = service(ann, "db")
    failure(db, 1, timezone.now() - HOUR, None)
    ticket = call(ann, "post", "tickets", {"title": "slow", "items": [db]}, 201)
    for url, kind in (("/situations/s1/", "situations"), (f"/tickets/{ticket['id']}/", "tickets")):
        page = read(ann, url)
        (link,) = [
            part.partition('"')[0] for part in page.split('href="') if part.startswith("/changes/new/?")
        ]
        link = link.replace("&amp;", "&")
        assert f"about_kind={kind}" in link and db in link
        assert "New change" in read(ann, link) or "change" in read(ann, link)
    report = read(ann, "/reliability/?days=30")
    assert "still down" in report and "db" in report
