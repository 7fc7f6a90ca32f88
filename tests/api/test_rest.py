"""REST for every kind of record: who may, what lists answer, what errors look like, and how many queries it costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.domains.analysis_structs import NOW, alert, situation
from watchkeeper.domains.situations import AnalysisWriter
from watchkeeper.kernel.acting import Scope
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.topology import Discovery, Identifier, Item, Relation, RelationKind, item_id
from watchkeeper.model.verdicts import Cause, Severity

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]
KINDS = [pytest.param(r, id=r.path) for r in registry]
HOSTS = [
    Item(item_id("host", f"db-{n}"), "host", f"db-{n}", (Identifier("hostname", f"db-{n}"),), source="test")
    for n in range(4)
]


def fill(n: int, offset: int = 1) -> None:
    """So many of each: items with relations, alerts on them, situations with causes, silences, acts."""
    relations = tuple(
        Relation(a.id, b.id, RelationKind.DEPENDS_ON, "t") for a in HOSTS for b in HOSTS if a.id < b.id
    )
    alerts = {f"a{i}": alert(f"a{i}", item=HOSTS[i % 4].id, situation=f"s{i % n}") for i in range(2 * n)}
    reasons = (Reason(ReasonKind.COVERAGE, "4 of 4 alerts depend on db-0.", 0.8),)
    situations = {
        f"s{i}": situation(
            f"s{i}", (f"a{i}", f"a{i + n}"), opened_ms=NOW + i, causes=(Cause(HOSTS[i % 4].id, 0.9, reasons),)
        )
        for i in range(n)
    }
    silence = {"matchers": [{"name": "a", "value": "b", "isRegex": False, "isEqual": True}], "starts_ms": NOW}
    acts = [
        Act(id=f"{i}", kind=ActKind.SILENCE, target=f"q{i}", actor="ann", time_ms=NOW,
            data={**silence, "ends_ms": NOW + 1000, "comment": f"number {i}"})
        for i in range(n)
    ]  # fmt: skip
    discovered = Discovery(NOW, "t", tuple(HOSTS), relations)
    AnalysisWriter().write(alerts, situations, [discovered], acts, offset=offset, now_ms=NOW)


def problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem that this answer is."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = json.loads(answer.content)
    assert {"type", "title", "status", "detail"} <= found.keys()
    assert found["status"] == status
    return found


@pytest.mark.parametrize("resource", KINDS)
def test_every_list(api: Api, resource: Resource) -> None:
    """The shape, the scope it needs, the bounds of its pages, and that it says what it does not know."""
    fill(3)
    url = f"/api/{resource.path}/"
    found = api("admin").get(url, {"limit": 2}).json()
    assert {"count", "next", "results"} <= found.keys()
    assert len(found["results"]) <= 2 <= max(2, found["count"])
    assert problem(api(None).get(url), 401)["type"].endswith("not_authenticated")
    assert api(None).get(url).headers["WWW-Authenticate"].startswith("Bearer")
    reads = api("read").get(url)
    assert reads.status_code == (200 if resource.read_scope is Scope.READ else 403)
    assert problem(api().get(url, {"flavour": "sweet"}), 400)["parameter"] == "flavour"
    assert problem(api().get(url, {"limit": "many"}), 400)["parameter"] == "limit"
    assert problem(api().get(url, {"ordering": "flavour"}), 400)["parameter"] == "ordering"


@pytest.mark.parametrize("resource", KINDS)
def test_a_longer_list_costs_no_more_queries(api: Api, resource: Resource) -> None:
    """No query a row."""
    client = api()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/api/{resource.path}/").status_code == 200
        return len(captured)

    fill(2)
    client.get(f"/api/{resource.path}/")
    few = queries()
    fill(9, offset=2)
    assert queries() <= few
    assert few <= 7  # two of which ask for what people have attached


@pytest.mark.parametrize("resource", KINDS)
def test_every_filter_and_ordering_can_be_used(api: Api, resource: Resource) -> None:
    """Each alone, with a value of its sort."""
    from watchkeeper.kernel.lists import filters_of

    fill(2)
    client = api()
    for name, filtered in filters_of(resource).base_filters.items():
        field = str(filtered.field)
        choices = (
            [c[0] for c in getattr(filtered.field, "choices", ()) if c[0]]
            if filtered.extra.get("choices")
            else []
        )
        value = (
            choices[0]
            if choices
            else "true"
            if "Boolean" in field
            else "2026-01-01T00:00:00Z"
            if "DateTime" in field
            else "2026-01-01"
            if "DateField" in field
            else "1"
        )
        answer = client.get(f"/api/{resource.path}/", {name: value})
        assert answer.status_code in (200, 400), (name, answer.content)
        if answer.status_code == 400:
            # Only a reference to a record that is not there may be refused.
            assert "Select a valid choice" in answer.json()["detail"], (name, answer.content)
    for name in {*resource.orderable, *(n.lstrip("-") for n in resource.ordering)}:
        assert client.get(f"/api/{resource.path}/", {"ordering": f"-{name}"}).status_code == 200, name


def test_pages_lead_on_to_the_end(api: Api) -> None:
    """Following `next` meets every record once."""
    fill(5)
    client, url, seen = api("read"), "/api/alerts/?limit=3&ordering=severity", []
    while url:
        page = client.get(url).json()
        seen += [a["fingerprint"] for a in page["results"]]
        url = page["next"]
    assert sorted(seen) == sorted(f"a{i}" for i in range(10))


def test_a_situation_explains_itself(api: Api) -> None:
    """What the issue promises of it, the sentences naming the items."""
    fill(1)
    [found] = api("read").get("/api/situations/").json()["results"]
    assert found == api("read").get(f"/api/situations/{found['id']}/").json()
    assert found["id"] == "s0"
    assert (found["state"], found["severity"], found["title"]) == ("open", "error", "Disk is full on db-1")
    assert found["opened_at"] == "2023-11-14T22:13:20Z"
    assert found["alert_count"] == 2
    assert found["because"] == ["they began within 40 seconds"]
    [cause] = found["causes"]
    assert cause["item"] == {"id": HOSTS[0].id, "name": "db-0"}
    assert cause["score"] == 0.9
    assert cause["because"] == ["4 of 4 alerts depend on db-0."]
    alerts = api("read").get("/api/situations/s0/alerts/").json()
    assert [a["id"] for a in alerts["results"]] == ["a1", "a0"]
    assert alerts["results"][1]["item"] == {"id": HOSTS[0].id, "name": "db-0"}
    assert problem(api("read").get("/api/situations/nothing/"), 404)


def test_lists_narrow(api: Api) -> None:
    """Filters with look-ups, words, severities in words."""
    alerts = {
        "a": alert("a", severity=Severity.WARNING, name="Fan stopped"),
        "b": alert("b", severity=Severity.CRITICAL, summary="100 % full"),
        "c": alert("c", severity=Severity.ERROR, source="syslog"),
    }
    AnalysisWriter().write(alerts, {}, offset=1, now_ms=NOW)

    def ids(**query: str) -> list[str]:
        answer = api("read").get("/api/alerts/", query)
        assert answer.status_code == 200, answer.content
        return sorted(a["id"] for a in answer.json()["results"])

    assert ids(severity="critical") == ["b"]
    assert ids(severity__gte="error") == ["b", "c"]
    assert ids(severity__in="warning,critical") == ["a", "b"]
    assert ids(source="syslog") == ["c"]
    assert ids(search="fan STOPPED") == ["a"]
    assert ids(search="100 %") == ["b"]
    assert ids(starts_at__gte="2023-11-14T22:13:20Z") == ["a", "b", "c"]
    assert ids(starts_at__lt="2023-11-14T22:13:20Z") == []
    assert problem(api("read").get("/api/alerts/?severity=awful"), 400)["parameter"] == "severity"
    assert (
        problem(api("read").get("/api/alerts/?starts_at__gte=yesterday"), 400)["parameter"]
        == "starts_at__gte"
    )


def test_a_person_corrects_an_item_for_good(api: Api) -> None:
    """Discovery does not take back what a person has said, and the audit trail says who."""
    fill(1)
    client, url = api("write"), f"/api/items/{HOSTS[0].id}/"
    assert client.get(url).json()["confirmed"] is False
    answer = client.patch(url, {"name": "Orders database"}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    renamed = Item(HOSTS[0].id, "vm", "db-0.example", source="cloud", attributes={"cores": 4})
    AnalysisWriter().write({}, {}, [Discovery(NOW + 1, "t", (renamed,))], offset=2, now_ms=NOW + 1)
    found = client.get(url).json()
    assert (found["name"], found["confirmed"], found["kind"]) == ("Orders database", True, "host")
    assert found["attributes"] == {"cores": 4}
    assert found["identifiers"] == [{"scheme": "hostname", "value": "db-0"}]
    entry = AuditEntry.objects.get(act="item.change")
    assert (entry.actor, entry.actor_kind, entry.record) == ("test write", "token", HOSTS[0].id)
    assert (entry.before["name"], entry.after["name"]) == ("db-0", "Orders database")
    assert entry.address == "127.0.0.1"
    assert entry.request_id


def test_items_and_relations_by_hand(api: Api) -> None:
    """Made, related, told apart from what was discovered, ended."""
    client = api("write")

    def post(path: str, **data: Any) -> Any:
        return client.post(f"/api/{path}/", data, content_type="application/json")

    a = post(
        "items", kind="service", name="shop", identifiers=[{"scheme": "service.name", "value": "Shop"}]
    ).json()
    b = post("items", kind="host", name="web-1").json()
    taken = post("items", kind="host", name="x", identifiers=[{"scheme": "service.name", "value": "shop"}])
    assert problem(taken, 409)
    made = post("relations", source=a["id"], kind="runs_on", target=b["id"])
    assert made.status_code == 201, made.content
    assert problem(post("relations", source=a["id"], kind="runs_on", target=b["id"]), 409)
    assert problem(post("relations", source=a["id"], kind="envies", target=b["id"]), 400)["errors"]["kind"]
    [found] = client.get(f"/api/items/{b['id']}/relations/").json()["results"]
    assert (found["source_name"], found["observed"]) == ("shop", False)
    from watchkeeper.domains.inventory import load_topology

    assert load_topology().needs(a["id"]) == [b["id"]]
    assert client.delete(f"/api/relations/{found['id']}/").status_code == 204
    assert load_topology().needs(a["id"]) == []
    assert client.get(f"/api/relations/{found['id']}/").json()["valid_to"]
    assert problem(api("read").post("/api/items/", {}, content_type="application/json"), 403)


def test_a_body_that_is_no_json(api: Api) -> None:
    """A problem, whatever is sent."""
    deep = b'{"kind": "a", "name": "b", "attributes": {"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
    nul = b'{"kind": "a", "name": "b", "attributes": {"x": "\\u0000"}}'
    half = b'{"kind": "a", "name": "b\\ud800"}'
    for body in (b"{", b"[]", b"\xff", b'{"kind": {"a": 1}}', b"null", b"NaN", deep, deep[:9000], nul, half):
        problem(api().post("/api/items/", body, content_type="application/json"), 400)
    problem(api().post("/api/items/", b"<a/>", content_type="text/xml"), 415)
    problem(api().put("/api/alerts/", {}, content_type="application/json"), 405)
    problem(api().get("/api/no-such-thing/"), 404)
    problem(api(None).get("/api/no-such-thing/"), 404)
    problem(api().get("/api/items/%00/"), 404)
    problem(api().get(f"/api/tokens/{10**30}/"), 404)
    problem(api().get("/api/items/?name=%00"), 400)


def test_a_session_needs_the_forms_token() -> None:
    """Another site cannot act with somebody's cookie."""
    from watchkeeper.domains.identity.models import User

    user = User.objects.create_user("ann", "correct horse battery", is_administrator=True)
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.get("/api/items/").status_code == 200
    data = {"kind": "host", "name": "x"}
    problem(client.post("/api/items/", data, content_type="application/json"), 403)


