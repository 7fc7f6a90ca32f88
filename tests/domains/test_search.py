"""Search over all kinds: what is found, in which order, by whom, and however the records came there."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from watchkeeper.domains import search
from watchkeeper.domains.access.models import Grant, Role
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inventory.models import Device, Identifier, Item, Manufacturer
from watchkeeper.domains.search.models import Due, Entry
from watchkeeper.domains.situations.models import Alert, Situation
from watchkeeper.kernel.acting import SYSTEM, Actor, ActorKind, Scope
from watchkeeper.model.verdicts import Severity

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
Api = Callable[..., Client]
pytestmark = pytest.mark.django_db


def device(name: str, **fields: Any) -> Device:
    made = Device(name=name, first_seen_at=NOW, last_seen_at=NOW, **fields)
    made.save()
    return made


def alert(key: str, name: str, summary: str = "", item: Item | None = None) -> Alert:
    return Alert.objects.create(
        fingerprint=key, name=name, summary=summary, item=item, severity=Severity.ERROR, status="firing",
        annotations={}, because=(), source="test", starts_at=NOW, first_seen_at=NOW, last_seen_at=NOW,
    )  # fmt: skip


def titles(words: str, **more: Any) -> list[str]:
    return [h.title for h in search.find(SYSTEM, words, **more).hits]


def test_the_nearest_match_comes_first() -> None:
    for name in ("backup of core-1", "xcore-1", "core-1", "core-12", "other"):
        device(name)
    device("z", serial="CORE-1")
    assert titles("Core-1") == ["core-1", "z", "core-12", "backup of core-1", "xcore-1"]


def test_where_it_matched_is_said() -> None:
    device("storage-1", serial="SN-4711", asset_tag="A-1")
    [hit] = search.find(SYSTEM, "n-47").hits
    assert (hit.resource.path, hit.field, hit.text) == ("devices", "serial", "SN-4711")
    assert hit.parts == [("S", False), ("N-47", True), ("11", False)]
    assert hit.url == f"/devices/{hit.record.pk}/"


def test_the_kinds_are_counted() -> None:
    made = [device(f"edge-{n}") for n in range(3)]
    alert("a1", "EdgeDown", "edge-1 is down", made[0])
    Manufacturer.objects.create(name="Edgecore")
    found = search.find(SYSTEM, "edge", kinds=["devices", "alerts", "manufacturers"], limit=2)
    assert {c.resource.path: (c.count, c.more) for c in found.counts} == {
        "devices": (3, False), "alerts": (1, False), "manufacturers": (1, False),
    }  # fmt: skip
    assert len(found.hits) == 2
    assert [h.resource.path for h in search.find(SYSTEM, "edge", kinds=["alerts"]).hits] == ["alerts"]


def test_words_may_be_in_different_texts() -> None:
    device("db-1", serial="X100")
    device("db-2", serial="X200")
    alert("a1", "DiskFull", "the disk of orders is full")
    alert("a2", "DiskFull", "the disk of billing is full")
    assert titles("x200 db") == ["db-2"]
    assert titles("diskfull billing") == ["DiskFull"]
    assert titles("disk billing of") == ["DiskFull"]
    assert titles("db nowhere") == []


def test_short_words_find_what_begins_with_them() -> None:
    device("a")
    device("ab")
    device("xa")
    assert titles("a", kinds=["devices"]) == ["a", "ab"]
    assert titles("") == titles("  \x00") == []


@pytest.mark.parametrize(
    "words", ["100%", "a_b", 'say "hi"', "back\\slash", "it's", "(x OR y)", "NEAR(", "-", "*"]
)
def test_nothing_typed_is_taken_for_a_command(words: str) -> None:
    device(f"it is {words} here")
    device("100x ayb")
    if len(words) > 2:
        assert titles(words) == [f"it is {words} here"]
    else:
        assert titles(words) == []


def test_it_follows_every_way_of_writing() -> None:
    made = device("first-name")
    Identifier.objects.create(item=made, scheme="fqdn", value="first.example.org", valid_from=NOW)
    assert titles("first.example.org") == ["first-name"]
    Item.objects.filter(pk=made.pk).update(name="second-name")
    assert titles("first-name") == []
    assert titles("second-name") == ["second-name"]
    Identifier.objects.filter(item=made).update(valid_to=NOW)
    assert titles("first.example.org") == []
    Item.objects.bulk_create([Item(id=f"i{n}", kind="host", name=f"bulk-{n}", first_seen_at=NOW, last_seen_at=NOW)
                              for n in range(3)])  # fmt: skip
    assert len(titles("bulk")) == 3
    Item.objects.filter(pk="i1").delete()
    assert len(titles("bulk")) == 2
    assert not Entry.objects.filter(key="i1").exists()


def test_an_item_is_found_as_the_kind_it_has_become() -> None:
    Item.objects.create(id="i1", kind="host", name="taken-over", first_seen_at=NOW, last_seen_at=NOW)
    assert [h.resource.path for h in search.find(SYSTEM, "taken").hits] == ["items"]
    device("taken-over", id="i1")
    assert [h.resource.path for h in search.find(SYSTEM, "taken").hits] == ["devices"]


def test_many_that_match_are_cut_and_the_rest_is_not_starved() -> None:
    Item.objects.bulk_create(
        Item(id=f"i{n}", kind="host", name=f"port-{n}", first_seen_at=NOW, last_seen_at=NOW)
        for n in range(2200)
    )
    device("the port authority")
    while search.catch_up(1000):
        pass
    found = search.find(SYSTEM, "port")
    counts = {c.resource.path: c for c in found.counts}
    assert counts["items"].more
    assert counts["devices"].count == 1 and not counts["devices"].more


def test_only_what_may_be_read_is_found(api: Api) -> None:
    device("secret-switch", role="switch")
    User.objects.create_user("secretary", "correct horse battery")
    person = User.objects.create_user("rita", "correct horse battery")
    Grant.objects.create(
        role=Role.objects.get(name="requester"),
        user=person,
        reason="test",
        approved_by="test",
        valid_from=NOW,
    )
    rita = Actor(ActorKind.PERSON, "rita", str(person.pk), Scope.WRITE, person=person)
    assert {h.title for h in search.find(SYSTEM, "secret").hits} == {"secret-switch", "secretary"}
    found = search.find(rita, "secret")
    assert (found.hits, found.counts) == ([], [])
    names = [r["title"] for r in api("read").get("/api/search/", {"q": "secret"}).json()["results"]]
    assert names == ["secret-switch"]


def test_over_http(api: Api) -> None:
    made = device("router-9", serial="R9-SN")
    answer = api("read").get("/api/search/", {"q": "r9-s", "limit": "5"}).json()
    assert answer["results"] == [
        {"kind": "devices", "name": "device", "id": made.pk, "title": "router-9", "field": "serial", "text": "R9-SN",
         "marks": [[0, 4]], "match": "begins", "api": f"/api/devices/{made.pk}/", "url": f"/devices/{made.pk}/"}
    ]  # fmt: skip
    assert answer["kinds"] == [
        {"kind": "devices", "name": "device", "count": 1, "more": False, "api": "/api/devices/?search=r9-s"}
    ]
    assert answer["cut_off"] is False
    for query, name in (({}, "q"), ({"q": "x", "kind": "nothing"}, "kind"), ({"q": "x", "limit": "0"}, "limit"),
                        ({"q": "x", "colour": "1"}, "colour")):  # fmt: skip
        problem = api("read").get("/api/search/", query)
        assert problem.status_code == 400
        assert problem.json()["parameter"] == name
    assert api(None).get("/api/search/", {"q": "x"}).status_code == 401


def test_what_was_there_before_is_indexed_too() -> None:
    device("old-one")
    Situation.objects.create(
        id="s1", state="open", severity=Severity.ERROR, title="An old trouble", opened_at=NOW, updated_at=NOW,
        because=(), causes=(),
    )  # fmt: skip
    from watchkeeper.domains.search import triggers

    search.catch_up(100)
    Entry.objects.all().delete()
    triggers.drop()
    Item.objects.filter(name="old-one").update(name="unseen")
    triggers.install()
    assert Due.objects.filter(key="").exists()
    while search.catch_up(100):
        pass
    assert titles("unseen") == ["unseen"]
    assert titles("old trouble") == ["An old trouble"]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO search_entry_text (search_entry_text) VALUES ('integrity-check')")


@pytest.mark.django_db(transaction=True)
def test_in_a_shell() -> None:
    from typer.testing import CliRunner

    from watchkeeper.cli import build

    device("storage-1", serial="SN-4711")
    run = CliRunner().invoke
    done = run(build(), ["search", "sn-4711"])
    assert done.exit_code == 0, done.output
    assert "devices" in done.output and "storage-1" in done.output and "serial" in done.output
    done = run(build(), ["search", "--json", "--kind", "device", "storage"])
    assert [r["title"] for r in json.loads(done.stdout)] == ["storage-1"]
    assert run(build(), ["search", "nothing-like-it"]).exit_code == 1
    assert run(build(), ["search", "--kind", "devcies", "x"]).exit_code == 2
