"""Single points of failure of the network: machines without which others cannot reach each other (articulation
points of what cables and links connect, by rustworkx), worst first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import rustworkx as rx

from watchkeeper.domains.inventory.impact import holding
from watchkeeper.domains.inventory.models import Relation
from watchkeeper.model.topology import RelationKind

MOST = 200


@dataclass(frozen=True, slots=True)
class WeakPoint:
    """An item, and how many others are cut off from the largest part of their network without it."""

    id: str
    cut_off: int


def weak_points(at: dt.datetime | None = None, most: int = MOST) -> list[WeakPoint]:
    """The articulation points of the network, those that cut off most first."""
    return articulation(_network(at))[:most]


def _network(at: dt.datetime | None) -> rx.PyGraph[str, None]:
    """Who is connected to whom; a port stands for the machine that it is of."""
    held = Relation.objects.filter(holding(at))
    links = list(held.filter(kind=RelationKind.CONNECTS_TO).values_list("source_id", "target_id"))
    ends = {e for link in links for e in link}
    ports = held.filter(kind=RelationKind.CONTAINS, target__as_interface__isnull=False)
    owner = {t: s for s, t in ports.values_list("source_id", "target_id") if t in ends}
    graph: rx.PyGraph[str, None] = rx.PyGraph(multigraph=False)
    places: dict[str, int] = {}
    for link in links:
        a, b = (owner.get(e, e) for e in link)
        for x in (a, b):
            if x not in places:
                places[x] = graph.add_node(x)
        if a != b:
            graph.add_edge(places[a], places[b], None)
    return graph


def articulation(graph: rx.PyGraph[str, None]) -> list[WeakPoint]:
    """Every articulation point with what it cuts off, worst first; equal ones by name."""
    found = []
    for part in rx.connected_components(graph):
        inside = graph.subgraph(list(part))
        for index in rx.articulation_points(inside):
            name = inside[index]
            without = inside.copy()
            without.remove_node(index)
            sizes = sorted(map(len, rx.connected_components(without)))
            found.append(WeakPoint(name, sum(sizes[:-1])))
    return sorted(found, key=lambda p: (-p.cut_off, p.id))
