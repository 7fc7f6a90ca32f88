"""Spans to dependencies: in whatever order and batches they come."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.normalise_rows import Fed, Row, discovery, span
from watchkeeper.model.topology import Identifier, Item, Relation, RelationKind, item_id, part

CLIENT = span("checkout", "client", "c", peer="cart:8080")
SERVER = span("cart", "server", "s", parent="c")


@pytest.mark.parametrize("rows", [[CLIENT, SERVER], [SERVER, CLIENT]])
@pytest.mark.parametrize("together", [True, False])
def test_client_and_server_meet(rows: list[Row], together: bool) -> None:
    fed = Fed()
    for some in [rows] if together else [[r] for r in rows]:
        fed.read(*some)
    assert fed.edges() == {("checkout", "depends_on", "cart")}
    fed.read(after=60_000)
    assert fed.items() == ["cart", "checkout"], "the name it was called by is no item of its own"


def test_a_server_that_sends_no_spans_is_known_by_what_it_is_called() -> None:
    fed = Fed()
    fed.read(CLIENT)
    assert fed.edges() == set(), "its span may be on the way"
    fed.read(after=20_000)
    assert fed.edges() == {("checkout", "depends_on", "cart")}
    far = span("checkout", "client", "d", peer="203.0.113.9", server__port="443")
    fed.read(far)
    fed.read(after=20_000)
    assert ("checkout", "depends_on", "203.0.113.9:443") in fed.edges()
    assert fed.items("endpoint") == ["203.0.113.9:443"]


def test_a_peer_on_a_known_machine_is_the_service_that_listens_there() -> None:
    host = item_id("host", "db1")
    service = item_id("service", host, "postgres:5432")
    machine = discovery(
        Item(host, "host", "db1", (Identifier("hostname", "db1"), Identifier("address", "10.0.0.5"))),
        Item(
            service,
            "service",
            "postgres",
            (part(host, "service", "postgres"), part(host, "listen", "tcp/5432")),
        ),
        relations=(Relation(service, host, RelationKind.RUNS_ON, "host"),),
    )
    for peer in ("db1:5432", "10.0.0.5:5432"):
        fed = Fed()
        fed.read(machine)
        fed.read(span("checkout", "client", "c", peer=peer))
        fed.read(after=20_000)
        assert ("checkout", "depends_on", "postgres") in fed.edges()


def test_a_loopback_name_is_the_client_s_own_machine() -> None:
    host = item_id("host", "db1")
    redis = item_id("service", host, "redis:6379")
    machine = discovery(
        Item(host, "host", "db1", (Identifier("hostname", "db1"),)),
        Item(redis, "service", "redis", (part(host, "service", "redis"), part(host, "listen", "tcp/6379"))),
        relations=(Relation(redis, host, RelationKind.RUNS_ON, "host"),),
    )
    told = {"server__address": "127.0.0.1", "server__port": "6379"}
    fed = Fed()
    fed.read(machine)
    fed.read(span("cart", "client", "c", host="db1", peer="127.0.0.1", **told))
    fed.read(span("cart", "client", "d", host="web2", peer="127.0.0.1", **told))
    fed.read(after=20_000)
    assert ("cart", "depends_on", "redis") not in fed.edges(), (
        "of a service on two machines nobody knows which"
    )
    fed.read(span("mailer", "client", "e", host="db1", peer="127.0.0.1", **told))
    fed.read(after=20_000)
    assert ("mailer", "depends_on", "redis") in fed.edges()


def test_a_database_on_loopback_waits_for_its_machine_to_be_described() -> None:
    host = item_id("host", "db1")
    redis = item_id("service", host, "redis:6379")
    machine = discovery(
        Item(host, "host", "db1", (Identifier("hostname", "db1"),)),
        Item(redis, "service", "redis", (part(host, "service", "redis"), part(host, "listen", "tcp/6379"))),
        relations=(Relation(redis, host, RelationKind.RUNS_ON, "host"),),
    )
    told = {"db__system": "redis", "server__address": "127.0.0.1", "server__port": "6379"}
    fed = Fed()
    fed.read(span("cart", "client", "c", host="db1", peer="redis", **told))
    fed.read(machine, after=5_000)
    fed.read(span("cart", "client", "d", host="db1", peer="redis", **told), after=5_000)
    fed.read(after=20_000)
    assert fed.items("database") == [], "what it called is the service that the machine turned out to have"
    assert ("cart", "depends_on", "redis") in fed.edges()


def test_two_services_with_a_database_of_a_kind_have_each_their_own() -> None:
    fed = Fed()
    for n, name in enumerate(("cart", "ledger")):
        fed.read(span(name, "client", str(n), peer="postgresql", db__system="postgresql"))
    fed.read(after=20_000)
    assert fed.items("database") == ["postgresql", "postgresql"]


def test_localhost_is_nobody() -> None:
    fed = Fed()
    fed.read(
        span("cart", "client", "c", peer="localhost:6379"), span("cart", "client", "d", peer="127.0.0.1")
    )
    fed.read(after=20_000)
    assert fed.edges() == set() and fed.items() == ["cart"]


def test_a_queue_does_not_make_its_reader_a_need_of_its_writer() -> None:
    fed = Fed()
    fed.read(
        span("shop", "producer", "p", peer="mq1:5672"),
        span("mailer", "consumer", "c", parent="p", peer="mq1:5672"),
    )
    fed.read(after=20_000)
    assert fed.edges() == {("shop", "depends_on", "mq1")}


def test_spans_tell_where_a_service_runs() -> None:
    fed = Fed()
    fed.read(span("cart", host="web1"), span("cart", host="web2"))
    fed.read(
        span(
            "cart", host="cart-0", k8s__pod__name="cart-0", k8s__namespace__name="shop", k8s__node__name="n1"
        )
    )
    assert fed.edges() == {
        ("cart", "runs_on", "web1"), ("cart", "runs_on", "web2"), ("cart-0", "runs_on", "n1"),
        ("cart-0", "member_of", "cart"),
    }  # fmt: skip


calls = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=10)


@settings(max_examples=60, deadline=None)
@given(calls, st.randoms(), st.integers(1, 6))
def test_order_and_batches_make_no_difference(
    pairs: list[tuple[int, int]], random: st.DataObject, size: int
) -> None:
    rows = []
    for n, (a, b) in enumerate(pairs):
        rows += [span(f"s{a}", "client", f"c{n}"), span(f"s{b}", "server", f"x{n}", parent=f"c{n}")]
    random.shuffle(rows)  # type: ignore[attr-defined]
    fed = Fed()
    for i in range(0, len(rows), size):
        fed.read(*rows[i : i + size], after=100)
    assert fed.edges() == {(f"s{a}", "depends_on", f"s{b}") for a, b in pairs if a != b}
