"""Recorded machines and what is found on them: two files dropped into tests/captures/host are a test. The expected
file lists every service with its ports, every other item, and who needs whom, in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from watchkeeper.model.topology import RelationKind, Topology
from watchkeeper.pollers.host_graph import discover
from watchkeeper.pollers.host_reading import Machine
from watchkeeper.pollers.host_services import find_services, find_talks
from watchkeeper.pollers.host_watch import State, Watch

CAPTURES = Path(__file__).parents[1] / "captures" / "host"
MACHINES = sorted(CAPTURES.glob("*.machine.json"))


def found(machine: Machine, own_root: int, watch: Watch) -> Topology:
    services = find_services(machine, own_root)
    watch.see(services, machine.time_ms, machine.host.booted_ms)
    watch.hear(find_talks(machine, services, own_root), machine.time_ms)
    return Topology().with_discovery(discover(machine, watch.shown(), watch.talks(machine.time_ms)))


def in_words(graph: Topology) -> dict[str, list[str]]:
    def by(kind: RelationKind) -> list[str]:
        return sorted(
            f"{graph.name(r.source)} > {graph.name(r.target)}" for r in graph.relations if r.kind is kind
        )

    services = [i for i in graph.items.values() if i.kind == "service"]
    return {
        "services": sorted(" ".join((i.name, *i.attributes["ports"])) for i in services),
        "items": sorted(f"{i.kind} {i.name}" for i in graph.items.values() if i.kind != "service"),
        "host": sorted(
            f"{x.scheme}={x.value}" for i in graph.items.values() if i.kind == "host" for x in i.identifiers
        ),
        "needs": by(RelationKind.DEPENDS_ON),
        "contains": by(RelationKind.CONTAINS),
    }


@pytest.mark.parametrize("path", MACHINES, ids=lambda p: p.name.partition(".")[0])
def test_a_recorded_machine_is_understood(path: Path) -> None:
    machine = msgspec.json.decode(path.read_bytes(), type=Machine)
    expected: dict[str, Any] = json.loads(
        path.with_name(path.name.replace(".machine.", ".expected.")).read_text()
    )
    watch = Watch()
    graph = found(machine, expected.pop("own_root"), watch)
    assert in_words(graph) == expected
    assert {x for i in graph.items.values() for x in i.identifiers} == graph.by_identifier.keys()
    assert sum(len(i.identifiers) for i in graph.items.values()) == len(graph.by_identifier), (
        "none is claimed twice"
    )


@pytest.mark.parametrize("path", MACHINES, ids=lambda p: p.name.partition(".")[0])
def test_the_same_machine_gives_the_same_graph_after_a_restart(path: Path) -> None:
    machine = msgspec.json.decode(path.read_bytes(), type=Machine)
    watch = Watch()
    first = found(machine, 0, watch)
    kept = msgspec.json.decode(msgspec.json.encode(watch.state()), type=State)
    second = found(machine, 0, Watch(kept))
    assert second.items == first.items and second.relations == first.relations
