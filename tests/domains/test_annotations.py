"""What people attach to records: through REST and the console, with real files and a real database."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.kernel.kind_checks import Api, problem
from watchkeeper.domains import annotations
from watchkeeper.domains.access.models import Grant, Policy, Role
from watchkeeper.domains.annotations import storing, tidying
from watchkeeper.domains.annotations.models import Bookmark, CustomValue, File, Link, Note, Tagging
from watchkeeper.domains.annotations.notes import as_html
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inventory.models import Item
from watchkeeper.exchange import applying, planning, tables
from watchkeeper.exchange.tables import Format
from watchkeeper.kernel.acting import SYSTEM, Actor, ActorKind, Scope
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.resource import registry

JSON = "application/json"
FIELDS: tuple[tuple[str, dict[str, Any], Any, Any], ...] = (
    # type, the rest of the definition, a value, one that is refused
    ("text", {"pattern": "[A-Z]{2}-[0-9]+", "maximum": 6}, "AB-12", "ab-12"),
    ("long_text", {}, "one\n\ntwo", "x" * 20_001),
    ("whole", {"minimum": 1, "maximum": 9}, 9, 9.5),
    ("decimal", {"minimum": 0}, 0.125, -1),
    ("yes_no", {}, True, "perhaps"),
    ("date", {}, "2026-02-28", "2026-02-30"),
    ("moment", {}, "2026-02-28T08:00:00Z", "2026-02-28T08:00:00"),
    ("url", {}, "https://example.org/a?b=c", "javascript:alert(1)"),
    ("choice", {"choices": ["a", "b"]}, "b", "c"),
    ("choices", {"choices": ["a", "b", "c"]}, ["a", "c"], ["a", "d"]),
)


class Rest:
    """Calls with a token."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def __call__(self, method: str, url: str, body: Any = None, status: int = 200) -> Any:
        call = getattr(self.client, method)
        given = {"data": body} if method == "get" else {"data": json.dumps(body), "content_type": JSON}
        answer = call(f"/api/{url}", **given)
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None

    def refused(self, method: str, url: str, body: Any, status: int = 400) -> Any:
        call = getattr(self.client, method)
        given = {"data": body} if method == "get" else {"data": json.dumps(body), "content_type": JSON}
        return problem(call(f"/api/{url}", **given), status)

    def define(self, type_: str, name: str = "", **more: Any) -> str:
        """A custom field of devices; its name."""
        body = {"kind": "devices", "name": name or type_, "type": type_, **more}
        return str(self("post", "custom-fields/", body, 201)["name"])

    def device(self, name: str, **more: Any) -> Any:
        return self("post", "devices/", {"name": name, **more}, 201)

    def upload(self, record: str, name: str, content: bytes, status: int = 201) -> Any:
        file = {"kind": "devices", "record": record, "file": SimpleUploadedFile(name, content)}
        answer = self.client.post("/api/files/upload/", file)
        assert answer.status_code == status, answer.content
        return answer.json()


@pytest.fixture
def rest(api: Api) -> Rest:
    return Rest(api("admin"))


@pytest.fixture
def ann(db: None) -> Client:  # noqa: ARG001
    """Signed in to the console, with every right."""
    client = Client()
    client.force_login(User.objects.create_user("ann", "correct horse battery", is_administrator=True))
    return client


@pytest.mark.parametrize(("type_", "more", "value", "wrong"), FIELDS, ids=[f[0] for f in FIELDS])
def test_a_field_of_every_type(rest: Rest, type_: str, more: dict[str, Any], value: Any, wrong: Any) -> None:
    name = rest.define(type_, **more)
    made = rest.device("a", custom_fields={name: value})
    assert made["custom_fields"] == {name: value}
    assert rest("get", f"devices/{made['id']}/")["custom_fields"] == {name: value}
    assert (
        name
        in rest.refused("patch", f"devices/{made['id']}/", {"custom_fields": {name: wrong}})["errors"][
            "custom_fields"
        ]
    )
    rest.device("b")
    asked = value[0] if isinstance(value, list) else json.dumps(value) if isinstance(value, bool) else value
    assert rest("get", "devices/", {f"cf_{name}": asked})["count"] == 1
    assert rest("get", "devices/", {f"cf_{name}__isnull": "true"})["count"] == 1
    rest("patch", f"devices/{made['id']}/", {"custom_fields": {name: None}})
    assert rest("get", "devices/", {f"cf_{name}__isnull": "true"})["count"] == 2
    entry = AuditEntry.objects.filter(act="device.change").latest("id")
    assert (entry.before, entry.after) == ({f"custom_fields.{name}": value}, {f"custom_fields.{name}": None})


