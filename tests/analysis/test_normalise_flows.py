"""Talks between addresses become relations of the items that have them, and add no more endpoints than are allowed."""

from __future__ import annotations

import msgspec

from watchkeeper.analysis.identify_flows import MOST_FAR
from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.stages.normalise import Normalise
from watchkeeper.model.signals import Stream, batch
from watchkeeper.model.topology import Discovery, Identifier, Item, RelationKind, Talk, Topology, part

DESK = Item("desk", "host", "desk", (Identifier("address", "10.0.0.1"),))
DB = Item("db", "host", "db", (Identifier("address", "10.0.0.2"),))
POSTGRES = Item("pg", "service", "postgres", (part("db", "listen", "tcp/5432"),))


def after(*talks: Talk, stage: Normalise | None = None, topology: Topology | None = None) -> Topology:
    document = msgspec.json.encode(Discovery(1000, "netflow", talks=talks))
    rows = batch(Stream.DISCOVERIES, [{"time_ms": 1000, "origin": "netflow", "document": document}])
    work = Work(
        1, 1, 1_000_000, topology or Topology([DESK, DB, POSTGRES]), batches=[(1, Stream.DISCOVERIES, rows)]
    )
    (stage or Normalise()).process(work)
    return work.topology


def said(topology: Topology) -> set[tuple[str, str, str, str]]:
    return {(r.source, topology.name(r.target), r.kind.value, r.origin) for r in topology.relations}


def test_the_client_depends_on_what_listens_there() -> None:
    depends = RelationKind.DEPENDS_ON.value
    grown = after(
        Talk("10.0.0.1", "10.0.0.2", 5432, "tcp"),
        Talk("10.0.0.1", "10.0.0.2", 5432, "udp"),
        Talk("10.0.0.2", "10.0.0.2", 5432, "tcp"),
    )
    assert said(grown) == {
        ("desk", "postgres", depends, "netflow"), ("desk", "db", depends, "netflow"),
    }  # fmt: skip
    assert set(grown.items) == {"desk", "db", "pg"}


def test_whom_nobody_knows_asks_for_nothing() -> None:
    grown = after(*(Talk(f"198.51.100.{n}", "10.0.0.2", 5432, "tcp") for n in range(100)))
    assert (set(grown.items), set(grown.relations)) == ({"desk", "db", "pg"}, set())


def test_a_crawler_leads_to_few_endpoints() -> None:
    stage = Normalise()
    talks = [Talk("10.0.0.1", f"198.51.100.{n}", 443, "tcp") for n in range(100)]
    grown = after(*talks[:20], stage=stage)
    grown = after(*talks, stage=stage, topology=grown)
    far = [i for i in grown.items.values() if i.kind == "endpoint"]
    assert len(far) == len(grown.relations) == MOST_FAR
    assert {"198.51.100.0:443", "198.51.100.19:443"} <= {i.name for i in far}
    assert after(*talks, stage=stage, topology=grown) is grown, "the same talks again change nothing"


def test_a_door_may_not_add_more_than_its_share() -> None:
    stage = Normalise(per_minute=3)
    grown = after(*(Talk("10.0.0.1", f"198.51.100.{n}", 443, "tcp") for n in range(9)), stage=stage)
    assert len(grown.items) == 6
    assert stage.statistics["items_refused_netflow"] == 6