def test_the_description_is_openapi(api: Api) -> None:
    """3.1, every list in it, errors as problems, and without a warning."""
    import io
    from contextlib import redirect_stderr

    said = io.StringIO()
    with redirect_stderr(said):
        found = json.loads(api("read").get("/api/schema/?format=json").content)
    assert said.getvalue() == ""
    assert found["openapi"].startswith("3.1")
    for resource in registry:
        assert f"/api/{resource.path}/" in found["paths"]
    assert "/api/situations/{id}/merge/" in found["paths"]
    listing = found["paths"]["/api/situations/"]["get"]
    assert {"limit", "offset", "ordering", "search", "state"} <= {p["name"] for p in listing["parameters"]}
    related = found["paths"]["/api/situations/{id}/alerts/"]["get"]
    assert {"status", "severity", "limit"} <= {p["name"] for p in related["parameters"]}
    answer = related["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    assert answer.endswith("PaginatedAlertList")
    assert listing["responses"]["default"]["content"].keys() == {"application/problem+json"}


def test_metrics_need_a_token(api: Api) -> None:
    """In Prometheus's format."""
    from watchkeeper.kernel.ports import Metric, ports

    ports.collectors = [lambda: [Metric("up", "gauge", "Lives", [({"door": 'a"b'}, 1.0)])]]
    try:
        problem(api(None).get("/metrics"), 401)
        assert (
            api("read").get("/metrics").content == b'# HELP up Lives\n# TYPE up gauge\nup{door="a\\"b"} 1.0\n'
        )
    finally:
        ports.collectors = []


def test_the_reference_page_is_current() -> None:
    """`python -m watchkeeper.api > docs/reference/api.md` makes it."""
    from pathlib import Path

    from watchkeeper.api.reference import page

    assert (Path(__file__).parents[2] / "docs/reference/api.md").read_text() == page()


def test_an_unknown_address_is_none_to_every_method(db: None) -> None:  # noqa: ARG001
    """A program that mistypes an address or an action is not told of forms."""
    client = Client(enforce_csrf_checks=True)
    for method in ("get", "post", "put", "patch", "delete"):
        for path in ("/api/nothing/", "/api/devices/some-id/no-such-action/"):
            assert problem(getattr(client, method)(path), 404)["detail"] == f"there is nothing at {path}"


def test_a_state_is_moved_by_actions_and_says_so(api: Api) -> None:
    made = api().post("/api/devices/", {"name": "sw-1"}, content_type="application/json").json()
    url, body = f"/api/devices/{made['id']}/", {"status": "failed"}
    refused = problem(api().patch(url, body, content_type="application/json"), 400)
    assert refused["errors"]["status"][0].startswith("Actions change this: ")
    assert "fail" in refused["errors"]["status"][0]