def test_fields_compare_as_their_type(rest: Rest) -> None:
    for type_, values in (("whole", (2, 10)), ("date", ("2026-01-02", "2026-01-10")),
                          ("moment", ("2026-01-01T23:00:00+02:00", "2026-01-01T22:00:00Z"))):  # fmt: skip
        name = rest.define(type_)
        for n, value in enumerate(values):
            rest.device(f"{name} {n}", custom_fields={name: value})
        later = rest("get", "devices/", {f"cf_{name}__gt": values[0]})["results"]
        assert [d["name"] for d in later] == [f"{name} 1"]
        assert rest("get", "devices/", {f"cf_{name}__in": ",".join(map(str, values))})["count"] == 2
        for way, expected in (("", ["0", "1"]), ("-", ["1", "0"])):
            asked = {"ordering": f"{way}cf_{name}", f"cf_{name}__isnull": "false"}
            there = rest("get", "devices/", asked)["results"]
            assert [d["name"][-1] for d in there] == expected
    assert rest.refused("get", "devices/", {"cf_whole": "many"})["parameter"] == "cf_whole"
    assert rest.refused("get", "devices/", {"cf_whole__like": "1"})["parameter"] == "cf_whole__like"
    assert rest.refused("get", "devices/", {"cf_nothing": "1"})["parameter"] == "cf_nothing"


def test_lists_are_walked_in_the_order_of_a_field(rest: Rest) -> None:
    """Also of records that are found by a number, and with a cursor from page to page; who has no value comes first."""
    name = rest.define("text", "place")
    for value in ("north", "east", None, "south"):
        rest.device(f"at {value}", custom_fields={name: value})
    url, seen = "devices/?cursor=&limit=1&ordering=cf_place&fields=name", []
    while url:
        found = rest("get", url)
        seen += [d["name"] for d in found["results"]]
        url = (found["next"] or "").partition("/api/")[2]
    assert seen == ["at None", "at east", "at north", "at south"]
    rest("post", "custom-fields/", {"kind": "tags", "name": "rank", "type": "whole"}, 201)
    for tag, rank in (("gold", 3), ("iron", 1), ("silver", 2)):
        rest("post", "tags/", {"name": tag, "custom_fields": {"rank": rank}}, 201)
    found = rest("get", "tags/?ordering=-cf_rank")["results"]
    assert [t["name"] for t in found] == ["gold", "silver", "iron"]
    rest.define("choices", "sites", choices=["a", "b"])
    for order in ("cf_sites", "cf_nothing", "tag"):
        assert rest.refused("get", "devices/", {"ordering": order})["parameter"] == "ordering"


def test_a_field_is_called_otherwise_than_the_kinds_own(rest: Rest) -> None:
    taken = {"kind": "devices", "name": "serial", "type": "text"}
    assert "of its own" in rest.refused("post", "custom-fields/", taken)["errors"]["name"][0]


def test_a_reference_leads_to_a_record_and_goes_with_it(rest: Rest) -> None:
    name = rest.define("reference", target="sites")
    site = rest("post", "sites/", {"name": "attic"}, 201)["id"]
    device = rest.device("a", custom_fields={name: site})
    rest.refused("patch", f"devices/{device['id']}/", {"custom_fields": {name: "nowhere"}})
    assert rest("get", "devices/", {f"cf_{name}": site})["count"] == 1
    rest("delete", f"sites/{site}/", None, 204)
    assert rest("get", f"devices/{device['id']}/")["custom_fields"] == {name: None}


