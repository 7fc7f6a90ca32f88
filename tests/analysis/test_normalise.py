"""The first stage: what comes in is resolved, what is unknown is discovered, once."""

from __future__ import annotations

import itertools
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.normalise_rows import HOST, MACHINE, NOW, Fed, Row, event, log, series, span
from watchkeeper.analysis.identify_graph import MOST_SEEN, SEEN_MS
from watchkeeper.analysis.stages.normalise import Normalise
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.signals import Stream
from watchkeeper.model.topology import Identifier, Item, Relation, RelationKind, Topology, item_id


def test_events_have_all_their_columns() -> None:
    labels = {"alertname": "Down", "instance": "db1:9100", "job": "node"}
    (e,) = Fed().read(event(labels, id="x1", url="http://u", annotations='{"a":"b"}', ends_ms=7)).events
    assert (e.id, e.kind, e.status, e.url, e.door, e.ends_ms) == (
        "x1",
        "alert",
        "firing",
        "http://u",
        "alertmanager",
        7,
    )
    assert e.labels == labels and e.annotations == {"a": "b"}


def test_the_most_specific_known_item_is_meant() -> None:
    fed = Fed()
    fed.read(MACHINE)
    assert fed.item({"instance": "vm:9100", "job": "node", "device": "sda"}) == "sda on vm"
    assert fed.item({"instance": "vm:9100", "job": "node", "device": "sdb"}) == "vm"
    assert fed.item({"host.name": "vm", "service.name": "postgres"}, "host") == "postgres"
    assert fed.item({"instance": "vm:5432", "job": "pg"}) == "postgres"
    assert fed.item({"instance": "10.0.0.5:9100", "job": "node"}) == "vm"
    assert fed.item({"host": "VM."}) == "vm"


def test_what_is_unknown_is_discovered_and_marked_so() -> None:
    fed = Fed()
    work = fed.read(event({"instance": "web7:8080", "job": "checkout"}))
    (found,) = work.discoveries[0:1]
    assert fed.items() == ["checkout", "web7"]
    assert all(i.discovered and i.source == "alertmanager" for d in work.discoveries for i in d.items)
    assert found.time_ms == work.now_ms
    assert fed.edges() == {("checkout", "runs_on", "web7")}
    assert fed.topology.name(work.events[0].item) == "checkout"


def test_labels_that_name_nothing_discover_nothing() -> None:
    fed = Fed()
    work = fed.read(event({"alertname": "Watchdog"}), event({"instance": "localhost:9090"}))
    assert [e.item for e in work.events] == ["", ""]
    assert work.discoveries == [] and fed.topology.items == {}


def test_what_was_told_is_told_again_only_after_a_while() -> None:
    fed = Fed()
    rows = (
        MACHINE,
        event({"instance": "web7:8080", "job": "checkout"}),
        log("web7"),
        span("checkout", host="web7"),
    )
    assert fed.read(*rows).discoveries
    before = fed.topology
    told = [fed.read(*rows, after=10_000).discoveries for _ in range(29)]
    assert not any(told) and fed.topology is before
    again = fed.read(*rows, after=20_000).discoveries
    assert {i.id for d in again for i in d.items} == set(before.items)
    assert {r for d in again for r in d.relations} == set(before.relations)
    assert fed.topology is before


def test_what_is_told_again_comes_in_portions() -> None:
    fed = Fed()
    many = [event({"instance": f"web{n}:9100", "job": "node"}) for n in range(3 * MOST_SEEN)]
    fed.read(*many)
    sizes = [sum(len(d.items) for d in fed.read(*many, after=SEEN_MS).discoveries)]
    sizes += [sum(len(d.items) for d in fed.read().discoveries) for _ in range(3)]
    assert sizes == [MOST_SEEN, MOST_SEEN, MOST_SEEN, 0]


def test_a_door_can_add_only_so_many_items_a_minute() -> None:
    fed = Fed(Normalise(per_minute=10))
    work = fed.read(*(event({"host": f"h{n}"}) for n in range(100)))
    assert len(fed.topology.items) == 10 and len(work.events) == 100
    assert fed.stage.statistics["items_refused_alertmanager"] == 90
    fed.read(event({"host": "other"}, door="syslog"))
    assert "other" in fed.items(), "another door has a bound of its own"
    fed.read(*(event({"host": f"h{n}"}) for n in range(100)), after=60_000)
    assert len(fed.topology.items) == 21


def test_a_poller_and_labels_mean_the_same_machine_whoever_came_first() -> None:
    alert, machine = event({"host": "vm", "service": "postgres"}), MACHINE
    for order in ((alert, machine), (machine, alert)):
        fed = Fed()
        for row in order:
            fed.read(row)
        fed.read(machine)
        assert fed.items("host") == ["vm"]
        assert fed.items("service") == ["postgres"]
        assert fed.item({"instance": "vm:9100", "job": "node", "device": "sda"}) == "sda on vm"


