"""A list as a file and back through the console: preview, then all of it or nothing, as it was previewed."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from watchkeeper.domains import identity
from watchkeeper.domains.identity.models import User
from watchkeeper.exchange.tables import Format
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.resource import Resource, registry

pytestmark = pytest.mark.django_db
Made = dict[str, Any]


@pytest.fixture
def client() -> Client:
    """Signed in, as an administrator."""
    client = Client(headers={"accept": "text/html"})
    client.force_login(
        User.objects.create_user(username="ada", password="correct horse", is_administrator=True)
    )
    return client


@pytest.fixture
def rest() -> Client:
    """With a token, to see what there is."""
    return Client(headers={"authorization": "Bearer " + identity.create_token("test", "admin")})


@pytest.fixture
def make(rest: Client) -> Callable[..., Made]:
    """Make a record through REST."""

    def made(path: str, **values: Any) -> Made:
        answer = rest.post(f"/api/{path}/", values, content_type="application/json")
        assert answer.status_code == 201, answer.content
        found: Made = answer.json()
        return found

    return made


def listed(rest: Client, path: str = "items") -> list[Made]:
    found: list[Made] = rest.get(f"/api/{path}/?limit=1000").json()["results"]
    if path == "users":  # whoever asks is seen again
        return [{name: value for name, value in user.items() if name != "last_seen_at"} for user in found]
    return found


def exported(client: Client, path: str, form: str = "json", query: str = "") -> bytes:
    answer: Any = client.get(f"/{path}/export.{form}{query}")
    assert answer.status_code == 200, answer
    assert answer["Content-Disposition"].startswith(f'attachment; filename="{path}-')
    return b"".join(answer.streaming_content)


def preview(
    client: Client, path: str, content: bytes | Iterable[Made], name: str = "it.json", **more: str
) -> Any:
    data = content if isinstance(content, bytes) else json.dumps(list(content)).encode()
    return client.post(f"/{path}/import/", {"file": SimpleUploadedFile(name, data), **more})


def apply(client: Client, path: str, previewed: Any) -> Any:
    assert previewed.status_code == 200, wrong(previewed)
    held = re.search(r'name="held" value="([^"]+)"', previewed.content.decode())
    assert held, "nothing to apply was offered"
    return client.post(f"/{path}/import/", {"held": held[1]})


def wrong(answer: Any) -> list[tuple[int, str, str]]:
    return [(w.row, w.field, w.detail) for w in answer.context["plan"].wrong]


def fill(make: Callable[..., Made]) -> None:
    """Records whose values are hard to write in one format or the other, and relations among them."""
    names = [
        "=1+1",
        " =1",
        "' =1",
        "-5",
        "no",
        "12:30",
        "0x1f",
        "büro \U0001f5a8, 2. Stock",
        'a "b"',
        "'quoted'",
        "null",
    ]
    items = [
        make("items", name=n, kind="printer", attributes={"line": "a\r\nb", "n": 5, "t": "5", "deep": {"a": [1.5, None]}},
             identifiers=[{"scheme": "hostname", "value": f"h{i}"}])
        for i, n in enumerate(names)
    ]  # fmt: skip
    for a, b in itertools.pairwise(items):
        make("relations", source=a["id"], target=b["id"], kind="depends_on")
    to = {"channel": "email", "address": "ops@example.org"}
    make("notification-rules", name="all", labels={"team": "a"}, events=["opened"], **to)
    make("users", username="ben", name="=Ben", password="correct horse battery")


@pytest.mark.parametrize("form", list(Format))
@pytest.mark.parametrize("path", ["items", "relations", "notification-rules", "users"])
def test_an_export_comes_back_unchanged(
    client: Client, make: Callable[..., Made], rest: Client, path: str, form: Format
) -> None:
    fill(make)
    before, audited = listed(rest, path), AuditEntry.objects.count()
    answer = preview(client, path, exported(client, path, form), f"it.{form}")
    assert answer.status_code == 200, wrong(answer)
    plan = answer.context["plan"]
    assert (plan.unchanged, plan.creates, plan.changes) == (len(before), [], [])
    assert b'name="held"' not in answer.content
    assert listed(rest, path) == before and AuditEntry.objects.count() == audited


@pytest.mark.parametrize("form", list(Format))
def test_rows_make_and_change_records(
    client: Client, make: Callable[..., Made], rest: Client, form: Format
) -> None:
    """In each format: one with an id is changed, one without is made, and each is audited with its actor."""
    old = make("items", name="web-1", kind="server", attributes={"rack": "a"})
    make("items", name="web-2", kind="server")
    source = {
        "csv": f'id,name,kind,attributes\n{old["id"]},web-one,server,"{{""rack"": ""b""}}"\n,=web-3,vm,\n',
        "json": json.dumps([{"id": old["id"], "name": "web-one", "kind": "server", "attributes": {"rack": "b"}},
                            {"name": "=web-3", "kind": "vm"}]),
        "yaml": f"- {{id: {old['id']}, name: web-one, kind: server, attributes: {{rack: b}}}}\n"
                "- {name: =web-3, kind: vm}\n",
    }[form]  # fmt: skip
    shown = preview(client, "items", source.encode(), f"it.{form}")
    page = shown.content.decode()
    assert "web-one" in page and "=web-3" in page and "rack" in page
    assert [i["name"] for i in listed(rest)] == ["web-1", "web-2"], "a preview changes nothing"
    done = apply(client, "items", shown)
    assert done.status_code == 200
    found = {i["name"]: i for i in listed(rest)}
    assert found.keys() == {"web-one", "web-2", "=web-3"}
    assert found["web-one"]["id"] == old["id"] and found["web-one"]["attributes"] == {"rack": "b"}
    assert found["=web-3"]["kind"] == "vm" and found["=web-3"]["source"] == "ada"
    acts = AuditEntry.objects.filter(actor="ada", act__startswith="item.").values_list(
        "act", "before", "after"
    )
    change = next(a for a in acts if a[0] == "item.change")
    assert change[1]["name"] == "web-1" and change[2]["name"] == "web-one"
    assert sum(a[0] == "item.create" for a in acts) == 1


def test_records_are_found_by_a_field(client: Client, make: Callable[..., Made], rest: Client) -> None:
    """Then ids of another installation do not matter."""
    make("items", name="web-1", kind="server")
    make("items", name="twice", kind="server")
    make("items", name="twice", kind="server")
    rows = [{"id": "of elsewhere", "name": "web-1", "kind": "vm"}, {"name": "web-9", "kind": "vm"}]
    apply(client, "items", preview(client, "items", rows, match="name"))
    assert {(i["name"], i["kind"]) for i in listed(rest)} >= {("web-1", "vm"), ("web-9", "vm")}
    assert len(listed(rest)) == 4
    answer = preview(
        client,
        "items",
        [{"name": "twice"}, {"name": " web-1 "}, {"name": "web-1"}, {"kind": "vm"}],
        match="name",
    )
    assert wrong(answer) == [
        (1, "name", "2 items have this name; use their id"),
        (3, "name", "row 2 has the same"),
        (4, "name", "is needed to find the record"),
    ]
    answer = preview(client, "items", rows, match="nane")
    assert answer.status_code == 400 and "is it &#x27;name&#x27;?" in answer.content.decode()


def test_references_by_id_or_by_a_name_that_one_has(
    client: Client, make: Callable[..., Made], rest: Client
) -> None:
    a, _, _ = (
        make("items", name="a", kind="vm"),
        make("items", name="b", kind="vm"),
        make("items", name="two", kind="vm"),
    )
    make("items", name="two", kind="vm")
    apply(
        client,
        "relations",
        preview(client, "relations", [{"source": a["id"], "kind": "runs_on", "target": "b"}]),
    )
    assert [(r["source_name"], r["target_name"]) for r in listed(rest, "relations")] == [("a", "b")]
    answer = preview(
        client, "relations", [{"source": "a", "kind": "runs_on", "target": t} for t in ("two", "nobody", "")]
    )
    assert wrong(answer)[:2] == [
        (1, "target", "2 records are called 'two'; give the id of one"),
        (2, "target", "there is no item with the id or the name 'nobody'"),
    ]
    assert wrong(answer)[2][:2] == (3, "target")


def test_every_error_is_told_with_its_row_and_field(
    client: Client, make: Callable[..., Made], rest: Client
) -> None:
    old = make("items", name="web-1", kind="server", identifiers=[{"scheme": "hostname", "value": "web-1"}])
    rows: list[Made] = [
        {"name": "fine", "kind": "vm", "colour": "red"},
        {"name": "", "kind": "vm"},
        {"name": "x" * 300, "kind": "vm"},
        {"id": "nowhere", "name": "a", "kind": "vm"},
        {"id": old["id"], "identifiers": []},
        {"id": old["id"], "name": "again"},
        {"name": "b", "kind": "vm", "identifiers": [{"scheme": "hostname"}]},
        {"name": ["a list"], "kind": None, "attributes": 5},
    ]
    answer = preview(client, "items", rows)
    assert answer.status_code == 400
    found = [(row, field) for row, field, _ in wrong(answer)]
    assert found == [(1, "colour"), (2, "name"), (3, "name"), (4, "id"), (5, "identifiers"), (6, "id"),
                     (7, "identifiers.0.value"), (8, "kind"), (8, "name"), (8, "attributes")]  # fmt: skip
    page = answer.content.decode()
    assert "Row 7" in page and "identifiers.0.value" in page and 'name="held"' not in page
    assert [i["name"] for i in listed(rest)] == ["web-1"]


def test_cells_of_csv_that_mean_nothing(client: Client, rest: Client) -> None:
    source = b"name,kind,attributes\na,vm,{no json\nb,vm,7\n"
    assert [(r, f) for r, f, _ in wrong(preview(client, "items", source, "it.csv"))] == [
        (2, "attributes"),
        (3, "attributes"),
    ]
    answer = preview(client, "items", "name,kind\nbüro,vm\n".encode("latin-1"), "it.csv")
    assert answer.status_code == 400 and "byte 0xfc is not UTF-8" in answer.content.decode()
    assert listed(rest) == []


def test_unique_values_in_the_file_and_in_the_records(
    client: Client, make: Callable[..., Made], rest: Client
) -> None:
    make("users", username="ben")
    rows = [{"username": u, "name": "x"} for u in ("ben", "cid", "cid")]
    assert wrong(preview(client, "users", rows)) == [
        (1, "username", "another user has it"),
        (3, "username", "row 2 has the same"),
    ]
    assert {u["username"] for u in listed(rest, "users")} == {"ada", "ben"}


def test_row_900_of_a_thousand_is_refused_and_nothing_is_done(
    client: Client, make: Callable[..., Made], rest: Client
) -> None:
    """What only applying finds: two new items under one identifier."""
    make("items", name="old", kind="vm")
    rows = [
        {"name": f"n{n}", "kind": "vm", "identifiers": [{"scheme": "hostname", "value": f"h{n}"}]}
        for n in range(1, 1001)
    ]
    rows[899]["identifiers"] = [{"scheme": "hostname", "value": "h7"}]
    audited = AuditEntry.objects.count()
    answer = apply(client, "items", preview(client, "items", rows))
    assert answer.status_code == 409
    assert "Row 900: another item is known as hostname=h7" in answer.content.decode()
    assert [i["name"] for i in listed(rest)] == ["old"] and AuditEntry.objects.count() == audited


def test_what_was_previewed_is_what_is_applied(
    client: Client, make: Callable[..., Made], rest: Client
) -> None:
    """When records change in between, what would be done now is shown first; and it is done once."""
    old = make("items", name="web-1", kind="server")
    shown = preview(client, "items", [{"id": old["id"], "name": "web-2", "kind": "vm"}])
    rest.patch(f"/api/items/{old['id']}/", {"kind": "host"}, content_type="application/json")
    again = apply(client, "items", shown)
    assert again.status_code == 409 and "changed since the preview" in again.content.decode()
    assert listed(rest)[0]["name"] == "web-1"
    assert apply(client, "items", shown).status_code == 200
    assert (listed(rest)[0]["name"], listed(rest)[0]["kind"]) == ("web-2", "vm")
    assert apply(client, "items", shown).status_code == 404


def test_a_preview_belongs_to_its_session(client: Client, rest: Client) -> None:
    shown = preview(client, "items", [{"name": "a", "kind": "vm"}])
    other = Client()
    other.force_login(
        User.objects.create_user(username="eve", password="correct horse", is_administrator=True)
    )
    assert apply(other, "items", shown).status_code == 404
    assert apply(client, "users", shown).status_code == 404
    assert listed(rest) == []


def test_secrets_are_kept_sealed_and_shown_once(client: Client) -> None:
    rows = [{"username": "ben", "password": "correct horse battery"}]
    shown = preview(client, "users", rows)
    assert "correct horse battery" not in shown.content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM console_heldimport")
        assert "correct horse" not in cursor.fetchone()[0]
    apply(client, "users", shown)
    assert User.objects.get(username="ben").check_password("correct horse battery")
    done = apply(client, "intake-keys", preview(client, "intake-keys", [{"name": "k"}]))
    assert re.search(r"wki_[\w-]{20}", done.content.decode())


def test_who_may(client: Client) -> None:
    """Journaled kinds and what nobody writes are not imported; readers see no button and no page."""
    for path in ("silences", "alerts", "audit"):
        assert client.get(f"/{path}/import/").status_code == 409
        assert f"/{path}/import/" not in client.get(f"/{path}/").content.decode()
    assert "/items/import/" in client.get("/items/").content.decode()
    reader = Client()
    user = User.objects.create_user(username="rae", password="correct horse")
    reader.force_login(user)
    assert reader.get("/users/import/").status_code in (403, 409)
    assert reader.get("/users/export.json").status_code in (403, 409)
    assert client.get("/items/export.xml").status_code == 404


def test_an_export_is_what_the_list_shows(client: Client, make: Callable[..., Made]) -> None:
    for name, kind in (("a", "vm"), ("b", "host"), ("c", "vm")):
        make("items", name=name, kind=kind)
    page = client.get("/items/?kind=vm&search=c").content.decode()
    query = re.search(r'/items/export\.json(\?[^"]*)"', page)[1].replace("&amp;", "&")  # type: ignore[index]
    assert [i["name"] for i in json.loads(exported(client, "items", "json", query))] == ["c"]
    assert json.loads(exported(client, "items", "json", "?kind=nothing")) == []
    assert exported(client, "items", "yaml", "?kind=nothing") == b"[]\n"


@pytest.mark.parametrize("resource", [pytest.param(r, id=r.path) for r in registry])
def test_every_kind_can_be_exported_from_its_list(client: Client, resource: Resource) -> None:
    """With what the list begins with; and where it can be imported, its page opens."""
    for form in Format:
        exported(client, resource.path, form)
    if resource.path == "situations":  # a page of its own, with the parameters of the kind's list
        exported(client, resource.path, "json", "?state__in=open%2Cacknowledged&severity=critical&search=a")
    takes = resource.allow & {"create", "change"} and resource.path not in ("silences", "jobs")
    assert client.get(f"/{resource.path}/import/").status_code in ((200,) if takes else (404, 409))


def test_too_much_for_a_page(client: Client, rest: Client) -> None:
    answer = preview(client, "items", b"name,kind\n" + b"a,vm\n" * 200_001, "it.csv")
    assert answer.status_code == 413 and "watchkeeper import items" in answer.content.decode()
    assert listed(rest) == []


def test_neither_rows_nor_references_cost_a_query_each(client: Client, make: Callable[..., Made]) -> None:
    """As many for 40 rows as for 400: the records are read in chunks."""
    items = [make("items", name=f"i{n}", kind="vm") for n in range(40)]
    few = [*({"id": i["id"], "name": f"x{n}"} for n, i in enumerate(items)), {"name": "n", "kind": "vm"}]
    many = [*few, *({"name": f"n{n}", "kind": "vm"} for n in range(360))]
    edges = [{"source": "i1", "target": f"i{n}", "kind": "depends_on"} for n in range(2, 40)]
    counts = []
    for path, rows in (("items", few), ("items", many), ("relations", edges[:3]), ("relations", edges)):
        preview(client, path, rows)  # what is read once a process
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert preview(client, path, rows).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] and counts[2] == counts[3], counts