def test_defaults_and_what_is_required(rest: Rest) -> None:
    rest.define("choice", "tier", choices=["gold", "silver"], default="silver")
    old = rest.device("old")
    rest.define("text", "owner", required=True)
    assert "owner" in rest.refused("post", "devices/", {"name": "a"})["errors"]["custom_fields"]
    assert (
        "1"
        in rest.refused("post", "devices/", [{"name": "a", "custom_fields": {"owner": "x"}}, {"name": "b"}])[
            "errors"
        ]
    )
    made = rest.device("a", custom_fields={"owner": "ann"})
    assert made["custom_fields"] == {"owner": "ann", "tier": "silver"}
    rest("patch", f"devices/{old['id']}/", {"role": "switch"})  # what is there may lack it
    rest("put", f"devices/{old['id']}/", rest("get", f"devices/{old['id']}/"), 400)
    rest.refused("patch", f"devices/{made['id']}/", {"custom_fields": {"owner": ""}})
    problem = rest.refused("patch", f"devices/{made['id']}/", {"custom_fields": {"onwer": "x"}})
    assert "there are: owner, tier" in problem["errors"]["custom_fields"]["onwer"][0]


def test_every_item_has_what_items_have(rest: Rest) -> None:
    rest("post", "custom-fields/", {"kind": "items", "name": "owner", "type": "text"}, 201)
    device = rest.device("a", tags=["gold"], custom_fields={"owner": "ann"})
    item = rest("get", f"items/{device['id']}/")
    assert (item["tags"], item["custom_fields"]) == (["gold"], {"owner": "ann"})
    assert rest("get", "items/", {"tag": "gold", "cf_owner": "ann"})["count"] == 1
    taken = {"kind": "devices", "name": "owner", "type": "text"}
    assert "name" in rest.refused("post", "custom-fields/", taken)["errors"]


def test_a_changed_definition_says_what_does_not_fit(rest: Rest, ann: Client) -> None:
    name = rest.define("choice", choices=["a", "b"])
    rest.device("x", custom_fields={name: "a"})
    other = rest.device("y", custom_fields={name: "b"})
    [field] = rest("get", "custom-fields/")["results"]
    assert field["records"] == 2
    rest("patch", f"custom-fields/{field['id']}/", {"choices": ["a"]})
    page = ann.get(f"/custom-fields/{field['id']}/").content.decode()
    assert "<strong>1</strong> of these does not fit" in page
    assert rest("get", f"devices/{other['id']}/")["custom_fields"] == {name: "b"}
    for fixed in ({"type": "text"}, {"kind": "sites"}, {"name": "other"}):
        rest.refused("patch", f"custom-fields/{field['id']}/", fixed)
    rest("delete", f"custom-fields/{field['id']}/", None, 204)
    assert rest("get", f"devices/{other['id']}/")["custom_fields"] == {}
    assert CustomValue.objects.count() == 0


def test_a_pattern_cannot_take_forever(rest: Rest) -> None:
    name = rest.define("text", pattern="(a+)+b")
    began = time.process_time()
    assert rest.refused("post", "devices/", {"name": "a", "custom_fields": {name: "a" * 200}})
    assert time.process_time() - began < 20  # a backtracking engine would need longer than the universe has


@pytest.mark.parametrize("form", list(Format))
def test_an_export_comes_back_unchanged(rest: Rest, form: Format) -> None:
    for type_, more, *_ in FIELDS:
        rest.define(type_, **more)
    rest.device("a", tags=["x y", "Z"], custom_fields={type_: value for type_, _, value, _ in FIELDS})
    rest.device("b")
    devices = registry["devices"]
    text = "".join(
        tables.write(applying.rows_of(devices, devices.queryset()), form, applying.columns_of(devices))
    )
    rows = tables.read(text.encode(), form)
    cells = form is Format.CSV
    plan = planning.plan(devices, SYSTEM, rows, cells=cells)
    assert (plan.wrong, plan.steps, plan.unchanged) == ([], 0, 2)
    before = rest("get", "devices/")["results"]
    for device in before:
        rest(
            "patch",
            f"devices/{device['id']}/",
            {"tags": [], "custom_fields": dict.fromkeys(device["custom_fields"])},
        )
    plan = planning.plan(devices, SYSTEM, rows, cells=cells)
    assert (plan.wrong, len(plan.changes)) == ([], 1)
    applying.apply(plan, SYSTEM)
    assert rest("get", "devices/")["results"] == before


