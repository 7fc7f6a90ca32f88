"""Duplicates are proposed with their reasons, merged with all that points at them, and taken apart again exactly."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.domains.analysis_structs import NOW
from tests.domains.test_inventory_sources import ZURICH, db1, source, take
from watchkeeper.domains import inventory
from watchkeeper.domains.inventory import duplicates, load_topology, models, write_discoveries
from watchkeeper.domains.inventory.describing import Described
from watchkeeper.domains.inventory.merging import merge, unmerge
from watchkeeper.domains.situations.models import Alert
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.problems import Refused
from watchkeeper.model.topology import Discovery, Identifier, Item, Relation, RelationKind, item_id, part

pytestmark = pytest.mark.django_db
Send = Callable[..., Any]
_TIMES = {
    "starts_at": "2026-01-01T00:00Z",
    "first_seen_at": "2026-01-01T00:00Z",
    "last_seen_at": "2026-01-01T00:00Z",
}


@pytest.fixture
def send(api: Callable[..., Client]) -> Send:
    """`send("POST", path, body)` → the answer's body."""
    client = api("admin")

    def call(method: str, path: str, body: Any = None, status: int = 0) -> Any:
        answer = client.generic(method, path, "" if body is None else json.dumps(body), "application/json")
        assert answer.status_code == (status or {"POST": 201, "DELETE": 204}.get(method, 200)), (
            answer.content[:900]
        )
        return answer.json() if answer.content else None

    return call


def discover(*items: Item, relations: tuple[Relation, ...] = ()) -> None:
    """As analysis writes it."""
    with transaction.atomic():
        write_discoveries([Discovery(NOW, "host", items, relations)], NOW)


def host(name: str, scheme: str = "hostname", **more: Any) -> Item:
    """A host that discovery found."""
    return Item(item_id("host", name), "host", name, (Identifier(scheme, name),), source="host", **more)


def graph() -> Any:
    """Everything that analysis would see, and the past, as plain data."""
    t = load_topology()
    past = sorted(map(str, models.Identifier.objects.values_list("item_id", "scheme", "value", "valid_to")))
    edges = sorted(
        map(str, models.Relation.objects.values_list("source_id", "kind", "target_id", "origin", "valid_to"))
    )
    said = sorted(map(str, models.Statement.objects.values_list("source_id", "item_id", "key")))
    return {**t.items}, frozenset(t.relations), dict(t.by_identifier), past, edges, said


def alert(fingerprint: str, item: str) -> Alert:
    """An alert about this item."""
    return Alert.objects.create(fingerprint=fingerprint, item_id=item, name="down", severity="critical", status="firing",
                                source="t", **_TIMES)  # fmt: skip


def test_everything_that_points_at_it_moves_and_comes_back(send: Send) -> None:
    disk = Item(
        item_id("disk", "db1", "sda"),
        "disk",
        "sda on db1",
        (part(host("db1").id, "disk", "sda"),),
        source="host",
    )
    old, web = host("db1", attributes={"cpus": 8}), host("web")
    discover(old, web, disk, relations=(
        Relation(old.id, disk.id, RelationKind.CONTAINS, "host"), Relation(web.id, old.id, RelationKind.DEPENDS_ON, "host"),
    ))  # fmt: skip
    take(source(), ZURICH, Described("devices", "d1", "db1-new", {"serial": "X1"}, {"site": "site/1"}))
    device = models.Device.objects.get()
    alert("f1", old.id)
    before = graph()
    done = send("POST", f"/api/items/{old.id}/merge/", {"into": device.pk}, 200)
    t = load_topology()
    survivor = t.resolve([Identifier("hostname", "db1")])
    assert survivor is not None and survivor.id == device.pk and survivor.attributes == {"cpus": 8}
    assert t.resolve([part(device.pk, "disk", "sda")]) is not None, (
        "what is known within it, is so within the other"
    )
    assert [t.name(i) for i in t.needs(web.id)] == ["db1-new"]
    assert Alert.objects.get().item_id == device.pk
    assert (
        inventory.names_of([old.id]) == {old.id: "db1-new"}
        and inventory.moved_to(old.id) == f"devices/{device.pk}"
    )
    assert AuditEntry.objects.filter(act="item.merge", record=device.pk).count() == 1
    discover(old, relations=(Relation(web.id, old.id, RelationKind.DEPENDS_ON, "host"),))
    assert not models.Item.objects.filter(pk=old.id).exists(), "who does not know yet brings it not back"
    said = send("POST", f"/api/merges/{done['merge']}/undo/", {}, 200)["said"]
    assert said == [] and graph() == before
    assert Alert.objects.get().item_id == old.id
    assert models.Duplicate.objects.get().state == "not_the_same"
    send("POST", f"/api/merges/{done['merge']}/undo/", {}, 409)