def test_a_machine_known_by_its_address_gets_its_name() -> None:
    fed = Fed()
    fed.read(log("10.0.0.5", source="sshd"))
    assert fed.items("host") == ["10.0.0.5"]
    fed.read(MACHINE)
    assert fed.items("host") == ["vm"]
    (host,) = (i for i in fed.topology.items.values() if i.kind == "host")
    assert host.id == item_id("host", "10.0.0.5"), "its id stays, and so does what hangs on it"
    assert fed.item({"instance": "vm:9100", "job": "node", "device": "sda"}) == "sda on vm"


def test_short_and_long_names() -> None:
    fed = Fed()
    fed.read(log("db1.example.org"))
    assert fed.item({"host": "db1"}) == "db1.example.org"
    fed.read(log("db1.example.net"))
    assert len(fed.items("host")) == 2, "the same short name in two domains is two machines"
    fed.read(after=60_000)
    assert fed.item({"host": "db1"}) == "db1", "so that the short name alone says neither"
    fed.read(log("web1"))
    assert fed.item({"host": "web1.example.org"}) == "web1"
    assert fed.item({"host": "web1.example.net"}) == "web1.example.net"


def test_services_of_one_name_in_two_namespaces_stay_apart() -> None:
    fed = Fed()
    a = fed.read(span("cart", service__namespace="prod")).topology
    fed.read(span("cart", service__namespace="staging"))
    assert fed.items("service") == ["cart", "cart"] and len(a.items) == 1
    fed = Fed()
    fed.read(span("cart"))
    fed.read(event({"service": "cart", "namespace": "prod"}))
    assert fed.items("service") == ["cart"], "while there is one only, the plain name is that one's"


def test_what_a_person_has_confirmed_keeps_its_name() -> None:
    known = msgspec.structs.replace(
        HOST, name="The ledger's machine", discovered=False, identifiers=HOST.identifiers[1:2]
    )
    fed = Fed(topology=Topology([known]))
    fed.read(MACHINE)
    assert fed.items("host") == ["The ledger's machine"]
    assert Identifier("host.id", "0" * 32) in fed.topology.by_identifier


def test_clones_with_one_machine_id_stay_two() -> None:
    fed = Fed()
    for name in ("web1", "web2"):
        fed.read(event({"host.id": "ab" * 16, "host.name": name}))
    assert fed.items("host") == ["web1", "web2"]


nobodies = st.sampled_from(
    ["localhost", "127.0.0.1", "::1", "ubuntu", "localhost.localdomain", "LOCALHOST", "0.0.0.0", "debian"]
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3", ""]), nobodies, st.booleans()),
        max_size=12,
    )
)
def test_no_two_machines_are_one_because_both_say_localhost(told: list[tuple[str, str, bool]]) -> None:
    fed = Fed()
    for sender, name, as_log in told:
        labels = {"client.address": sender} if sender else {}
        work = fed.read(log(name, **labels) if as_log else event({"host": name, **labels}))
        item = work.log_items[fed.offset][0].as_py() if as_log else work.events[0].item
        # the sender's own item, and none where the sender is not known
        assert fed.topology.name(item) == sender
    assert set(fed.items()) == {sender for sender, _, _ in told if sender}