def test_many_are_tagged_or_none(rest: Rest) -> None:
    ids = [rest.device(f"d{n}")["id"] for n in range(3)]
    body = [{"id": pk, "tags": ["gold"]} for pk in ids]
    rest.refused("patch", "devices/", [*body[:2], {"id": ids[2], "tags": ["a" * 65]}])
    assert Tagging.objects.count() == 0
    assert [d["tags"] for d in rest("patch", "devices/", body)] == [["gold"]] * 3
    assert rest("get", "devices/", {"tag": ["gold"], "tag__any": "nothing,gold"}, 400)
    made = rest("post", "devices/", [{"name": f"n{n}", "tags": ["gold", f"t{n}"]} for n in range(2)], 201)
    assert [d["tags"] for d in made] == [["gold", "t0"], ["gold", "t1"]]
    assert rest("get", "devices/", {"tag": ["gold", "t1"]})["count"] == 1
    assert rest("get", "devices/", {"tag__any": "t0,t1"})["count"] == 2
    rest.refused("get", "devices/", {"tag": "brass"})


def test_tags_of_any_case_are_one(rest: Rest) -> None:
    assert rest.device("a", tags=["Straße", "GOLD"])["tags"] == ["GOLD", "Straße"]
    assert rest.device("b", tags=["gold", "STRASSE", "gold "])["tags"] == ["GOLD", "Straße"]
    assert rest("get", "tags/")["count"] == 2
    rest.refused("post", "tags/", {"name": "Gold"})


def test_a_list_costs_as_many_queries_with_them(rest: Rest, ann: Client) -> None:
    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            answer = (rest.client if address.startswith("/api") else ann).get(address)
        assert answer.status_code == 200
        return sum(q["sql"].startswith("SELECT") for q in captured.captured_queries)

    rest.define("text", in_lists=True)
    rest.device("a", tags=["t0"], custom_fields={"text": "x"})
    few = queries("/api/devices/"), queries("/devices/")
    for n in range(20):
        rest.device(f"d{n}", tags=[f"t{n}", "gold"], custom_fields={"text": f"{n}"})
    assert (queries("/api/devices/"), queries("/devices/")) == few


def test_alerts_that_nobody_edits_are_tagged(rest: Rest, ann: Client) -> None:
    item = rest("post", "items/", {"kind": "host", "name": "web"}, 201)["id"]
    url = f"annotations/items/{item}/"
    assert rest("patch", url, {"tags": ["noise"]}) == {"tags": ["noise"], "custom_fields": {}}
    assert "colour" in rest.refused("patch", url, {"colour": 1})["errors"]
    rest.refused("get", "annotations/unicorns/1/", None, 404)
    rest.refused("get", "annotations/items/nothing/", None, 404)
    assert ann.post(f"/items/{item}/tags/", {"tags": "a, b"}).status_code == 302
    assert rest("get", f"items/{item}/")["tags"] == ["a", "b"]


# --- notes, links, bookmarks ------------------------------------------------------------------------------------
def test_notes_are_their_authors(rest: Rest, ann: Client) -> None:
    device = rest.device("a")["id"]
    on = {"kind": "devices", "record": device}
    mine = rest("post", "notes/", {**on, "text": "mine"}, 201)
    bob = User.objects.create_user("bob", "correct horse battery")
    Grant.objects.create(
        role=Role.objects.get(name="operations engineer"), user=bob, reason="test", valid_from=timezone.now()
    )
    other = Client()
    other.force_login(bob)
    here = f"/devices/{device}/notes/"
    assert other.post(here, {"text": "bob's", "level": "info"}).status_code == 302
    theirs = Note.objects.get(author="bob")
    assert other.post(f"{here}{theirs.pk}/", {"text": "bob's own", "level": "danger"}).status_code == 302
    assert Note.objects.get(pk=theirs.pk).text == "bob's own"
    assert other.post(f"{here}{mine['id']}/", {"text": "not bob's"}).status_code == 409
    assert other.post(f"{here}{mine['id']}/remove/").status_code == 409
    made = other.post("/api/tokens/", {"name": "all of it", "scope": "admin"}, content_type=JSON).json()
    token = {"headers": {"authorization": f"Bearer {made['secret']}"}, "content_type": JSON}
    url = f"/api/notes/{mine['id']}/"
    assert Client().patch(url, {"text": "not bob's"}, **token).status_code == 409  # who is no administrator
    assert Client().delete(url, **token).status_code == 409
    assert ann.post(f"{here}{theirs.pk}/remove/").status_code == 302  # an administrator
    rest.refused("patch", f"notes/{mine['id']}/", {"record": rest.device("b")["id"]})


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;"),
        ("[x](javascript:alert(1))", "[x](javascript"),
        ("[x](data:text/html;base64,AAAA)", "[x](data"),
        ("![x](https://example.org/track.png)", "<a "),
        ("<img src=x onerror=alert(1)>", "&lt;img"),
        ("<a href='https://x' onclick='y'>z</a>", "&lt;a href"),
        ("`<b>`", "<code>&lt;b&gt;</code>"),
        ("|a|b|\n|-|-|\n|1|2|", "<table>"),
        ("|a|b|\n|-|-|\n|1|2|", '<div class="wk-wide" tabindex="0"><table>'),
        ('[x](https://example.org "a\\"onmouseover=alert(1) b")', 'href="https://example.org"'),
    ],
)
def test_notes_are_harmless(text: str, harmless: str) -> None:
    html = as_html(text)
    assert harmless in html
    for bad in (
        "<script",
        "<img",
        'onerror="',
        'onmouseover="',
        'href="javascript',
        'href="data',
        'onclick="',
    ):
        assert bad not in html