def test_what_cannot_be_told_apart_is_said(send: Send) -> None:
    a, b = host("a"), host("b")
    discover(a, b)
    done = send("POST", f"/api/items/{a.id}/merge/", {"into": b.id}, 200)
    alert("f9", b.id)
    Alert.objects.update(first_seen_at="2030-01-01T00:00Z")
    models.Identifier.objects.filter(value="a").delete()
    said = " ".join(send("POST", f"/api/merges/{done['merge']}/undo/", {}, 200)["said"])
    assert (
        "1 of its identifiers have been removed" in said
        and "1 alerts that have come since stay with b" in said
    )


def test_ports_that_both_have_are_merged_too_and_come_back() -> None:
    of = source()
    for n in "12":
        take(of, ZURICH, Described("devices", f"d{n}", f"sw-{n}", {}, {"site": "site/1"}),
             Described("interfaces", f"i{n}", "", {"label": "eth0"}, {"owner": f"d{n}"}),
             Described("addresses", f"a{n}", "", {"address": f"10.0.0.{n}/24"}, {"assigned_to": f"i{n}"}),
             whole=False)  # fmt: skip
    one, two = models.Device.objects.order_by("name")
    before = graph()
    done = merge(SYSTEM, models.Item.objects.get(pk=one.pk), models.Item.objects.get(pk=two.pk))
    assert models.Interface.objects.get().assigned_addresses.count() == 2
    assert load_topology().resolve([Identifier("address", "10.0.0.2")]).id == one.pk  # type: ignore[union-attr]
    with pytest.raises(Refused, match="part of what was merged"):
        unmerge(SYSTEM, models.Merge.objects.exclude(pk=done.pk).get())
    assert unmerge(SYSTEM, done) == []
    assert graph() == before and models.Interface.objects.count() == 2


def test_a_device_and_a_virtual_machine_are_not_one() -> None:
    take(source(), ZURICH, db1(), Described("virtual-machines", "v", "vm1"))
    a, b = (models.Item.objects.get(name=n) for n in ("db1", "vm1"))
    with pytest.raises(Refused, match="the other way round, or not at all"):
        merge(SYSTEM, a, b)


def test_pairs_are_proposed_with_reasons(send: Send) -> None:
    take(source("netbox"), ZURICH, db1())
    discover(host("db1.example.org", "fqdn"), host("DB-1"), host("other"))
    duplicates.find(SYSTEM)
    found = send("GET", "/api/duplicates/?state=proposed")["results"]
    reasons = {
        (frozenset((d["first_name"], d["second_name"])), b["rule"]) for d in found for b in d["because"]
    }
    assert (frozenset(("db1", "db1.example.org")), "host name") in reasons
    assert any(rule == "near name" and "DB-1" in pair for pair, rule in reasons)
    assert all(0.5 <= d["score"] <= 1 and d["because"] for d in found)
    pair = found[0]
    send("POST", f"/api/duplicates/{pair['id']}/not-the-same/", {}, 200)
    duplicates.find(SYSTEM)
    assert send("GET", f"/api/duplicates/{pair['id']}/")["state"] == "not_the_same", "that is remembered"
    rest = send("GET", "/api/duplicates/?state=proposed")["results"]
    assert pair["id"] not in [d["id"] for d in rest]


