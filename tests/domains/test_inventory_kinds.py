"""The declared kinds of item: their fields make the graph, their names are those that signals use, and what cannot be
is refused with the field that is wrong. Through REST, as people and programs do it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.domains.analysis_structs import NOW
from watchkeeper.domains.inventory import load_topology, models, write_discoveries
from watchkeeper.kernel.resource import registry
from watchkeeper.model.topology import Discovery, Identifier, Item, item_id

pytestmark = pytest.mark.django_db
DECLARED = [r for r in registry if issubclass(r.model, models.Declared)]


@pytest.fixture
def send(api: Callable[..., Client]) -> Callable[..., Any]:
    """`send("POST", "/api/sites/", {...})` → the body, after checking the status."""
    client = api()

    def call(method: str, path: str, body: Any = None, status: int = 0) -> Any:
        answer = client.generic(method, path, "" if body is None else _json(body), "application/json")
        expected = status or {"POST": 201, "DELETE": 204}.get(method, 200)
        assert answer.status_code == expected, answer.content[:800]
        return answer.json() if answer.content else None

    return call


def _json(body: Any) -> str:
    import json

    return json.dumps(body)


def edges() -> set[tuple[str, str, str]]:
    """The graph by names."""
    graph = load_topology()
    return {(graph.name(r.source), r.kind.value, graph.name(r.target)) for r in graph.relations}


def test_there_are_at_least_forty_kinds_of_record() -> None:
    assert len(list(registry)) >= 40
    for resource in registry:
        assert resource.description and resource.name, resource.path


def test_fields_make_the_graph_and_move_in_it(send: Callable[..., Any]) -> None:
    site = send("POST", "/api/sites/", {"name": "Zurich"})
    room = send("POST", "/api/locations/", {"name": "Room 1", "site": site["id"]})
    rack = send("POST", "/api/racks/", {"name": "R1", "site": site["id"], "location": room["id"]})
    device = send(
        "POST", "/api/devices/", {"name": "db1", "rack": rack["id"], "position": 10, "serial": "X1"}
    )
    port = send("POST", "/api/interfaces/", {"owner": device["id"], "label": "eth0"})
    assert port["name"] == "eth0 on db1"
    assert {("Zurich", "contains", "Room 1"), ("Room 1", "contains", "R1"), ("R1", "contains", "db1"),
            ("db1", "contains", "eth0 on db1")} <= edges()  # fmt: skip
    other = send("POST", "/api/racks/", {"name": "R2", "site": site["id"]})
    send("PATCH", f"/api/devices/{device['id']}/", {"rack": other["id"], "position": None})
    assert ("R2", "contains", "db1") in edges() and ("R1", "contains", "db1") not in edges()
    was = models.Relation.objects.get(source=rack["id"], target=device["id"])
    assert was.valid_to is not None, "its past stays"
    union = send("GET", "/api/items/?limit=100")
    for method, body in (("PATCH", {"name": "x"}), ("DELETE", None)):
        told = send(method, f"/api/items/{device['id']}/", body, status=409)["detail"]
        assert f"/api/devices/{device['id']}/" in told, "the union changes no record of a kind of its own"
    assert union["count"] == 6 and {i["declared"] for i in union["results"]} >= {"devices", "racks"}


def test_a_declared_device_takes_over_what_discovery_found(send: Callable[..., Any]) -> None:
    names = (Identifier("hostname", "db1"), Identifier("address", "10.0.0.5"))
    found = Item(item_id("host", "db1"), "host", "db1", names, attributes={"cpus": 8})
    with transaction.atomic():
        write_discoveries([Discovery(NOW, "host", (found,))], NOW)
    made = send("POST", "/api/devices/", {"name": "DB1", "role": "server", "serial": "S-1"})
    assert made["id"] == found.id and made["attributes"] == {"cpus": 8}
    assert models.Item.objects.count() == 1
    graph = load_topology()
    assert graph.resolve([Identifier("address", "10.0.0.5")]) == graph.resolve([Identifier("serial", "s-1")])
    with transaction.atomic():  # discovery goes on; what a person has declared stays
        write_discoveries([Discovery(NOW + 1, "host", (found,))], NOW + 1)
    assert send("GET", f"/api/devices/{made['id']}/")["name"] == "DB1"
    send("POST", "/api/devices/", {"name": "db1"}, status=409)


def test_a_machine_is_known_by_the_address_of_its_interface(send: Callable[..., Any]) -> None:
    device = send("POST", "/api/virtual-machines/", {"name": "web1"})
    port = send(
        "POST",
        "/api/interfaces/",
        {"owner": device["id"], "label": "ens3", "mac_address": "00-11-22-33-44-55"},
    )
    assert port["mac_address"] == "00:11:22:33:44:55"
    address = send("POST", "/api/addresses/", {"address": "10.1.2.3/24", "assigned_to": port["id"]})
    asked = [Identifier("address", "10.1.2.3")]
    assert getattr(load_topology().resolve(asked), "id", "") == device["id"]
    send("PATCH", f"/api/addresses/{address['id']}/", {"address": "10.1.2.4/24"})
    assert load_topology().resolve(asked) is None


def test_a_prefix_knows_what_lies_in_it(send: Callable[..., Any]) -> None:
    outer = send("POST", "/api/prefixes/", {"prefix": "10.0.0.0/8", "status": "container"})
    send("POST", "/api/prefixes/", {"prefix": "10.9.0.0/16"})
    send("POST", "/api/prefixes/", {"prefix": "2001:db8::/32"})
    for address in ("10.9.0.1/16", "10.200.0.1/16", "11.0.0.1/8", "2001:db8::1/64"):
        send("POST", "/api/addresses/", {"address": address})
    inside = send("GET", f"/api/prefixes/{outer['id']}/prefixes/")["results"]
    assert [p["prefix"] for p in inside] == ["10.9.0.0/16"]
    held = send("GET", f"/api/prefixes/{outer['id']}/addresses/")["results"]
    assert {a["address"] for a in held} == {"10.9.0.1/16", "10.200.0.1/16"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("prefixes", {"prefix": "10.0.0.5/8"}, "prefix"),
        ("prefixes", {"prefix": "twelve"}, "prefix"),
        ("addresses", {"address": "10.0.0.256"}, "address"),
        ("vlans", {"name": "x", "vid": 4095}, "vid"),
        ("sites", {"name": "x", "latitude": 91}, "latitude"),
        ("sites", {"name": "x", "status": "gone"}, "status"),
        ("locations", {"name": "x"}, "site"),
        ("devices", {"name": "x", "rack": "nowhere"}, "rack"),
        ("interfaces", {"label": "e0"}, "owner"),
        ("certificates", {"name": "c", "subject": "CN=x", "expires_at": "soon"}, "expires_at"),
    ],
)
def test_what_cannot_be_is_refused_by_field(
    send: Callable[..., Any], path: str, body: Any, field: str
) -> None:
    problem = send("POST", f"/api/{path}/", body, status=400)
    assert list(problem["errors"]) == [field]
    assert models.Item.objects.count() == 0


def test_places_in_a_rack_and_numbers_are_given_once(send: Callable[..., Any]) -> None:
    site = send("POST", "/api/sites/", {"name": "Z"})
    rack = send("POST", "/api/racks/", {"name": "R", "site": site["id"], "u_height": 12})
    maker = send("POST", "/api/manufacturers/", {"name": "Acme"})
    tall = send("POST", "/api/device-types/", {"manufacturer": maker["id"], "model": "T", "u_height": 4})
    send("POST", "/api/device-types/", {"manufacturer": maker["id"], "model": "T"}, status=400)
    where = {"rack": rack["id"], "device_type": tall["id"]}
    first = send("POST", "/api/devices/", {"name": "a", "position": 3, **where})
    for position, words in ((6, "a stands at units 3 to 6"), (10, "R ends at unit 12")):
        problem = send("POST", "/api/devices/", {"name": "b", "position": position, **where}, status=400)
        assert words in str(problem["errors"]["position"])
    send("PATCH", f"/api/devices/{first['id']}/", {"position": 4})
    send("POST", "/api/devices/", {"name": "b", "position": 8, **where})
    send("POST", "/api/prefixes/", {"prefix": "10.0.0.0/24"})
    assert "prefix" in send("POST", "/api/prefixes/", {"prefix": "10.0.0.0/24"}, status=400)["errors"]
    free = send("POST", "/api/vrfs/", {"name": "lab", "enforce_unique": False})
    for _ in range(2):
        send("POST", "/api/addresses/", {"address": "10.0.0.1/24", "vrf": free["id"]})


def test_containment_does_not_go_round_in_a_circle(send: Callable[..., Any]) -> None:
    a = send("POST", "/api/regions/", {"name": "a"})
    b = send("POST", "/api/regions/", {"name": "b", "parent": a["id"]})
    c = send("POST", "/api/regions/", {"name": "c", "parent": b["id"]})
    wrong = send("PATCH", f"/api/regions/{a['id']}/", {"parent": c["id"]}, status=400)["errors"]
    assert "circle" in wrong["parent"][0]
    assert ("c", "contains", "a") not in edges()
    assert send("GET", f"/api/regions/{a['id']}/")["parent"] is None, "nothing of it is kept"
    told = {"source": c["id"], "target": a["id"], "kind": "contains"}
    assert "circle" in send("POST", "/api/relations/", told, status=400)["errors"]["target"][0]
    wrong = send("PATCH", "/api/regions/", [{"id": a["id"], "parent": c["id"]}], status=400)["errors"]
    assert "circle" in wrong["0"]["parent"][0]
    told["source"] = a["id"]
    assert "itself" in send("POST", "/api/relations/", told, status=400)["errors"]["target"][0]


def test_what_others_need_is_not_removed_and_says_who(send: Callable[..., Any]) -> None:
    site = send("POST", "/api/sites/", {"name": "Z"})
    rack = send("POST", "/api/racks/", {"name": "R", "site": site["id"]})
    assert "R" in send("DELETE", f"/api/sites/{site['id']}/", status=409)["detail"]
    send("DELETE", f"/api/racks/{rack['id']}/")
    send("DELETE", f"/api/sites/{site['id']}/")
    assert models.Item.objects.count() == 0


def test_a_changed_serial_number_moves_the_name(send: Callable[..., Any]) -> None:
    device = send("POST", "/api/devices/", {"name": "a", "serial": "OLD"})
    send("PATCH", f"/api/devices/{device['id']}/", {"serial": "NEW"})
    graph = load_topology()
    assert graph.resolve([Identifier("serial", "old")]) is None
    assert graph.resolve([Identifier("serial", "new")]) is not None
    send("POST", "/api/devices/", {"name": "b", "serial": "new"}, status=409)
    assert {d["name"] for d in send("GET", "/api/devices/")["results"]} == {"a"}


def test_hardware_goes_from_purchase_to_disposal_by_declared_steps(send: Callable[..., Any]) -> None:
    device = send("POST", "/api/devices/", {"name": "hv1", "status": "planned"})
    here = f"/api/devices/{device['id']}"
    for step, state in (
        ("order", "ordered"),
        ("receive", "in_stock"),
        ("stage", "staged"),
        ("activate", "active"),
    ):
        assert send("POST", f"{here}/{step}/", {}, status=200)["status"] == state
    send("POST", f"{here}/order/", {}, status=409)
    guest = send("POST", "/api/virtual-machines/", {"name": "vm1", "device": device["id"]})
    send("POST", f"{here}/decommission/", {}, status=200)
    assert "vm1 still runs on it" in send("POST", f"{here}/dispose/", {}, status=409)["detail"]
    for step in ("decommission", "dispose"):
        send("POST", f"/api/virtual-machines/{guest['id']}/{step}/", {}, status=200)
    assert send("POST", f"{here}/dispose/", {}, status=200)["status"] == "disposed"
    send("PATCH", f"{here}/", {"serial": "S"})
    told = send("GET", f"/api/audit/?record={device['id']}&act=device.dispose")["results"][0]
    assert (told["before"], told["after"]) == ({"status": "decommissioning"}, {"status": "disposed"})


@pytest.mark.parametrize("resource", DECLARED, ids=lambda r: r.path)
def test_every_kind_lists_with_few_queries(
    send: Callable[..., Any], resource: Any, django_assert_max_num_queries: Any
) -> None:
    for wanted in (0, 3, 12):
        while resource.model.objects.count() < wanted:
            _example(resource.model)
        with django_assert_max_num_queries(12):
            assert send("GET", f"/api/{resource.path}/")["count"] == wanted


def _example(model: type[Any]) -> Any:
    """A record with what its columns demand."""
    number = (
        models.Item.objects.count() + models.Manufacturer.objects.count() + models.Provider.objects.count()
    )
    values: dict[str, Any] = {}
    for f in model._meta.local_concrete_fields:
        if f.primary_key or f.null or f.has_default() or not f.editable:
            continue
        if f.remote_field:
            target = models.Device if f.related_model is models.Item else f.related_model
            values[f.name] = _example(target)
        elif f.get_internal_type() == "DateTimeField":
            values[f.name] = dt.datetime.now(dt.UTC)
        elif f.name in ("prefix", "address"):
            values[f.name] = (
                f"10.{number // 250}.{number % 250}.0/24" if f.name == "prefix" else f"10.0.0.{number}/24"
            )
        else:
            values[f.name] = number % 4000 + 1 if "Integer" in f.get_internal_type() else f"{f.name} {number}"
    now = dt.datetime.now(dt.UTC)
    if issubclass(model, models.Declared):
        values |= {"name": f"n{number}", "first_seen_at": now, "last_seen_at": now}
    return model.objects.create(**values)


def test_a_page_of_records_comes_in_order_and_the_index_alone_says_which_they_are(
    send: Callable[..., Any],
) -> None:
    """However many there are: the index has them in the list's order, both ways, those of one name by their ids."""
    for name in ("b", "a", "a", "c"):
        send("POST", "/api/sites/", {"name": name})
    expected = sorted((s.name, s.pk) for s in models.Site.objects.all())
    for order, wanted in (("name,id", expected), ("-name,-id", expected[::-1])):
        with CaptureQueriesContext(connection) as queries:
            page = send("GET", f"/api/sites/?limit=3&ordering={order}")
        assert [(s["name"], s["id"]) for s in page["results"]] == wanted[:3]
        assert page["count"] == 4
        rows = next(q["sql"] for q in queries if "ORDER BY" in q["sql"] and "inventory_site" in q["sql"])
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {rows}")
                plan = str(cursor.fetchall())
            assert "USING COVERING INDEX item_declared" in plan and "SCAN" not in plan, plan


