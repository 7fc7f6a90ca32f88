"""What a poller discovered, fitted into the graph: an item that is known already under one of its names keeps its id,
and everything else in the discovery then means that one."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from watchkeeper.analysis.identify import identifiers, peer
from watchkeeper.analysis.identify_hosts import resolve_host
from watchkeeper.model.topology import Discovery, Identifier, Item, Relation, RelationKind, Topology


def reconcile(topology: Topology, found: Discovery) -> tuple[list[Item], list[Relation]]:
    """The items and relations of a discovery as they belong into this graph: joined with what is known of them.
    The same discovery fitted again changes nothing."""
    hosts = {r.source: r.target for r in found.relations if r.kind is RelationKind.RUNS_ON}
    same: dict[str, str] = {}
    for i in found.items:  # a host comes before what runs on it, which can then be known by its host
        known = _known(topology, i, same.get(hosts.get(i.id, ""), hosts.get(i.id, "")))
        if known not in ("", i.id):
            same[i.id] = known
    items: dict[str, Item] = {}
    for i in found.items:
        new = _renamed(i, same)
        before = items.get(new.id) or topology.items.get(new.id)
        items[new.id] = _joined(topology, before, new) if before else new
    relations = [
        msgspec.structs.replace(r, source=same.get(r.source, r.source), target=same.get(r.target, r.target))
        for r in found.relations
    ]
    return list(items.values()), [r for r in dict.fromkeys(relations) if r.source != r.target]


def _known(topology: Topology, item: Item, host: str) -> str:
    """The id under which this item, which runs on `host` if it runs, is in the graph; "" when it is not."""
    if item.id in topology.items:
        return item.id
    known: Item | None = None
    if item.kind == "host":
        known = resolve_host(topology, item.identifiers)
    elif item.kind == "endpoint":
        far = peer(item.name)
        machine = resolve_host(topology, far.host)
        known = topology.resolve(identifiers(far, machine.id if machine else "")) if machine else None
        known = known if known is not machine else None
    else:
        known = topology.resolve(item.identifiers[:1])
        known = known if known is not None and known.kind == item.kind else _by_name(topology, item, host)
    return known.id if known else ""


def _by_name(topology: Topology, item: Item, host: str) -> Item | None:
    """The service that signals have named like this program and have shown to run on this program's host."""
    named = topology.by_identifier.get(Identifier("service.name", item.name.lower()))
    if item.kind != "service" or not host or named is None:
        return None
    there = any(r.kind is RelationKind.RUNS_ON and r.target == host for r in topology.outgoing.get(named, ()))
    return topology.items[named] if there else None


def _renamed(item: Item, same: Mapping[str, str]) -> Item:
    """The item under the id it is known by, and with names within an owner that is known by another id."""
    names = tuple(_within(x, same) for x in item.identifiers)
    return msgspec.structs.replace(item, id=same.get(item.id, item.id), identifiers=names)


def _within(x: Identifier, same: Mapping[str, str]) -> Identifier:
    owner, slash, local = x.value.partition("/")
    return Identifier(x.scheme, same[owner] + slash + local) if owner in same else x


def _joined(topology: Topology, before: Item, new: Item) -> Item:
    """The known item with what was found now. What a person has confirmed keeps its name and kind; names that have
    gone over to another item meanwhile are not taken back."""
    names = dict.fromkeys(
        (*new.identifiers, *(x for x in before.identifiers if topology.by_identifier.get(x) == before.id))
    )
    takes_over = before.discovered and not (new.kind == "endpoint" != before.kind)
    return msgspec.structs.replace(
        before,
        kind=new.kind if takes_over else before.kind,
        name=new.name if takes_over else before.name,
        identifiers=tuple(names),
        discovered=before.discovered and new.discovered,
        source=new.source if takes_over else before.source,
        attributes={**before.attributes, **new.attributes},
    )
