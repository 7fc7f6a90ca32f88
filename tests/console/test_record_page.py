"""The frame of a page and of a record's page: the groups of the navigation, and what comes after what."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client
from django.utils import timezone

from watchkeeper.domains.access.models import Grant, Role
from watchkeeper.domains.desk.models import Ticket, TicketTemplate
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.oncall.models import Schedule
from watchkeeper.kernel import doing
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import serializer_of


@pytest.fixture
def ann(db: None) -> Client:  # noqa: ARG001
    client = Client()
    client.force_login(User.objects.create_user("ann", "correct horse battery", is_administrator=True))
    return client


def open_groups(client: Client, address: str) -> list[str]:
    return [g.heading for g in client.get(address).context["menu"] if g.open]


def test_what_is_needed_daily_is_in_sight_and_the_group_of_this_page(ann: Client) -> None:
    assert open_groups(ann, "/") == ["", "Respond", "Explore", "Desk", "Inventory"]
    assert open_groups(ann, "/jobs/") == ["", "Respond", "Explore", "Desk", "Inventory", "Administration"]
    page = ann.get("/tags/").content.decode()
    assert page.count("data-here") == 1 and 'data-group="Administration" data-here open' in page


def test_nobody_sees_a_heading_with_nothing_below_it(db: None) -> None:  # noqa: ARG001
    client = Client()
    rae = User.objects.create_user("rae", "correct horse battery")
    role = Role.objects.get(name="requester")
    Grant.objects.create(role=role, user=rae, reason="test", approved_by="test", valid_from=timezone.now())
    client.force_login(rae)
    menu = client.get("/").context["menu"]
    assert all(g.entries for g in menu) and "Inventory" not in {g.heading for g in menu}


def test_a_list_that_cannot_be_shown_leads_back_to_itself(ann: Client) -> None:
    answer = ann.get("/devices/?colour=red")
    text = answer.content.decode()
    assert answer.status_code == 400 and "&#x27;colour&#x27; is not a filter here.</p>" in text
    assert 'href="/devices/?all=1"' in text and "icontains" not in text


def test_an_empty_list_says_whether_there_is_none_or_none_that_matches(ann: Client) -> None:
    """Also a list that begins with a filter; and a choice of nothing is not offered as one."""
    text = ann.get("/tickets/").content.decode()
    assert (
        "There are no tickets yet." in text
        and 'href="/tickets/new/">New ticket' in text.partition("Nothing here")[2]
    )
    ann.post("/api/tickets/", {"title": "It is over"}, content_type="application/json")
    assert "No tickets match." in ann.get("/tickets/?status=closed").content.decode()
    assert ">as it is</option>" not in ann.get("/macros/").content.decode()


def test_forms_ask_for_all_that_is_needed() -> None:
    """Of every kind that people make."""
    for resource in filter(doing.for_people, registry):
        needed = {n for n, f in serializer_of(resource)().fields.items() if f.required and not f.read_only}
        assert needed <= {*resource.writable, *resource.create_only}, resource.path


def test_lines_end_as_everywhere_else(ann: Client) -> None:
    """Browsers send two characters at the end of a line of a form."""
    given = {
        "title": "Mail is down",
        "description": "since noon\r\nfor all",
        "impact": "2",
        "urgency": "2",
        "type": "incident",
    }
    assert ann.post("/tickets/new/", given).status_code == 302
    assert Ticket.objects.get().description == "since noon\nfor all"


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("quiet-hours", {}),
        ("schedule-layers", {"people": "ann", "starts_on": "2026-11-30"}),
        ("recurring-tickets", {"name": "Backups", "starts_on": "2026-11-30"}),
    ],
)
def test_a_form_takes_the_times_of_day_that_it_proposes(
    ann: Client, path: str, given: dict[str, str]
) -> None:
    """And goes back to the page that led to it; another one begins with the same."""
    schedule = Schedule.objects.create(name="Shop")
    template = TicketTemplate.objects.create(name="Check", title="Check the backups")
    made_of = {"schedule": str(schedule.pk), "template": str(template.pk)}
    address = f"/{path}/new/?schedule={schedule.pk}&back=/schedules/{schedule.pk}/"
    form = ann.get(address).context["fields"]
    text = ann.get(address).content.decode()
    proposed = dict(re.findall(r'name="(handover|at|begins|ends)" value="([^"]*)" type="time"', text))
    assert proposed and all(re.fullmatch(r"\d\d:\d\d", v) for v in proposed.values())
    values = {f.name: f.value for f in form if f.name not in proposed} | proposed | made_of | given
    saved = ann.post(address, values)
    assert (saved.status_code, saved.headers.get("Location")) == (302, f"/schedules/{schedule.pk}/"), (
        saved.context["error"]
    )
    assert ann.get(f"/{path}/new/?back=https://elsewhere.example/").context["back"] == ""


def test_what_was_done_to_custom_fields_is_told(ann: Client) -> None:
    def send(method: str, path: str, body: dict[str, object]) -> str:
        answer = getattr(ann, method)(f"/api/{path}/", json.dumps(body), content_type="application/json")
        assert answer.status_code in (200, 201), answer.content
        return str(answer.json()["id"])

    field = send(
        "post",
        "custom-fields",
        {"kind": "devices", "name": "price", "label": "Price (EUR)", "type": "decimal"},
    )
    key = send("post", "devices", {"name": "told", "custom_fields": {"price": 1185.0}})
    send("patch", f"devices/{key}", {"custom_fields": {"price": 1222.5}})
    text = ann.get(f"/devices/{key}/").content.decode()
    assert "<dt>Price (EUR)</dt><dd><del>1\u202f185</del>" in text and "<ins>1222.5</ins>" in text
    entries = ann.get(f"/api/audit/?record={key}").json()["results"]
    changed, made = (ann.get(f"/audit/{e['id']}/").content.decode() for e in entries)
    assert "<del>1\u202f185</del>" in changed and "custom_fields." not in changed
    assert "Made with these values" in made and "site_id" not in made
    assert ann.delete(f"/api/custom-fields/{field}/").status_code == 204
    assert "<dt>Price</dt><dd><del>1185</del>" in ann.get(f"/devices/{key}/").content.decode()


def test_a_record_is_told_in_order(ann: Client) -> None:
    def post(path: str, body: dict[str, object]) -> str:
        answer = ann.post(f"/api/{path}/", json.dumps(body), content_type="application/json")
        return str(answer.json()["id"])

    post("custom-fields", {"kind": "devices", "name": "cost_centre", "type": "whole"})
    key = post("devices", {"name": "core", "tags": ["gold"]})
    text = ann.get(f"/devices/{key}/").content.decode()
    parts = (
        ">core</h1>", 'class="wk-tag"', ">Change</a>", ">Facts<", ">More about it<", 'id="related"', ">Write a note<",
        ">What people did<", ">Add a link<", ">Add a file<",
    )  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert ">Links<" not in text and ">Files<" not in text and ">Notes<" not in text
