"""The inventory graph as analysis sees it: an immutable snapshot of items, identifiers and relations."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

NAMESPACE = uuid.UUID("5ad6a2a1-5f0b-5f37-8a0e-0d6f5f6c7e11")


class RelationKind(StrEnum):
    """Kinds of relation; the first two point from what suffers to what it needs."""

    DEPENDS_ON = "depends_on"  # a service needs another
    RUNS_ON = "runs_on"  # a process or instance needs its host
    MEMBER_OF = "member_of"  # from part to whole: an instance of a service
    CONTAINS = "contains"  # from whole to part: a host has disks and interfaces
    CONNECTS_TO = "connects_to"  # a cable or link; both ways


class Identifier(msgspec.Struct, frozen=True, order=True):
    """A name under which signals know an item: scheme `hostname`, `fqdn`, `address`, `service.name`,
    `k8s.pod`, `instance`, `cloud.id`, `disk`, `interface`, `listen` … and its value, lower case."""

    scheme: str
    value: str


class Item(msgspec.Struct, frozen=True):
    """A configuration item. `id` is a UUID derived from its first identifier, so that a replay gives the
    same; `discovered` marks what no person or inventory source has confirmed."""

    id: str
    kind: str  # host, disk, interface, service, process, instance, database, …
    name: str
    identifiers: tuple[Identifier, ...] = ()
    discovered: bool = True
    source: str = ""
    attributes: dict[str, Any] = {}


class Relation(msgspec.Struct, frozen=True):
    """A directed, typed edge between two item ids, with the source that says so."""

    source: str
    target: str
    kind: RelationKind
    origin: str = ""


class Discovery(msgspec.Struct, frozen=True):
    """What a poller or a signal showed to exist: written into the inventory by its domain."""

    time_ms: int
    origin: str
    items: tuple[Item, ...] = ()
    relations: tuple[Relation, ...] = ()


def item_id(kind: str, *parts: str) -> str:
    """The id of the item of this kind with these identifying parts; the same parts always give the same id.

    >>> item_id("host", "db-1") == item_id("host", "DB-1")
    True
    """
    return str(uuid.uuid5(NAMESPACE, "\x1f".join((kind, *parts)).lower()))


class Topology:
    """Items by id, items by identifier, and the relations both ways. Treat as immutable: `with_discovery`
    gives a new one that shares what did not change."""

    def __init__(self, items: Iterable[Item] = (), relations: Iterable[Relation] = ()) -> None:
        self.items: Mapping[str, Item] = {i.id: i for i in items}
        self.relations: frozenset[Relation] = frozenset(relations)
        self.by_identifier: dict[Identifier, str] = {
            x: i.id for i in self.items.values() for x in i.identifiers
        }
        self.outgoing: dict[str, list[Relation]] = {}
        self.incoming: dict[str, list[Relation]] = {}
        for r in sorted(self.relations, key=lambda r: (r.source, r.target, r.kind)):
            self.outgoing.setdefault(r.source, []).append(r)
            self.incoming.setdefault(r.target, []).append(r)

    def resolve(self, identifiers: Iterable[Identifier]) -> Item | None:
        """The item known under the first identifier that is known, or None."""
        for x in identifiers:
            found = self.by_identifier.get(x)
            if found is not None:
                return self.items[found]
        return None

    def name(self, item: str) -> str:
        """What people call this item; the id itself when it is unknown."""
        known = self.items.get(item)
        return known.name if known else item

    def needs(self, item: str) -> list[str]:
        """Ids of the items this one needs to work: targets of depends_on, runs_on and member_of,
        and the wholes that contain it."""
        out = [r.target for r in self.outgoing.get(item, ())
               if r.kind in (RelationKind.DEPENDS_ON, RelationKind.RUNS_ON)]
        return out + [r.source for r in self.incoming.get(item, ()) if r.kind is RelationKind.CONTAINS]

    def neighbours(self, item: str) -> list[str]:
        """Ids one step away, whatever the kind and direction, without repeats."""
        near = [r.target for r in self.outgoing.get(item, ())]
        near += [r.source for r in self.incoming.get(item, ())]
        return list(dict.fromkeys(near))

    def with_discovery(self, discovery: Discovery) -> Topology:
        """This graph and what was discovered; the same object when nothing is new."""
        new_items = [i for i in discovery.items if self.items.get(i.id) != i]
        new_relations = [r for r in discovery.relations if r not in self.relations]
        if not new_items and not new_relations:
            return self
        merged = {**self.items, **{i.id: i for i in new_items}}
        return Topology(merged.values(), self.relations.union(new_relations))