def test_links_show_at_both_ends(rest: Rest, ann: Client) -> None:
    one, two = rest.device("one")["id"], rest.device("two")["id"]
    link = {"kind": "devices", "record": one, "sort": "blocks", "to_kind": "items", "to_record": two}
    made = rest("post", "links/", link, 201)
    assert made["to_kind"] == "devices"  # the item's own kind
    assert "is blocked by" in ann.get(f"/devices/{two}/").content.decode()
    rest.refused("post", "links/", link)
    rest.refused("post", "links/", {**link, "to_record": one})
    rest.refused("post", "links/", {**link, "url": "https://example.org"})
    rest.refused("post", "links/", {"kind": "devices", "record": one, "url": "ftp://example.org"})
    here = {"sort": "relates_to", "to": f"http://testserver/devices/{two}/"}
    assert ann.post(f"/devices/{one}/links/", here).status_code == 302
    assert Link.objects.filter(to_record=two).count() == 2
    assert ann.post(f"/devices/{two}/links/{made['id']}/remove/").status_code == 302
    rest("delete", f"devices/{two}/", None, 204)
    assert Link.objects.count() == 0


def test_bookmarks_are_ones_own(rest: Rest, ann: Client) -> None:
    device = rest.device("a")["id"]
    assert ann.post(f"/devices/{device}/bookmark/", {"wanted": "1"}).status_code == 302
    assert ann.post(f"/items/{device}/bookmark/", {"wanted": "1"}).status_code == 302
    person = User.objects.get(username="ann")
    actor = Actor(ActorKind.PERSON, "ann", str(person.pk), Scope.ADMIN, person=person)
    [kept] = annotations.bookmarks_of(actor)
    assert (kept.title, kept.url, kept.kind) == ("a", f"/devices/{device}/", "device")
    other = User.objects.create_user("bob", "correct horse battery")
    assert annotations.bookmarks_of(Actor(ActorKind.PERSON, "bob", str(other.pk), person=other)) == []
    assert [p["label"] for p in ann.get("/palette/places.json").json()["rows"] if p["group"] == "Bookmark"]
    assert "Your bookmarks" in ann.get("/").content.decode()
    assert kept.title in ann.get("/bookmarks/").content.decode()
    assert ann.get("/api/bookmarks/").json() == [
        {"kind": "devices", "id": device, "title": kept.title, "url": f"/devices/{device}/"}
    ]
    problem(ann.put("/api/bookmarks/devices/nothing/"), 404)
    assert ann.delete(f"/api/bookmarks/devices/{device}/").status_code == 204
    assert ann.put(f"/api/bookmarks/devices/{device}/").status_code == 204
    assert len(ann.get("/api/bookmarks/").json()) == 1
    assert ann.post(f"/devices/{device}/bookmark/").status_code == 302
    assert Bookmark.objects.count() == 0


