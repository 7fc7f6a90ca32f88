"""What REST does with many records and with many writers: how often it asks the database, what two writers see of
each other, tables as a served process streams them."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.api.platform_parts import Web
from tests.kernel.test_a_kind_in_a_page import TestExtinguishers as Extinguishers
from watchkeeper.domains.inventory.models import Item

Api = Callable[..., Client]


@pytest.mark.urls("tests.kernel.test_a_kind_in_a_page")
class TestManyAtOnce:
    """With a kind that is only declared, and has no hook."""

    declared = Extinguishers.declared

    @pytest.mark.django_db
    def test_many_cost_as_many_queries_as_few(self, api: Api, declared: None) -> None:  # noqa: ARG002
        client = api("write")

        def create(start: int, stop: int) -> int:
            rows = [{"code": f"E{n}", "kilograms": 6, "replaces": first} for n in range(start, stop)]
            with CaptureQueriesContext(connection) as captured:
                answer = client.post("/api/extinguishers/", rows, content_type="application/json")
            assert answer.status_code == 201, answer.content
            assert [r["code"] for r in answer.json()] == [r["code"] for r in rows]
            return len(captured)

        first = None
        create(0, 1)
        first = client.get("/api/extinguishers/").json()["results"][0]["id"]
        few, many = create(1, 3), create(3, 503)
        # SQLite takes a few hundred values a statement, so 500 rows are some inserts more.
        assert many <= few + 20
        assert client.get("/api/extinguishers/").json()["count"] == 503

    @pytest.mark.django_db
    def test_the_row_that_says_what_another_says_is_named(self, api: Api, declared: None) -> None:  # noqa: ARG002
        client = api("write")
        rows = [{"code": code, "kilograms": 6} for code in ("a", "b", "a")]
        answer = client.post("/api/extinguishers/", rows, content_type="application/json")
        assert answer.status_code == 400
        assert answer.json()["errors"].keys() == {"2"}
        assert answer.json()["errors"]["2"].keys() == {"code"}
        assert (
            client.post("/api/extinguishers/", rows[:2], content_type="application/json").status_code == 201
        )
        answer = client.post("/api/extinguishers/", rows[1:], content_type="application/json")
        assert answer.json()["errors"].keys() == {"0", "1"}


@pytest.mark.django_db
def test_a_hook_that_refuses_one_row_undoes_all(api: Api) -> None:
    names = [{"scheme": "hostname", "value": "Web"}]
    rows = [{"kind": "host", "name": f"web-{n}", "identifiers": names if n else []} for n in range(3)]
    answer = api("write").post("/api/items/", rows, content_type="application/json")
    assert answer.status_code == 409
    assert answer.json()["errors"] == {"2": {"non_field_errors": ["another item is known as hostname=web"]}}
    assert not Item.objects.exists()


def test_of_two_writers_of_one_version_one_is_refused(web_alone: Web) -> None:
    """Both have read the same; eight times over."""
    made = web_alone.call("POST", "/api/items/", {"kind": "host", "name": "0"}).json
    for round in range(8):
        url = f"/api/items/{made['id']}/"
        tag = web_alone.call("GET", url).headers["etag"]
        begin, answers = threading.Barrier(2), list[int]()

        def write(name: str, url: str = url, tag: str = tag) -> None:
            begin.wait()  # noqa: B023  (joined before the next round)
            answers.append(web_alone.call("PATCH", url, {"name": name}, **{"If-Match": tag}).status)  # noqa: B023

        threads = [threading.Thread(target=write, args=(f"{round}-{side}",)) for side in "ab"]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert sorted(answers) == [200, 412]


def test_a_served_table_is_whole(web_alone: Web) -> None:
    """More records than are held in memory at once, text that looks like a formula, and lines within a cell."""
    hosts = [{"kind": "host", "name": f"web-{n:04}", "attributes": {"n": n}} for n in range(1000)]
    odd = [{"kind": "host", "name": name} for name in ("=1+1", "-x", "two\nlines", '"quoted", and more')]
    for rows in (hosts, [{**h, "name": f"x{h['name']}"} for h in hosts[:300]], odd):
        assert web_alone.call("POST", "/api/items/", rows).status == 201
    answer = web_alone.call("GET", "/api/items/?format=csv&kind=host&ordering=name", scope="read")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    assert len({r["id"] for r in rows}) == len(rows) == 1304
    names = {r["name"]: r for r in rows}
    assert {"'=1+1", "'-x", "two\nlines", '"quoted", and more'} <= names.keys()
    assert json.loads(names["web-0007"]["attributes"]) == {"n": 7}


@pytest.mark.django_db
def test_what_is_not_asked_for_is_not_read(api: Api) -> None:
    """Columns and joins that the answer does not show stay in the database."""
    Item.objects.bulk_create(
        Item(id=f"i{n}", kind="host", name=f"h{n}", first_seen_at="2026-01-01T00:00Z", last_seen_at="2026-01-01T00:00Z")
        for n in range(3)
    )  # fmt: skip

    def asked(**query: Any) -> str:
        with CaptureQueriesContext(connection) as captured:
            assert api("read").get("/api/items/", query).status_code == 200
        return " ".join(q["sql"] for q in captured)

    assert "inventory_identifier" in asked()
    assert "inventory_item" in asked(fields="id,name")
    assert "inventory_identifier" not in asked(fields="id,name")
    assert '"first_seen_at"' not in asked(fields="id,name")


@pytest.mark.django_db
def test_a_name_that_a_body_has_twice_is_refused_and_named(api: Api) -> None:
    """Wherever it is: the last one would win, and nobody would know."""
    one = '{"kind": "host", "name": "a", "name": "b"}'
    within = '{"kind": "host", "name": "a", "attributes": {"cores": 1, "cores": 2}}'
    for body, name in ((one, "name"), (f"[{one}]", "name"), (within, "cores")):
        answer = api("write").post("/api/items/", body, content_type="application/json")
        assert answer.status_code == 400, answer.content
        assert answer.json()["errors"] == {name: ["It is there twice."]}
    assert not Item.objects.exists()


@pytest.mark.django_db
def test_a_name_that_is_there_twice_is_found_in_one_pass(api: Api) -> None:
    """Whatever stands before it: to count each name anew took minutes for so many, and hours for a whole body."""
    names = ", ".join(f'"{n}": 1' for n in range(100_000))
    began = time.monotonic()
    answer = api("write").post("/api/items/", f'{{{names}, "x": 1, "x": 2}}', content_type="application/json")
    assert answer.json()["errors"] == {"x": ["It is there twice."]}
    assert time.monotonic() - began < 20
