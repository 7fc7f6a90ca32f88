"""Tags and custom fields in lists: set for many at once, asked for by filters that can be taken away, kept in views."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from watchkeeper.domains.annotations.models import Tag
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.lists.models import SavedView
from watchkeeper.kernel.models import AuditEntry


@pytest.fixture
def ann(db: None) -> Client:  # noqa: ARG001
    client = Client()
    client.force_login(User.objects.create_user("ann", "correct horse battery", is_administrator=True))
    return client


def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    answer = client.post(f"/api/{path}/", json.dumps(body), content_type="application/json")
    assert answer.status_code == 201, answer.content
    return answer.json()


def define(client: Client, type_: str, name: str, **more: Any) -> None:
    post(client, "custom-fields", {"kind": "devices", "name": name, "type": type_, **more})


def tags_of(client: Client, key: str) -> list[str]:
    found: list[str] = client.get(f"/api/devices/{key}/").json()["tags"]
    return found


def many(client: Client, keys: list[str], **form: Any) -> Any:
    return client.post("/devices/many/", {"do": "annotate", "ids": json.dumps(keys), **form})


def test_many_are_tagged_at_once(ann: Client) -> None:
    define(ann, "whole", "cost_centre", maximum=99)
    keys = [
        post(ann, "devices", {"name": n, "tags": t})["id"] for n, t in (("a", ["old"]), ("b", ["Old", "pci"]))
    ]
    assert 'value="annotate"' in ann.get("/devices/").content.decode()
    asked = ann.post("/devices/many/", {"do": "annotate", "pk": keys}).content.decode()
    assert "Tag 2 devices" in asked and 'data-word="pci"' in asked and "Cost centre" in asked
    given = {"tags-add": "gold, new", "tags-take": "OLD", "set": "cf_cost_centre", "cf_cost_centre": "40"}
    assert many(ann, keys, **given)["Location"].endswith("done=annotate:2")
    assert [tags_of(ann, key) for key in keys] == [["gold", "new"], ["gold", "new", "pci"]]
    assert ann.get(f"/api/devices/{keys[0]}/").json()["custom_fields"] == {"cost_centre": 40}
    assert AuditEntry.objects.filter(act="device.change", record=keys[1]).count() == 1
    assert "Tagged 2 devices." in ann.get("/devices/?all=1&done=annotate:2").content.decode()


def test_all_are_tagged_or_none(ann: Client) -> None:
    define(ann, "whole", "cost_centre", maximum=99)
    key = post(ann, "devices", {"name": "a"})["id"]
    for given in (
        {},
        {"tags-add": "x" * 65},
        {"tags-add": "gold", "set": "cf_cost_centre", "cf_cost_centre": "100"},
    ):
        refused = many(ann, [key], **given)
        assert refused.status_code == 400
        assert "Nothing was changed" in refused.content.decode()
    assert tags_of(ann, key) == [] and not Tag.objects.exists()


def test_what_nobody_edits_is_tagged_too(ann: Client) -> None:
    assert ann.post("/audit/many/", {"do": "annotate", "pk": ["1"]}).status_code == 404
    item = post(ann, "items", {"kind": "host", "name": "web"})["id"]
    answer = ann.post("/items/many/", {"do": "annotate", "ids": json.dumps([item]), "tags-add": "gold"})
    assert answer.status_code == 302
    assert 'href="/items/?tag=gold' in ann.get(f"/items/{item}/").content.decode()


def chips(client: Client, address: str) -> list[str]:
    page = client.get(address)
    assert page.status_code == 200, page.content
    return [f"{chip.text} -> {chip.without}" for chip in page.context["chips"]]


def test_filters_by_tag_and_custom_field_are_said_and_taken_away(ann: Client) -> None:
    define(ann, "whole", "cost_centre")
    define(ann, "reference", "stands_in_for", label="Stands in for", target="devices")
    core = post(ann, "devices", {"name": "core", "tags": ["gold", "pci"]})["id"]
    leaf = {"cost_centre": 41, "stands_in_for": core}
    post(ann, "devices", {"name": "leaf", "tags": ["gold"], "custom_fields": leaf})
    assert chips(ann, "/devices/?tag=gold&cf_cost_centre__gte=40") == [
        "Tag is <strong>gold</strong> -> cf_cost_centre__gte=40",
        "Cost centre is at least <strong>40</strong> -> tag=gold",
    ]
    assert chips(ann, "/devices/?tag=gold&tag=pci") == [
        "Tag is <strong>gold</strong> -> tag=pci", "Tag is <strong>pci</strong> -> tag=gold",
    ]  # fmt: skip
    assert chips(ann, f"/devices/?cf_stands_in_for={core}") == [
        "Stands in for is <strong>core</strong> -> all=1"
    ]
    assert chips(ann, "/devices/?cf_cost_centre__isnull=true") == ["Cost centre is empty -> all=1"]


def test_filters_by_tag_and_custom_field_are_added(ann: Client) -> None:
    define(ann, "choices", "sites", choices=["north", "south"])
    post(ann, "devices", {"name": "core", "tags": ["gold", "pci"], "custom_fields": {"sites": ["north"]}})
    fields = dict(ann.get("/devices/").context["fields"])
    assert fields["tag"] == "Tag" and fields["cf_sites"] == "Sites"
    assert "pci" in ann.get("/devices/filter/?add=tag").content.decode()
    how = ann.get("/devices/filter/?add=cf_sites&add-by=cf_sites__in").content.decode()
    assert "has one of" in how and 'value="north"' in how
    go = {"add-go": "1", "add": "tag", "add-by": "tag", "add-value": "pci", "tag": "gold"}
    assert ann.get("/devices/", go)["Location"] == "/devices/?tag=gold%2Cpci"
    go = {"add-go": "1", "add": "cf_sites", "add-by": "cf_sites__in", "add-value": ["north", "south"]}
    assert ann.get("/devices/", go)["Location"] == "/devices/?cf_sites__in=north%2Csouth"
    assert chips(ann, "/devices/?cf_sites__in=north%2Csouth") == [
        "Sites has one of <strong>north, south</strong> -> all=1"
    ]


def test_a_view_keeps_them(ann: Client) -> None:
    define(ann, "whole", "cost_centre")
    post(ann, "devices", {"name": "core", "tags": ["gold"], "custom_fields": {"cost_centre": 50}})
    post(ann, "devices", {"name": "leaf"})
    form = {"name": "dear", "sharing": "private", "query": "tag=gold&cf_cost_centre__gte=40"}
    assert ann.post("/devices/views/", form).status_code == 302
    view = SavedView.objects.get()
    assert view.filters == {"tag": "gold", "cf_cost_centre__gte": "40"}
    page = ann.get(f"/devices/?view={view.pk}")
    assert [row.title for row in page.context["rows"]] == ["core"]
    assert len(page.context["chips"]) == 2


def test_columns_and_order_by_custom_field(ann: Client) -> None:
    """A field is chosen as any column is, also one that lists do not show by themselves, and orders the list."""
    define(ann, "decimal", "price", label="Price (EUR)", in_lists=True)
    define(ann, "yes_no", "leased")
    post(ann, "devices", {"name": "core", "custom_fields": {"price": 1200, "leased": True}})
    post(ann, "devices", {"name": "leaf", "custom_fields": {"price": 90.5}})
    choice = ann.get("/devices/columns/").context
    assert "cf_price" in [c.name for c in choice["chosen"]]  # as the list shows it
    others = {c.name: c.heading for _, group in choice["groups"] for c, _ in group}
    assert others["cf_leased"] == "Leased" and "custom_fields" not in others
    assert (
        ann.post("/devices/columns/", {"column": ["name", "cf_leased", "cf_price"], "save": ""}).status_code
        == 302
    )
    listed = ann.get("/devices/?ordering=-cf_price")
    assert [[str(cell) for _, cell in row.cells][1:] for row in listed.context["rows"]] == [
        ["yes", "1\u202f200"],
        ['<span class="text-secondary">–</span>', "90.5"],
    ]
    price = listed.context["columns"][2]
    assert price["way"] == "descending" and "ordering=cf_price" in price["url"]
    view = {"name": "dear", "sharing": "private", "query": "ordering=cf_price", "columns": "name,cf_price"}
    assert ann.post("/devices/views/", view).status_code == 302
    seen = ann.get("/devices/", {"view": SavedView.objects.get().pk}).context
    assert [row.title for row in seen["rows"]] == ["leaf", "core"] and len(seen["columns"]) == 2


def test_a_reference_is_chosen_and_not_typed(ann: Client) -> None:
    define(ann, "reference", "stands_in_for", target="devices")
    core = post(ann, "devices", {"name": "core"})["id"]
    leaf = post(ann, "devices", {"name": "leaf"})["id"]
    form = ann.get(f"/devices/{leaf}/fields/").content.decode()
    assert 'data-pick="/devices/pick.json"' in form and ">core</option>" in form
    assert ann.post(f"/devices/{leaf}/fields/", {"cf_stands_in_for__named": "core"}).status_code == 302
    assert ann.get(f"/api/devices/{leaf}/").json()["custom_fields"] == {"stands_in_for": core}
    refused = ann.post(f"/devices/{leaf}/fields/", {"cf_stands_in_for": "nothing"})
    assert refused.status_code == 400
    assert ann.post(f"/devices/{leaf}/fields/", {}).status_code == 302
    assert ann.get(f"/api/devices/{leaf}/").json()["custom_fields"] == {"stands_in_for": None}