def test_the_service_that_answers_is_what_listens() -> None:
    machine = host("h1")
    listener = Item(
        item_id("service", "l"),
        "service",
        "shop:41477",
        (part(machine.id, "listen", "tcp/41477"),),
        source="host",
    )
    service = Item(item_id("service", "checkout"), "service", "checkout", (Identifier("service.name", "checkout"),),
                   source="spans")  # fmt: skip
    discover(
        machine,
        listener,
        service,
        relations=(Relation(listener.id, service.id, RelationKind.MEMBER_OF, "spans"),),
    )
    duplicates.find(SYSTEM)
    pair = models.Duplicate.objects.get()
    assert dict(pair.because) == {"listener": "calls to shop:41477 are answered by checkout"}


def test_proof_merges_by_itself_unless_switched_off() -> None:
    names = (Identifier("serial", "x1"), Identifier("uuid", "u-1"))
    described = Described("virtual-machines", "v", "a1", {}, {}, names)
    for rule_is_on in (False, True):
        models.Item.objects.all().delete()
        duplicates.rules()
        models.MatchRule.objects.filter(name="hardware").update(automatic=rule_is_on)
        take(source("one"), described)
        models.Statement.objects.all().delete()
        take(source("two"), Described("virtual-machines", "v", "b2"), whole=False)
        both = models.VirtualMachine.objects.order_by("name")
        with transaction.atomic():
            duplicates.contested((both[1].pk, both[0].pk, x) for x in names)
        assert duplicates.find(SYSTEM)["merged"] == int(rule_is_on)
        assert models.VirtualMachine.objects.count() == 2 - rule_is_on


@st.composite
def estates(draw: Any) -> tuple[list[Item], tuple[Relation, ...], tuple[int, int]]:
    """A few hosts with parts and relations, and which two of them are merged."""
    n = draw(st.integers(2, 4))
    hosts = [host(f"h{i}", attributes={draw(st.sampled_from("ab")): i}) for i in range(n)]
    parts = [
        Item(item_id("disk", h.name, d), "disk", d, (part(h.id, "disk", d),), source="host")
        for h in hosts for d in draw(st.lists(st.sampled_from(["sda", "sdb"]), unique=True))
    ]  # fmt: skip
    ends = st.sampled_from([i.id for i in (*hosts, *parts)])
    edges = draw(
        st.lists(st.builds(Relation, ends, ends, st.sampled_from(RelationKind), st.sampled_from(["x", "y"])))
    )
    pair = draw(st.lists(st.integers(0, n - 1), min_size=2, max_size=2, unique=True))
    return [*hosts, *parts], tuple(edges), (pair[0], pair[1])


@settings(
    max_examples=12, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(estate=estates(), late=st.booleans())
def test_merging_and_taking_apart_gives_the_same_graph(estate: Any, late: bool) -> None:
    """Also when something has happened between that has nothing to do with it."""
    models.Item.objects.all().delete()
    items, edges, (a, b) = estate
    discover(*items, relations=edges)
    before = graph()
    first, second = (models.Item.objects.get(pk=items[i].id) for i in (a, b))
    done = merge(SYSTEM, first, second)
    t = load_topology()
    assert second.pk not in t.items and {second.pk}.isdisjoint(
        e for r in t.relations for e in (r.source, r.target)
    )
    known = t.resolve(items[b].identifiers)
    assert known is not None and known.id == first.pk
    if late:
        discover(host("late"))
    assert unmerge(SYSTEM, done) == []
    models.Item.objects.filter(name="late").delete()
    assert graph() == before