# --- permission -------------------------------------------------------------------------------------------------
def test_who_may_not_read_the_record_sees_nothing_of_it(rest: Rest, ann: Client) -> None:
    """One policy that hides some devices hides their notes, files and links, in lists and one by one."""
    hidden, seen = rest.device("hidden", status="staged")["id"], rest.device("seen")["id"]
    for device in (hidden, seen):
        rest("post", "notes/", {"kind": "devices", "record": device, "text": "x"}, 201)
        rest.upload(device, "a.txt", device.encode())
        rest("post", "links/", {"kind": "devices", "record": device, "url": "https://example.org"}, 201)
    rest(
        "post", "links/", {"kind": "devices", "record": seen, "to_kind": "devices", "to_record": hidden}, 201
    )
    Policy.objects.create(
        name="staged", enabled=True,
        text='@id("staged") @because("It is not there yet.") forbid (principal == User::"bob", action, '
        'resource == Kind::"devices") when { resource.status == "staged" };',
    )  # fmt: skip
    bob = User.objects.create_user("bob", "correct horse battery")
    Grant.objects.create(
        role=Role.objects.get(name="operations engineer"), user=bob, reason="test", valid_from=timezone.now()
    )
    client = Client()
    client.force_login(bob)
    for path in ("notes", "files"):
        found = client.get(f"/api/{path}/").json()["results"]
        assert [f["record"] for f in found] == [seen], path
    assert {f["record"] for f in client.get("/api/links/").json()["results"]} == {seen}
    file = File.objects.get(record=hidden).pk
    assert client.get(f"/api/files/{file}/content/").status_code == 404
    assert client.get(f"/files/{file}/content/").status_code == 404
    for path in ("notes", "tags", "links", "bookmark", "files"):
        assert client.post(f"/devices/{hidden}/{path}/", {"text": "x"}).status_code == 404, path
    body = json.dumps({"kind": "devices", "record": hidden, "text": "x"})
    assert client.post("/api/notes/", body, content_type=JSON).status_code == 400
    assert hidden not in client.get(f"/devices/{seen}/").content.decode()
    assert ann.get(f"/files/{file}/content/").status_code == 200


# --- files ------------------------------------------------------------------------------------------------------
def stored() -> set[str]:
    """Contents that lie in the folder."""
    return {p.name for p in settings.FILES.glob("??/*")} if settings.FILES.exists() else set()


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """A folder of this test's own."""
    settings.FILES = tmp_path / "files"
    return Path(settings.FILES)


@pytest.mark.django_db(transaction=True)
def test_a_content_stays_as_long_as_a_file_has_it(rest: Rest, folder: Path) -> None:
    one, two = rest.device("a")["id"], rest.device("b")["id"]
    first, second = rest.upload(one, "a.txt", b"same"), rest.upload(two, "b.txt", b"same")
    rest.upload(two, "c.txt", b"other")
    assert first["sha256"] == second["sha256"] and len(stored()) == 2
    rest("delete", f"files/{first['id']}/", None, 204)
    assert rest.client.get(f"/api/files/{second['id']}/content/").getvalue() == b"same"
    rest("delete", f"devices/{two}/", None, 204)
    assert stored() == set() and File.objects.count() == 0
    assert not list(folder.glob("*.part"))


