"""What every declared kind promises, as checks that the test of a kind inherits: it gives a path and examples, and
the declaration says which of the checks apply. Everything goes through HTTP and a real database."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from watchkeeper.domains.identity.models import User
from watchkeeper.domains.search.sources import searchable
from watchkeeper.kernel import bulk, doing
from watchkeeper.kernel.hanging import Hanging
from watchkeeper.kernel.lists import filters_of
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.kernel.rest import readable

JSON = "application/json"
Api = Callable[..., Client]


def problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem that this answer is."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = json.loads(answer.content)
    assert found["status"] == status
    return found


_DESCRIBED: dict[tuple[str, ...], Any] = {}


def described(reader: Client) -> Any:
    """The paths in the API's description. It takes longer to make than a test: once for the kinds there are."""
    kinds = tuple(r.path for r in registry)
    if kinds not in _DESCRIBED:
        answer = reader.get("/api/schema/", {"format": "json"})
        assert answer.status_code == 200, answer.content
        _DESCRIBED[kinds] = answer.json()["paths"]
    return _DESCRIBED[kinds]


@pytest.mark.django_db
class KindChecks:
    """`path` and `valid` are needed; what `invalid` and `changes` are empty of is not checked."""

    path: str
    #: part of a body → the field that a problem has to name
    invalid: dict[str, Any] = {}
    #: what PATCH may set; every value differs from those of `valid`
    changes: dict[str, Any] = {}

    def valid(self, n: int) -> dict[str, Any]:
        """The body of the nth record; whatever it refers to is made here."""
        raise NotImplementedError

    def make(self, start: int, stop: int) -> list[Any]:
        """These records, and their ids."""
        return [self.send("post", self.url, self.valid(n), 201)["id"] for n in range(start, stop)]

    @pytest.fixture
    def declared(self) -> None:
        """For a kind that only its test declares."""

    @pytest.fixture(autouse=True)
    def _clients(self, api: Api, declared: None) -> None:  # noqa: ARG002
        self.api = api
        self.resource: Resource = registry[self.path]
        self.url = f"/api/{self.path}/"
        self.writer = api(self.resource.write_scope.name.lower())
        self.reader = api(self.resource.read_scope.name.lower())

    def send(self, method: str, url: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        """What a call with a body answers."""
        call = getattr(self.writer, method)
        answer = call(url, None if body is None else json.dumps(body), content_type=JSON, headers=headers)
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None

    def get(self, url: str = "", /, **query: Any) -> Any:
        """What a list, or another address, answers."""
        answer = self.reader.get(url or self.url, query or None)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def one(self, pk: Any) -> str:
        """The address of a record."""
        return f"{self.url}{pk}/"

    def needs(self, verb: str) -> None:
        """Skip what the kind does not offer."""
        if verb not in self.resource.allow:
            pytest.skip(f"{self.path} cannot be {verb}d")
        if doing.journaled(getattr(self.resource, verb)):
            pytest.skip("goes through the journal: tests/api/test_acts.py")

    def needs_many(self, verb: str) -> None:
        """Skip what the kind does not offer for many."""
        self.needs(verb)
        assert bulk.offers(self.resource, verb)

    def everything(self) -> list[Any]:
        """All ids, in order."""
        return [r["id"] for r in self.get(limit=1000)["results"]]

    def test_a_list_has_its_shape_and_the_scope_it_needs(self) -> None:
        made = self.make(0, 3)
        found = self.get(limit=2)
        assert found.keys() == {"count", "next", "previous", "results"}
        assert len(found["results"]) == 2
        assert found["count"] == len(self.everything()) >= 3
        assert set(made) <= set(self.everything())
        problem(self.api(None).get(self.url), 401)
        if self.resource.read_scope.name != "READ":
            problem(self.api("read").get(self.url), 403)

    def test_what_is_created_can_be_read(self) -> None:
        self.needs("create")
        body = self.valid(0)
        made = self.send("post", self.url, body, 201)
        read = self.get(self.one(made["id"]))
        assert read == {k: v for k, v in made.items() if k in read}
        assert {k: read[k] for k in body if k in read} == {k: v for k, v in body.items() if k in read}

    def test_patch_changes_a_part(self) -> None:
        self.needs("change")
        [pk] = self.make(0, 1)
        before = self.get(self.one(pk))
        after = self.send("patch", self.one(pk), self.changes)
        assert after == self.get(self.one(pk))
        assert {k: after[k] for k in self.changes} == self.changes
        same = before.keys() & set(self.resource.writable) - self.changes.keys()
        assert {k: after[k] for k in same} == {k: before[k] for k in same}

    def test_what_was_read_can_be_put_back(self) -> None:
        self.needs("change")
        [pk] = self.make(0, 1)
        before = self.get(self.one(pk))
        after = self.send("put", self.one(pk), before)
        sent = {*self.resource.writable, *self.resource.create_only} & before.keys()
        assert {k: after[k] for k in sent} == {k: before[k] for k in sent}
        self.send("put", self.one(pk), {**after, **self.changes})
        assert {k: v for k, v in self.get(self.one(pk)).items() if k in self.changes} == self.changes

    def test_what_is_removed_is_gone(self) -> None:
        self.needs("remove")
        pk, other = self.make(0, 2)
        assert self.send("delete", self.one(pk), status=204) is None
        answer = self.reader.get(self.one(pk))
        assert answer.status_code == 404 or answer.json().get("valid_to"), answer.content
        self.get(self.one(other))

    def test_an_unknown_field_is_named(self) -> None:
        self.needs("create")
        before = self.everything()
        answer = self.writer.post(self.url, {**self.valid(0), "colour": "red"}, content_type=JSON)
        assert "colour" in problem(answer, 400)["errors"]
        assert self.everything() == before
        if "change" in self.resource.allow:
            [pk] = self.make(1, 2)
            whole = self.get(self.one(pk))
            answer = self.writer.patch(self.one(pk), {**self.changes, "colour": 1}, content_type=JSON)
            assert problem(answer, 400)["errors"].keys() == {"colour"}
            assert self.get(self.one(pk)) == whole

    def test_a_field_that_cannot_be_set_is_named(self) -> None:
        self.needs("create")
        answer = self.writer.post(self.url, {**self.valid(0), "id": "12345"}, content_type=JSON)
        assert problem(answer, 400)["errors"].keys() == {"id"}
        if "change" in self.resource.allow:
            [pk] = self.make(1, 2)
            for name in {"id", *self.resource.create_only}:
                answer = self.writer.patch(self.one(pk), {name: "other"}, content_type=JSON)
                assert name in problem(answer, 400)["errors"]

    def test_a_value_that_cannot_be_used_is_named(self) -> None:
        self.needs("create")
        before = self.everything()
        body = self.valid(0)
        for name, value in self.invalid.items():
            answer = self.writer.post(self.url, {**body, name: value}, content_type=JSON)
            assert name in problem(answer, 400)["errors"], name
        for body in ([], "text", None, 5):
            problem(self.writer.post(self.url, json.dumps(body), content_type=JSON), 400)
        assert self.everything() == before

    def test_there_is_no_such_record(self) -> None:
        for key in ("0", "nothing", str(10**30), "a%20b"):
            problem(self.reader.get(self.one(key)), 404)

    def test_who_may_not_write_cannot(self) -> None:
        self.make(0, 1)
        [pk, *_] = before = self.everything()
        calls = [("post", self.url), ("patch", self.one(pk)), ("put", self.one(pk)), ("delete", self.one(pk))]
        for method, url in calls:
            problem(getattr(self.api("read"), method)(url, "{}", content_type=JSON), 403)
            problem(getattr(self.api(None), method)(url, "{}", content_type=JSON), 401)
        left = self.everything()
        assert [k for k in left if k in before] == before

    def test_every_filter_answers(self) -> None:
        pk, *_ = self.make(0, 3)
        record = self.get(self.one(pk))
        known, count = filters_of(self.resource).base_filters, self.get()["count"]
        for name in known:
            value = record.get(name)
            if isinstance(value, str | int | float) and value != "":
                asked = json.dumps(value) if isinstance(value, bool) else value
                found = [r["id"] for r in self.get(**{name: asked, "limit": 1000})["results"]]
                assert pk in found, name
                if f"{name}__not" in known:
                    assert self.get(**{f"{name}__not": asked})["count"] == count - len(found), name
            elif name.endswith("__not"):
                continue
            elif name.endswith(("__isnull", "__empty")):
                parts = [self.get(**{name: v})["count"] for v in ("true", "false")]
                assert sum(parts) == count, name
            else:
                assert self.reader.get(self.url, {name: "x"}).status_code in (200, 400), name

    def test_an_unknown_parameter_is_named(self) -> None:
        for name in ("colour", "name__like", "Limit"):
            assert problem(self.reader.get(self.url, {name: "x"}), 400)["parameter"] == name
        for name in ("limit", "offset", "ordering", "fields", "omit", "cursor", "count"):
            assert problem(self.reader.get(self.url, {name: "x y"}), 400)["parameter"] == name
        problem(self.reader.get(self.url, {"cursor": "", "offset": "1"}), 400)

    def test_every_ordering_turns_round(self) -> None:
        self.make(0, 3)
        for name in {*self.resource.orderable, *(n.lstrip("-") for n in self.resource.ordering)}:
            up = [r["id"] for r in self.get(ordering=name, limit=1000)["results"]]
            down = [r["id"] for r in self.get(ordering=f"-{name}", limit=1000)["results"]]
            assert up == down[::-1], name
            assert sorted(map(str, up)) == sorted(map(str, self.everything())), name

    def test_search_finds_words(self) -> None:
        self.make(0, 2)
        if not self.resource.search:
            problem(self.reader.get(self.url, {"search": "x"}), 400)
            return
        record = self.resource.queryset().last()
        for part in self.resource.search[0].split("__"):
            record = getattr(record, part)
        assert self.get(search=str(record).upper())["count"] >= 1
        assert self.get(search="no-such-word-anywhere")["count"] == 0

    def test_only_the_fields_asked_for(self) -> None:
        [pk] = self.make(0, 1)
        whole = self.get(self.one(pk))
        other = next(n for n in whole if n != "id")
        for url in (self.url, self.one(pk)):
            found = self.get(url, fields=f"{other},id")
            [row] = [r for r in found.get("results", [found]) if r["id"] == pk]
            assert row == {"id": pk, other: whole[other]}
            found = self.get(url, omit=other)
            [row] = [r for r in found.get("results", [found]) if r["id"] == pk]
            assert row.keys() == whole.keys() - {other}
            assert problem(self.reader.get(url, {"fields": "colour"}), 400)["parameter"] == "fields"

    def test_the_list_as_a_table(self) -> None:
        self.make(0, 3)
        answer = self.reader.get(self.url, {"format": "csv", "limit": "1"})
        assert answer.status_code == 200, answer.content
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert f'filename="{self.path}.csv"' in answer.headers["Content-Disposition"]
        rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
        listed = self.get(limit=1000)["results"]
        assert [r["id"] for r in rows] == [str(r["id"]) for r in listed]
        assert list(rows[0]) == list(listed[0])
        for name, value in listed[0].items():
            if isinstance(value, dict | list):
                assert json.loads(rows[0][name]) == value
        assert problem(self.reader.get(self.url, {"format": "csv", "colour": "x"}), 400)
        some = self.reader.get(self.url, {"format": "csv", "fields": "id"}).getvalue().decode()
        assert some.splitlines()[0] == "id"

    def pages(self, page: Any, way: str) -> list[Any]:
        """This page and all that its links lead to."""
        out = [page]
        while out[-1][way]:
            out.append(self.get(out[-1][way]))
        return out

    def test_cursors_walk_through_all_once(self) -> None:
        self.make(0, 5)
        everything = self.everything()
        for name in ("", *self.resource.orderable):
            ordered = [r["id"] for r in self.get(ordering=name, limit=1000)["results"]]
            there = self.pages(self.get(cursor="", limit=2, ordering=name), "next")
            assert there[0].keys() == {"next", "previous", "results"}
            seen = [r["id"] for page in there for r in page["results"]]
            assert seen == ordered or sorted(map(str, seen)) == sorted(map(str, everything))
            back = [[r["id"] for r in page["results"]] for page in self.pages(there[-1], "previous")]
            assert [pk for page in back[::-1] for pk in page] == seen
        assert self.get(cursor="", count="true")["count"] == len(everything)

    def test_cursors_do_not_mind_new_records(self) -> None:
        self.make(0, 5)
        everything = self.everything()
        first = self.get(cursor="", limit=2)
        self.make(5, 7)
        seen = [r["id"] for page in self.pages(first, "next") for r in page["results"]]
        assert len(set(seen)) == len(seen)
        assert set(everything) <= set(seen)
        other = problem(self.reader.get(first["next"].replace("cursor=", "cursor=x")), 400)
        assert other["parameter"] == "cursor"

    def test_many_are_created_or_none(self) -> None:
        self.needs_many("create")
        before = self.everything()
        rows = [self.valid(n) for n in range(3)]
        answer = self.writer.post(self.url, json.dumps([*rows[:2], {"colour": 1}]), content_type=JSON)
        errors = problem(answer, 400)["errors"]
        assert errors.keys() == {"2"}
        assert "colour" in errors["2"]
        assert self.everything() == before
        made = self.send("post", self.url, rows, 201)
        assert [self.get(self.one(m["id"]))["id"] for m in made] == [m["id"] for m in made]
        entries = AuditEntry.objects.filter(act=doing.verb(self.resource, "create"))
        assert {str(m["id"]) for m in made} <= set(entries.values_list("record", flat=True))
        problem(self.writer.post(self.url, json.dumps([{}] * 1001), content_type=JSON), 413)

    def test_many_are_changed_or_none(self) -> None:
        self.needs_many("change")
        ids = self.make(0, 3)
        rows = [{"id": pk, **self.changes} for pk in ids]
        if _unique(self.resource, self.changes):
            rows = rows[:1] + [{"id": pk} for pk in ids[1:]]
        for wrong in ({"id": "0", **self.changes}, {"id": ids[2], "colour": 1}, rows[0], "x", {}):
            answer = self.writer.patch(self.url, json.dumps([*rows[:2], wrong]), content_type=JSON)
            assert "2" in problem(answer, 400)["errors"]
            now = self.get(self.one(ids[0]))
            assert {k: now[k] for k in self.changes} != self.changes
        changed = self.send("patch", self.url, rows)
        assert [c["id"] for c in changed] == ids
        assert {k: self.get(self.one(ids[0]))[k] for k in self.changes} == self.changes
        acts = AuditEntry.objects.filter(act=doing.verb(self.resource, "change"))
        assert set(acts.values_list("record", flat=True)) == {str(pk) for pk in ids}

    def test_many_are_removed_or_none(self) -> None:
        self.needs_many("remove")
        ids = self.make(0, 3)
        for wrong in ("0", ids[0], None, {}):
            answer = self.writer.delete(self.url, json.dumps([*ids[:2], wrong]), content_type=JSON)
            assert "2" in problem(answer, 400)["errors"]
            assert set(ids) <= set(self.everything())
        self.send("delete", self.url, ids[:2], 204)
        acts = AuditEntry.objects.filter(act=doing.verb(self.resource, "remove"))
        assert set(acts.values_list("record", flat=True)) == {str(pk) for pk in ids[:2]}

    def test_versions_are_told_apart(self) -> None:
        [pk] = self.make(0, 1)
        first = self.reader.get(self.one(pk))
        tag = first.headers["ETag"]
        again = self.reader.get(self.one(pk), headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert self.reader.get(self.one(pk), headers={"If-None-Match": '"x"'}).status_code == 200
        methods = {"put": "change", "patch": "change", "delete": "remove"}
        for method in [m for m, verb in methods.items() if verb in self.resource.allow]:
            call = getattr(self.writer, method)
            answer = call(self.one(pk), "{}", content_type=JSON, headers={"If-Match": '"x"'})
            assert problem(answer, 412)["type"].endswith("stale")
        for action in self.resource.actions:
            url = f"{self.one(pk)}{action.name}/"
            answer = self.writer.post(url, "{}", content_type=JSON, headers={"If-Match": '"x"'})
            assert answer.status_code == 412 or action.fields is not None, answer.content
        if "change" in self.resource.allow:
            self.send("patch", self.one(pk), self.changes, **{"If-Match": tag})
            assert self.reader.get(self.one(pk)).headers["ETag"] != tag
            self.send("patch", self.one(pk), self.changes, 412, **{"If-Match": tag})

    def test_the_audit_trail_says_what_changed(self) -> None:
        self.needs("create")
        [pk] = self.make(0, 1)
        entry = AuditEntry.objects.get(act=doing.verb(self.resource, "create"), record=str(pk))
        assert (entry.actor_kind, entry.address) == ("token", "127.0.0.1")
        assert entry.before is None
        assert entry.after
        if "change" in self.resource.allow:
            self.send("patch", self.one(pk), self.changes)
            entry = AuditEntry.objects.get(act=doing.verb(self.resource, "change"), record=str(pk))
            assert entry.before.keys() == entry.after.keys()
            assert all(entry.before[k] != entry.after[k] for k in entry.after)
            assert entry.after.keys() & self.changes.keys()

    def test_the_description_names_what_is_offered(self) -> None:
        paths = described(self.reader)
        listed, single = paths[self.url], paths[f"{self.url}{{id}}/"]
        offered = {"create": "post", "change": "put", "remove": "delete"}
        assert ("post" in listed) == ("create" in self.resource.allow)
        for verb in ("change", "remove"):
            assert (offered[verb] in single) == (verb in self.resource.allow)
        assert ("patch" in listed) == bulk.offers(self.resource, "change")
        assert ("delete" in listed) == bulk.offers(self.resource, "remove")
        names = {p["name"] for p in listed["get"]["parameters"]}
        assert {
            "fields",
            "omit",
            "cursor",
            "format",
            "limit",
            *filters_of(self.resource).base_filters,
        } <= names
        assert "text/csv" in listed["get"]["responses"]["200"]["content"]

    def person(self) -> Client:
        """The console, signed in as an administrator."""
        client = Client(raise_request_exception=False)
        client.force_login(User.objects.create_user("ann", "correct horse battery", is_administrator=True))
        return client

    def test_a_view_by_name_narrows_the_list(self) -> None:
        kept, *_ = self.make(0, 3)
        field = next((n for n in self.resource.filters if n in self.get(self.one(kept))), "")
        value = self.get(self.one(kept)).get(field)
        filters = {field: str(value)} if isinstance(value, str) and value else {}
        body = {"kind": self.path, "name": "the few", "sharing": "everyone", "filters": filters}
        made = self.api().post("/api/saved-views/", json.dumps(body), content_type=JSON)
        assert made.status_code == 201, made.content
        by_hand = [r["id"] for r in self.get(limit=1000, **filters)["results"]]
        assert [r["id"] for r in self.get(view="the few", limit=1000)["results"]] == by_hand
        assert kept in by_hand
        assert self.get(view="the few", limit=1, fields="id")["count"] == len(by_hand)
        assert problem(self.reader.get(self.url, {"view": "no such"}), 400)["parameter"] == "view"

    def test_the_console_shows_the_chosen_columns(self) -> None:
        self.make(0, 2)
        client, words = self.person(), next(iter(self.resource.columns)).heading
        page = client.get(f"/{self.path}/columns/")
        every = re.findall(r'name="column" value="([^"]+)"', page.content.decode())
        each = {"scope", "custom_fields"}  # of custom fields each has a column of its own
        assert set(readable(self.resource)) - each <= {*every, *(c.name for c in self.resource.columns)}
        for chosen in (every[:30], every[30:60]):
            if chosen:
                answer = client.post(f"/{self.path}/columns/", {"save": "1", "column": chosen})
                assert answer.status_code == 302, answer.content
                page = client.get(f"/{self.path}/?all=1")
                assert page.status_code == 200
                assert page.content.decode().count("<th") >= len(chosen)
        client.post(f"/{self.path}/columns/", {"reset": "1"})
        assert words in client.get(f"/{self.path}/?all=1").content.decode()

    def test_many_are_changed_in_the_console(self) -> None:
        self.needs_many("change")
        ids = self.make(0, 2)
        client, field = self.person(), next((n for n, v in self.changes.items() if isinstance(v, str)), "")
        if not field or _unique(self.resource, [field]):
            pytest.skip("no text that many can have")
        ticked = {"do": "change", "pk": ids}
        page = client.post(f"/{self.path}/many/", ticked)
        assert page.status_code == 200, page.content
        assert f'name="set" value="{field}"' in page.content.decode()
        change = {"do": "change", "set": field, field: self.changes[field]}
        answer = client.post(f"/{self.path}/many/", {**change, "ids": json.dumps([*ids, "0"])})
        assert answer.status_code == 400
        assert self.get(self.one(ids[0]))[field] != self.changes[field]
        answer = client.post(f"/{self.path}/many/", {**change, "ids": json.dumps(ids)})
        assert answer.status_code == 302, answer.content.decode()
        assert {self.get(self.one(pk))[field] for pk in ids} == {self.changes[field]}

    def test_the_console_finds_it_by_typing(self) -> None:
        self.make(0, 1)
        record = self.resource.queryset().last()
        client = self.person()
        found = client.get(f"/{self.path}/pick.json").json()["results"]
        assert (str(record.pk), self.resource.title(record)) in [(r["id"], r["label"]) for r in found]
        assert client.get(f"/{self.path}/pick.json", {"q": "no-such-word-anywhere"}).json()["results"] == []
        assert Client().get(f"/{self.path}/pick.json").status_code == 302

    def test_a_longer_list_costs_no_more_queries(self) -> None:
        def queries(**query: str) -> int:
            with CaptureQueriesContext(connection) as captured:
                self.get(limit="100", **query)
            return len(captured)

        self.make(0, 3)
        self.get()
        few = queries(), queries(cursor=""), queries(fields="id")
        self.make(3, 30)
        assert (queries(), queries(cursor=""), queries(fields="id")) == few

    def test_search_finds_it(self) -> None:
        [pk] = self.make(0, 1)
        kinds = {r.path for r in searchable()}
        record = self.resource.queryset().get(pk=pk)
        names = [n for n in self.resource.search if "__" not in n and getattr(record, n)]
        if self.path not in kinds or not names:
            pytest.skip("it is found at other records")
        text = str(getattr(record, names[0]))
        found = self.get("/api/search/", q=text, kind=self.path, limit="100")
        [hit] = [h for h in found["results"] if h["id"] == str(pk)]
        assert (hit["kind"], hit["match"]) == (self.path, "exact")
        assert [k["kind"] for k in found["kinds"]] == [self.path]

    def test_people_attach_to_it(self) -> None:
        """Tags and a field of their own, found by both in the list; a note and a file, and all go with the record."""
        [pk] = self.make(0, 1)
        admin = self.api("admin")
        field = {"kind": self.path, "name": "cost_centre", "type": "whole"}
        assert admin.post("/api/custom-fields/", field, content_type=JSON).status_code == 201
        given = {"tags": ["Gold", "old stock"], "custom_fields": {"cost_centre": 47}}
        url = self.one(pk) if "change" in self.resource.allow else f"/api/annotations/{self.path}/{pk}/"
        self.send("patch", url, given)
        shown = self.get(self.one(pk))
        assert {name: shown[name] for name in given} == given
        asked = {
            "tag": "gold",
            "tag__any": "GOLD,old stock",
            "cf_cost_centre": "47",
            "cf_cost_centre__gte": "47",
        }
        assert [r["id"] for r in self.get(**asked)["results"]] == [pk]
        assert self.get(cf_cost_centre__lt=47)["count"] == 0
        if issubclass(self.resource.model, Hanging):
            return  # nothing hangs on what hangs itself
        on = {"kind": self.path, "record": str(pk)}
        [note] = self.send("post", "/api/notes/", [{**on, "text": "*seen*"}], 201)
        file = {**on, "file": SimpleUploadedFile("a.txt", f"{self.path} {pk}".encode())}
        assert self.writer.post("/api/files/upload/", file).status_code == 201
        if "remove" in self.resource.allow and not doing.journaled(self.resource.remove):
            self.send("delete", self.one(pk), status=204)
            if self.reader.get(self.one(pk)).status_code == 404:
                assert self.reader.get(f"/api/notes/{note['id']}/").status_code == 404
                assert {r["records"] for r in self.get("/api/tags/")["results"]} <= {0}

    def test_who_may_not_change_it_attaches_nothing(self) -> None:
        [pk] = self.make(0, 1)
        reader, on = self.api("read"), {"kind": self.path, "record": str(pk)}
        url = f"/api/annotations/{self.path}/{pk}/"
        problem(reader.patch(url, {"tags": ["x"]}, content_type=JSON), 403)
        if issubclass(self.resource.model, Hanging):
            return
        problem(reader.post("/api/notes/", {**on, "text": "x"}, content_type=JSON), 403)
        if self.resource.read_scope.name != "READ":
            made = self.send("post", "/api/notes/", {**on, "text": "secret"}, 201)
            problem(reader.get(f"/api/notes/{made['id']}/"), 404)
            problem(reader.get(url), 403)
            assert reader.get("/api/notes/").json()["count"] == 0

    def test_the_console_shows_it(self) -> None:
        self.make(0, 1)
        record = self.resource.queryset().last()
        client = self.person()
        page = client.get(f"/{self.path}/?all=1")
        assert page.status_code == 200
        assert f"/{self.path}/{record.pk}/" in page.content.decode()
        assert client.get(f"/{self.path}/{record.pk}/").status_code == 200
        if "create" in self.resource.allow:
            form = client.get(f"/{self.path}/new/")
            assert form.status_code == 200
            assert 'method="post"' in form.content.decode()


def _unique(resource: Resource, names: Any) -> bool:
    return any(f.unique for f in resource.model._meta.concrete_fields if f.name in names)
