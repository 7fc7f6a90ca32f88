"""A client that calls a loopback port means who listens there on its own machine, as the host poller found it."""

from __future__ import annotations

from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.stages.normalise import Normalise
from watchkeeper.model.signals import Stream, batch
from watchkeeper.model.topology import (
    Discovery,
    Identifier,
    Item,
    Relation,
    RelationKind,
    Topology,
    item_id,
    part,
)

HOST = item_id("host", "h1")
REDIS = item_id("service", HOST, "redis:6390")


def test_a_loopback_call_reaches_the_listener_on_the_same_host() -> None:
    host = Item(HOST, "host", "h1", (Identifier("hostname", "h1"),), source="host")
    redis = Item(REDIS, "service", "redis:6390", (part(HOST, "listen", "tcp/6390"),), source="host")
    runs = Relation(REDIS, HOST, RelationKind.RUNS_ON, "host")
    cart = Item(item_id("service", "cart"), "service", "cart", (Identifier("service.name", "cart"),))
    told = [Relation(cart.id, HOST, RelationKind.RUNS_ON, origin) for origin in ("remote_write", "spans")]
    found = Discovery(1000, "host", (host, redis, cart), (runs, *told))
    topology = Topology().with_discovery(found)
    stage = Normalise()
    span = {
        "trace_id": "aa", "span_id": "01", "parent_id": "", "service": "cart", "name": "GET", "kind": "client",
        "start_ns": 10**9, "duration_ns": 10, "status": "ok", "host": "h1", "peer": "redis", "door": "otlp",
        "labels": '{"host.name":"h1","peer.service":"redis","server.address":"127.0.0.1","server.port":"6390",'
                  '"service.name":"cart"}',
    }  # fmt: skip
    work = Work(1, 1, 1_000_000, topology, batches=[(1, Stream.SPANS, batch(Stream.SPANS, [span]))])
    stage.process(work)
    later = Work(2, 2, 1_060_000, work.topology)
    stage.process(later)
    needs = [r for r in later.topology.relations if r.kind is RelationKind.DEPENDS_ON]
    assert [r.target for r in needs] == [REDIS]
    assert later.topology.name(needs[0].source) == "cart"


def test_a_database_is_known_at_once() -> None:
    """It has no span of its own, so there is nothing to wait for."""
    stage = Normalise()
    span = {
        "trace_id": "aa", "span_id": "01", "parent_id": "", "service": "cart", "name": "GET", "kind": "client",
        "start_ns": 10**9, "duration_ns": 10, "status": "ok", "host": "h1", "peer": "sessions", "door": "otlp",
        "labels": '{"db.system.name":"redis","peer.service":"sessions","service.name":"cart"}',
    }  # fmt: skip
    work = Work(1, 1, 1_000_000, Topology(), batches=[(1, Stream.SPANS, batch(Stream.SPANS, [span]))])
    stage.process(work)
    needs = [r for r in work.topology.relations if r.kind is RelationKind.DEPENDS_ON]
    assert [work.topology.name(r.target) for r in needs] == ["sessions"]