def test_files_are_only_ever_saved(rest: Rest, folder: Path) -> None:  # noqa: ARG001
    device = rest.device("a")["id"]
    made = rest.upload(device, '../../x"ä <b>.txt', b"<script>alert(1)</script>")
    assert made["name"].endswith(".txt") and "/" not in made["name"] and "\n" not in made["name"]
    answer = rest.client.get(f"/api/files/{made['id']}/content/")
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "text/plain"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_what_may_not_be_uploaded(rest: Rest, folder: Path, settings: Any) -> None:
    device = rest.device("a")["id"]
    settings.FILE_SIZE = 100_000
    for name in ("a.html", "a.svg", "a.exe", "a", ".txt", "a.txt.js"):
        assert "no type that is kept here" in rest.upload(device, name, b"x", 400)["detail"], name
    assert "larger than" in rest.upload(device, "a.txt", b"x" * 200_000, 413)["detail"]
    rest.upload("nowhere", "a.txt", b"unknown record", 400)
    answer = rest.client.post("/api/files/upload/", {"kind": "devices", "record": device})
    assert "choose a file" in problem(answer, 400)["detail"]
    assert stored() == set() and not list(folder.glob("*.part"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a small file system")
def test_a_full_disk_refuses_and_loses_nothing(
    rest: Rest, tmp_path: Path, settings: Any, ann: Client
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=256k tmpfs {small} 2>/dev/null"):
        pytest.skip("no file system can be mounted here")
    try:
        settings.FILES = small / "files"
        device = rest.device("a")["id"]
        kept = rest.upload(device, "a.txt", b"k" * 50_000)
        assert rest.upload(device, "b.txt", b"b" * 500_000, 507)["type"].endswith("disk_full")
        page = ann.post(f"/devices/{device}/files/", {"file": SimpleUploadedFile("c.txt", b"c" * 500_000)})
        assert page.status_code == 507 and "no room" in page.content.decode()
        assert File.objects.count() == 1 and len(stored()) == 1
        assert rest.client.get(f"/api/files/{kept['id']}/content/").getvalue() == b"k" * 50_000
    finally:
        os.system(f"umount {small}")


@pytest.mark.django_db(transaction=True)
def test_what_went_another_way_is_tidied_up(rest: Rest, folder: Path) -> None:
    device, other = rest.device("a", tags=["gold"])["id"], rest.device("b", tags=["gold"])["id"]
    rest("post", "notes/", {"kind": "devices", "record": device, "text": "x"}, 201)
    rest.upload(device, "a.txt", b"content")
    Item.objects.filter(pk=device).delete()  # as a cascade does
    half, unused = folder / "x.part", storing.path_of(folder, "f" * 64)
    unused.parent.mkdir(parents=True)
    for path in (half, unused):
        path.write_text("nobody's")
        os.utime(path, (0, 0))
    tidying.tidy()
    assert (Note.objects.count(), File.objects.count(), stored(), half.exists()) == (0, 0, set(), False)
    assert list(Tagging.objects.values_list("record", flat=True)) == [other]


def test_csv_of_the_api_has_them(rest: Rest) -> None:
    rest.define("text")
    rest.device("a", tags=["x"], custom_fields={"text": "t"})
    answer = rest.client.get("/api/devices/", {"format": "csv"})
    [row] = csv.DictReader(io.StringIO(answer.getvalue().decode()))
    assert (json.loads(row["tags"]), json.loads(row["custom_fields"])) == (["x"], {"text": "t"})


@pytest.mark.parametrize(
    "path",
    ["/items/x/files/", "/portal/new/", "/portal/tickets/INC-1/reply/", "/tickets/1/messages/", "/api/files/upload/",
     "/api/portal/tickets/INC-1/files/"],
)  # fmt: skip
def test_nothing_is_kept_of_who_may_not_send_files(db: None, folder: Path, path: str) -> None:  # noqa: ARG001
    """Neither of those who have not signed in, nor of a page that is not ours: whose body is read for its token."""
    client = Client(enforce_csrf_checks=True)
    client.cookies[settings.CSRF_COOKIE_NAME] = "x" * 32
    for status in (401 if path.startswith("/api/") else 302, 403):
        file, other = (SimpleUploadedFile(f"{n}.txt", os.urandom(200_000)) for n in "ab")
        assert client.post(path, {"file": file, "files": other}).status_code == status
        assert not [p for p in folder.rglob("*") if p.is_file() and p.name != "lock"]
        client.force_login(
            User.objects.create_user(f"u{status}", "correct horse battery", is_administrator=True)
        )


def test_nothing_is_kept_of_a_form_that_cannot_be_read(rest: Rest, ann: Client, folder: Path) -> None:
    """Which of two files is whole, and of the other half has come; nor of one that says of no record whose it is."""
    device = rest.device("a")["id"]
    head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
    body = f"{head}\r\n{'x' * 100_000}\r\n{head}Content-Transfer-Encoding: base64\r\n\r\n{'QUJD' * 50_000}=\r\n--b--"
    for client, path in ((ann, f"/devices/{device}/files/"), (rest.client, "/api/files/upload/")):
        answer = client.post(path, body.encode(), content_type="multipart/form-data; boundary=b")
        assert answer.status_code == 400
        assert stored() == set() and not list(folder.glob("*.part"))
    nobodys = rest.client.post("/api/files/upload/", {"file": SimpleUploadedFile("a.txt", b"content")})
    assert (nobodys.status_code, stored()) == (400, set())
