"""Talks between addresses, as relations of the items that have them. Pure.

Whoever sees packets pass sees every address that there is, so a talk adds no machine: it counts where the client is
known. A server that nobody knows becomes an endpoint, as one that a host's own sockets lead to; the number of those is
bounded, because a crawler has no dependencies, it has prey.
"""

from __future__ import annotations

from collections.abc import Callable

from watchkeeper.analysis.identify_hosts import resolve_host
from watchkeeper.model.topology import (
    Discovery,
    Identifier,
    Item,
    Relation,
    RelationKind,
    Talk,
    Topology,
    item_id,
    part,
)

MOST_FAR = 32  # endpoints that one client leads to


def talked(
    topology: Topology, found: Discovery, admits: Callable[[str], bool]
) -> tuple[list[Item], list[Relation]]:
    """Endpoints that are new, and who depends on whom. `admits` says whether this origin may add one more item."""
    items: dict[str, Item] = {}
    relations: dict[Relation, None] = {}
    far: dict[str, set[str]] = {}
    for talk in found.talks:
        client = _machine(topology, talk.client)
        if client is None:
            continue
        machine = _machine(topology, talk.server)
        if machine is not None:
            target = _service(topology, machine, talk).id if machine.id != client.id else ""
        else:
            if client.id not in far:
                far[client.id] = _endpoints(topology, client.id, found.origin)
            target = _endpoint(topology, talk, found.origin, items, far[client.id], admits)
        if target and target != client.id:
            relations[Relation(client.id, target, RelationKind.DEPENDS_ON, found.origin)] = None
    return list(items.values()), list(relations)


def _machine(topology: Topology, address: str) -> Item | None:
    return resolve_host(topology, (Identifier("address", address),))


def _service(topology: Topology, machine: Item, talk: Talk) -> Item:
    """What listens on this port of the machine; the machine itself while that is not known."""
    return topology.resolve((part(machine.id, "listen", f"{talk.protocol}/{talk.port}"),)) or machine


def _endpoints(topology: Topology, client: str, origin: str) -> set[str]:
    """Where this origin has seen the client go already, outside of what is known."""
    targets = (r.target for r in topology.outgoing.get(client, ()) if r.origin == origin)
    return {t for t in targets if t in topology.items and topology.items[t].kind == "endpoint"}


def _endpoint(topology: Topology, talk: Talk, origin: str, items: dict[str, Item], led: set[str],
              admits: Callable[[str], bool]) -> str:  # fmt: skip
    """The id of the endpoint where the server is, made if it is not there yet; "" when there are too many."""
    where = f"[{talk.server}]:{talk.port}" if ":" in talk.server else f"{talk.server}:{talk.port}"
    name = where if talk.protocol == "tcp" else f"{where}/{talk.protocol}"
    names = (Identifier("endpoint", name),)
    known = topology.resolve(names)
    new = known.id if known else item_id("endpoint", name)
    if new not in led and len(led) >= MOST_FAR:
        return ""
    if new not in topology.items and new not in items:
        if not admits(origin):
            return ""
        items[new] = Item(new, "endpoint", name, names, source=origin)
    led.add(new)
    return new