some_rows = st.lists(
    st.one_of(
        st.builds(
            lambda i, j, d: event({"instance": i, "job": j, "device": d}),
            st.sampled_from(["vm:9100", "vm:5432", "web1:80", "web1.example.org:80", "10.0.0.5:1"]),
            st.sampled_from(["node", "postgres", "checkout"]),
            st.sampled_from(["sda", ""]),
        ),
        st.builds(
            lambda h, s: log(h, source=s),
            st.sampled_from(["vm", "web1", "10.0.0.5"]),
            st.sampled_from(["postgres", "sshd"]),
        ),
        st.builds(
            lambda s, h: span(s, host=h),
            st.sampled_from(["cart", "checkout", "postgres"]),
            st.sampled_from(["vm", "web1"]),
        ),
        st.just(MACHINE),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(some_rows)
def test_reading_the_same_again_changes_nothing(rows: list[Row]) -> None:
    fed = Fed()
    for row in rows:
        fed.read(row)
    fed.read(*rows, after=60_000)  # what only the whole could tell, the whole has told
    before = fed.topology
    work = fed.read(*rows)
    assert fed.topology is before and work.discoveries == []
    for d in fed.read(*rows).discoveries:
        assert all(r.source in before.items and r.target in before.items for r in d.relations)
    # and another that begins from the records comes to the same
    other = Fed(topology=Topology(before.items.values(), before.relations))
    assert [e.item for e in other.read(*rows).events] == [e.item for e in work.events]
    assert other.topology.items == before.items


def test_acts_are_read_and_what_is_none_is_counted() -> None:
    act = Act(id="1", kind=ActKind.NOTE, target="s", actor="ann", time_ms=NOW, data={"text": "hm"})
    rows = [
        (Stream.ACTS, {"time_ms": NOW, "document": d}) for d in (msgspec.json.encode(act), b"{", b'{"id": 3}')
    ]
    fed = Fed()
    work = fed.read(*rows, (Stream.DISCOVERIES, {"time_ms": NOW, "origin": "x", "document": b"[]"}))
    assert work.acts == [act]
    assert (
        fed.stage.statistics["unreadable_acts"] == 2 and fed.stage.statistics["unreadable_discoveries"] == 1
    )


@pytest.mark.parametrize("labels", ["[]", "{", '{"a": 1}', "null", '{"host": {"x": 1}}'])
def test_labels_that_cannot_be_read_are_none(labels: str) -> None:
    fed = Fed()
    assert fed.read(event({}, labels=labels)).events[0].labels == {}
    assert fed.stage.statistics["unreadable_labels"] == 1


def test_another_graph_is_taken_up(machine: Fed | None = None) -> None:
    fed = machine or Fed()
    fed.read(MACHINE, series("node_load1", {"instance": "vm:9100", "job": "node"}))
    renamed = Topology([Item("other", "host", "vm-2", (Identifier("hostname", "vm"),), discovered=False)])
    fed.topology = renamed
    work = fed.read()
    (info,) = work.series.values()
    assert info.item == "other" and work.changed_series == [info.id]
    assert fed.item({"host": "vm"}) == "vm-2"


def test_what_a_person_has_related_does_not_end() -> None:
    a, b = Item("a", "host", "a"), Item("b", "host", "b")
    said = Relation("a", "b", RelationKind.DEPENDS_ON)
    seen = Relation("b", "a", RelationKind.DEPENDS_ON, "spans")
    fed = Fed(Normalise(hold_ms=3_600_000), Topology([a, b], [said, seen]))
    for _ in range(5):
        fed.read(after=1_800_000)
    assert set(fed.topology.relations) == {said}


def test_logs_have_an_item_a_row() -> None:
    fed = Fed()
    fed.read(MACHINE)
    rows = [log("vm", source="postgres"), log("vm", source="sshd"), log("localhost"), log("web9")]
    work = fed.read(*rows)
    names = [fed.topology.name(i) for i in work.log_items[fed.offset].to_pylist()]
    assert names == ["postgres", "vm", "", "web9"]
    otlp = [
        log("node-1", "cart", door="otlp", k8s__pod__name=f"cart-{n}", k8s__namespace__name="shop")
        for n in range(2)
    ]
    work = fed.read(*otlp)
    assert [fed.topology.name(i) for i in work.log_items[fed.offset].to_pylist()] == ["cart", "cart"]
    assert ("cart-0", "member_of", "cart") in fed.edges()


def test_log_rows_of_a_slice_are_its_own() -> None:
    fed = Fed()
    work = fed.read(*(log(f"h{n}", k8s__node__name=f"n{n}") for n in range(10)))
    offset, stream, whole = work.batches[0]
    work.batches = [(99, stream, whole.slice(3, 4))]
    fed.stage.process(work)
    assert work.log_items[99].to_pylist() == work.log_items[offset].to_pylist()[3:7]


def test_kubernetes_pods_hang_between_their_service_and_their_node() -> None:
    fed = Fed()
    pod = {"namespace": "shop", "pod": "cart-6d4cf56db6-xk2lp", "node": "node-3", "container": "app"}
    work = fed.read(event({**pod, "alertname": "KubePodCrashLooping"}))
    assert fed.topology.name(work.events[0].item) == pod["pod"]
    assert fed.edges() == {(pod["pod"], "runs_on", "node-3"), (pod["pod"], "member_of", "cart")}
    assert fed.items("deployment") == ["cart"]
    assert fed.item({"namespace": "shop", "deployment": "cart"}) == "cart"


def test_hostile_labels_discover_nothing() -> None:
    fed = Fed()
    bad = [
        "x" * 10_000,
        "a\x00b",
        "\x1b[2J",
        "\u202eevil",
        " ",
        "a b c",
        "-",
        "..",
        "[::",
        "http://",
        "1" * 300,
    ]
    work = fed.read(*(event({"host": v, "service": v if len(v) > 300 or "\x1b" in v else ""}) for v in bad))
    assert fed.topology.items == {} and all(e.item == "" for e in work.events)
    assert fed.read(*(log(v) for v in bad)).discoveries == []


def test_the_document_of_a_discovery_is_what_the_inventory_reads() -> None:
    fed = Fed()
    work = fed.read(MACHINE)
    (found,) = work.discoveries
    assert json.loads(msgspec.json.encode(found))["items"][0]["name"] == "vm"
    assert Topology().with_discoveries(work.discoveries).items == fed.topology.items


def test_items_of_one_work_come_before_the_relations_that_need_them() -> None:
    fed = Fed()
    work = fed.read(MACHINE, event({"instance": "web7:8080", "job": "checkout"}), span("cart", host="web7"))
    known: set[str] = set()
    for d in work.discoveries:
        known |= {i.id for i in d.items}
        assert all({r.source, r.target} <= known for r in d.relations)
    assert len(list(itertools.chain(*(d.items for d in work.discoveries)))) == len(fed.topology.items)
