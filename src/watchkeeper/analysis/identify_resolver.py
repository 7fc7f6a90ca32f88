"""Resolves what signals name to items of the graph, and adds the hosts, services and pods that nobody has described
yet, marked as discovered. Answers are remembered by the labels that name something, so that the same names cost one
lookup.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

import msgspec

from watchkeeper.analysis.identify import Subject, identifiers, subject
from watchkeeper.analysis.identify_graph import Growing
from watchkeeper.analysis.identify_hosts import learned, resolve_host
from watchkeeper.analysis.identify_labels import naming
from watchkeeper.model.topology import Identifier, Item, Relation, RelationKind, Topology, item_id, part

MOST_REMEMBERED = 200_000
RETRY_MS = 60_000
_NAME_THEMSELVES = ("otlp", "spans")  # doors at which service.name is what a program calls itself
_BY_OTHERS = ("flows",)  # what is seen of machines from outside: it makes no item of them
_OF_ITEMS = ("health",)  # what we tell ourselves about items that there are; no item is made of it


class Denoted(msgspec.Struct, gc=False):
    """What a subject turned out to be: the item it is about, its host and its service (ids, "" for none), and all
    that it showed to exist."""

    item: str = ""
    host: str = ""
    service: str = ""
    items: tuple[str, ...] = ()
    relations: tuple[Relation, ...] = ()


class Resolver:
    """Names to items, over one growing graph."""

    def __init__(self, graph: Growing) -> None:
        self.graph = graph
        self._firm: dict[Hashable, Denoted] = {}
        self._loose: dict[Hashable, Denoted] = {}  # may become more specific when the graph grows
        self._loose_version = 0
        self._loose_ms = 0

    def forget(self) -> None:
        """Forget every answer: the graph was changed by others."""
        self._firm.clear()
        self._loose.clear()

    def refresh(self) -> None:
        """Look again at loose answers if the graph has grown, at most every minute."""
        g = self.graph
        if g.version != self._loose_version and not 0 <= g.now_ms - self._loose_ms < RETRY_MS:
            self.loosen()

    def loosen(self) -> None:
        """Look again at all loose answers."""
        self._loose.clear()
        self._loose_version, self._loose_ms = self.graph.version, self.graph.now_ms

    def of(self, labels: Mapping[str, str], door: str, metric: str = "") -> Denoted:
        """What labels (and the metric's name) denote; noted as seen now."""
        named = naming(labels, metric)
        return self._remembered((door, named)) or self._denote((door, named), subject(dict(named)), door)

    def _remembered(self, key: Hashable) -> Denoted | None:
        """The answer given before for this key, or None; noted as seen now."""
        found = self._firm.get(key) or self._loose.get(key)
        if found is not None:
            self.graph.seen(found.items, found.relations)
        return found

    def _denote(self, key: Hashable, s: Subject, door: str) -> Denoted:
        """What a subject denotes, remembered under this key. Where programs name themselves, the service of this
        name on any host is meant before a program of this name on this host."""
        global_first = door in _NAME_THEMSELVES
        host = self._host(s, door)
        pod = self._pod(s, door)
        service = self._service(s, host, door, global_first)
        whole = service or self._workload(s, door)
        topology = self.graph.topology
        names = list(identifiers(s, host.id if host else ""))
        found = topology.resolve(names)
        if global_first and service is not None:
            found = service
        relations = tuple(self._relations(s, host, pod, whole, door))
        self.graph.add(door, (), relations)
        there = (found, host, pod, whole)
        answer = Denoted(
            item=found.id if found else "",
            host=host.id if host else "",
            service=service.id if service else "",
            items=tuple(dict.fromkeys(i.id for i in there if i is not None)),
            relations=relations,
        )
        firm = found is not None and bool(names) and topology.by_identifier.get(names[0]) == found.id
        self._keep(self._firm if firm else self._loose, key, answer)
        self.graph.seen(answer.items, answer.relations)
        return answer

    def _keep(self, where: dict[Hashable, Denoted], key: Hashable, answer: Denoted) -> None:
        if len(where) >= MOST_REMEMBERED:
            where.clear()
        where[key] = answer

    def _host(self, s: Subject, door: str) -> Item | None:
        if not s.host:
            return None
        known = resolve_host(self.graph.topology, s.host)
        if known is not None:
            return self._put(learned(self.graph.topology, known, s.host), door) if s.own_host else known
        if not s.own_host or door in _BY_OTHERS:
            return None
        return self._new("host", s.host[0].value, s.host, door)

    def _pod(self, s: Subject, door: str) -> Item | None:
        if not s.pod:
            return None
        known = self.graph.topology.resolve(s.pod_identifiers)
        return known or self._new("pod", s.pod, s.pod_identifiers, door)

    def _service(self, s: Subject, host: Item | None, door: str, global_first: bool) -> Item | None:
        """The service that is named: the program of this name on this host, or the one of this name anywhere."""
        if not s.service:
            return None
        t = self.graph.topology
        here = t.resolve(part(host.id, scheme, name) for scheme, name in s.local) if host else None
        anywhere = t.resolve(s.service_identifiers)
        if here is not None and (anywhere is None or not global_first):
            # a program that names itself is known by that name from now on
            return self._called(here, s, door) if global_first else here
        if anywhere is not None:
            return self._called(anywhere, s, door)
        if door in _OF_ITEMS:
            return None
        return self._new("service", s.service, s.service_identifiers, door)

    def _called(self, item: Item, s: Subject, door: str) -> Item:
        """The item, known by the names of a service too, as far as nobody else bears them."""
        t = self.graph.topology
        # a plain name stays free while it is only the short form of one with a namespace: there may come another
        new = tuple(x for x in s.service_identifiers if t.by_identifier.get(x) is None and _own(x, t))
        return (
            self._put(msgspec.structs.replace(item, identifiers=(*item.identifiers, *new)), door)
            if new
            else item
        )

    def _relations(
        self, s: Subject, host: Item | None, pod: Item | None, service: Item | None, door: str
    ) -> Iterator[Relation]:
        if pod is not None:
            if host is not None:
                yield Relation(pod.id, host.id, RelationKind.RUNS_ON, door)
            whole = service if service is not None else self._workload(s, door)
            if whole is not None and whole.id != pod.id:
                yield Relation(pod.id, whole.id, RelationKind.MEMBER_OF, door)
        elif service is not None and host is not None and s.own_host and service.id != host.id:
            yield Relation(service.id, host.id, RelationKind.RUNS_ON, door)

    def _workload(self, s: Subject, door: str) -> Item | None:
        w = s.workload
        if w is None:
            return None
        return self.graph.topology.resolve(w.identifiers) or self._new(w.kind, w.name, w.identifiers, door)

    def _new(self, kind: str, name: str, names: tuple[Identifier, ...], door: str) -> Item | None:
        """An item that nobody has described, known by those of these names that are free; None when the door has
        named too many."""
        free = tuple(x for x in dict.fromkeys(names) if self.graph.topology.by_identifier.get(x) is None)
        if not free or not self.graph.admits(door):
            return None
        item = Item(item_id(kind, free[0].value), kind, name, free, discovered=True, source=door)
        before = self.graph.topology.items.get(item.id)
        if before is not None:  # it has lost this name, and is given it back
            item = msgspec.structs.replace(before, identifiers=(*before.identifiers, *free))
        return self._put(item, door)

    def _put(self, item: Item, door: str) -> Item:
        self.graph.add(door, (item,), ())
        return item


def _own(x: Identifier, topology: Topology) -> bool:
    return "/" in x.value or topology.resolve((x,)) is None