def test_a_word_that_is_no_choice_is_told_which_there_are(send: Callable[..., Any]) -> None:
    wrong = send("POST", "/api/clusters/", {"name": "c", "type": "vmware"}, status=400)["errors"]
    assert all(word in wrong["type"][0] for word in ("vmware", "kubernetes", "vsphere")), wrong


def test_a_site_has_a_time_zone_that_there_is(send: Callable[..., Any]) -> None:
    for wrong in ("Mars/Olympus", "../UTC", "Europe", "/etc/passwd"):
        told = send("POST", "/api/sites/", {"name": "Z", "time_zone": wrong}, status=400)["errors"]
        assert wrong in told["time_zone"][0]
    send("POST", "/api/sites/", {"name": "Z", "time_zone": "Europe/Zurich"})


def test_the_audit_trail_names_the_ends_of_a_relation(send: Callable[..., Any]) -> None:
    a, b = (send("POST", "/api/sites/", {"name": name})["id"] for name in ("North", "South"))
    made = send("POST", "/api/relations/", {"source": a, "kind": "depends_on", "target": b})
    send("DELETE", f"/api/relations/{made['id']}/")
    told = send("GET", f"/api/audit/?kind=relation&record={made['id']}")["results"]
    assert {t["name"] for t in told} == {"North depends on South"} and len(told) == 2


def test_the_match_rules_can_be_set_from_the_start(send: Callable[..., Any]) -> None:
    found = send("GET", "/api/match-rules/")["results"]
    assert {r["name"] for r in found} >= {"hardware", "serial", "address"}
