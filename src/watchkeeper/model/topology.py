"""The inventory graph as analysis sees it: an immutable snapshot of items, identifiers and relations."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from enum import StrEnum
from itertools import chain
from typing import Any

import msgspec

from watchkeeper.model.shared_map import SharedMap

PERSON = "person"  # the origin of discoveries that tell what people have done: they are so
NAMESPACE = uuid.UUID("5ad6a2a1-5f0b-5f37-8a0e-0d6f5f6c7e11")


class RelationKind(StrEnum):
    """Kinds of relation; the first two point from what suffers to what it needs."""

    DEPENDS_ON = "depends_on"  # a service needs another
    RUNS_ON = "runs_on"  # a process or instance needs its host
    MEMBER_OF = "member_of"  # from part to whole: an instance of a service
    CONTAINS = "contains"  # from whole to part: a host has disks and interfaces
    CONNECTS_TO = "connects_to"  # a cable or link; both ways
    PROTECTS = "protects"  # a firewall or guard, and what is behind it
    BACKS_UP = "backs_up"  # from what keeps the copies to what they are of


class Identifier(msgspec.Struct, frozen=True, order=True):
    """A name under which signals know an item: scheme `hostname`, `fqdn`, `address`, `service.name`,
    `k8s.pod`, `instance`, `cloud.id`, `disk`, `interface`, `listen` … and its value, lower case. What is
    known by its name only within another item has that item's id in front: see `part`."""

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
    """A directed, typed edge between two item ids. `origin` names the observer that says so; what observers
    say ends when they have not said it for a while, what has no origin is a person's word and stays."""

    source: str
    target: str
    kind: RelationKind
    origin: str = ""


class Talk(msgspec.Struct, frozen=True):
    """Who was seen to ask whom, by IP address: on which port of the server, over `tcp`, `udp` or `sctp`."""

    client: str
    server: str
    port: int
    protocol: str


class Discovery(msgspec.Struct, frozen=True):
    """What a poller or a signal showed to exist: written into the inventory by its domain. What follows after
    `relations`, up to `alerts`, comes from there: it tells what people have done, and holds before items and relations
    do. `talks`: seen between addresses by somebody who does not know whose they are; the graph tells.

    `merged`: item → the one that it has become part of; `removed` items; `ended` relations; `alerts`: fingerprint →
    the item that it belongs to, where two that had been merged are told apart again.
    """

    time_ms: int
    origin: str
    items: tuple[Item, ...] = ()
    relations: tuple[Relation, ...] = ()
    merged: dict[str, str] = {}
    removed: tuple[str, ...] = ()
    ended: tuple[Relation, ...] = ()
    alerts: dict[str, str] = {}
    talks: tuple[Talk, ...] = ()

    @property
    def takes_away(self) -> bool:
        """Whether something is no more, or is something else now."""
        return bool(self.merged or self.removed or self.ended or self.alerts)


def item_id(kind: str, *parts: str) -> str:
    """The id of the item of this kind with these identifying parts; the same parts always give the same id.

    >>> item_id("host", "db-1") == item_id("host", "DB-1")
    True
    """
    return str(uuid.uuid5(NAMESPACE, "\x1f".join((kind, *parts)).lower()))


def part(owner: str, scheme: str, local: str) -> Identifier:
    """The identifier of what bears this name only within the item `owner` (an item id): a disk, an interface,
    a port, a program of one host.

    >>> part("5ad6", "disk", "sda")
    Identifier(scheme='disk', value='5ad6/sda')
    """
    return Identifier(scheme, f"{owner}/{local}".lower())


def short_form(identifier: Identifier) -> Identifier | None:
    """The shorter name under which the same item may be known too, or None: the host name without its domain,
    the service without its namespace, what runs in Kubernetes without its cluster.

    >>> short_form(Identifier("fqdn", "db1.example.org"))
    Identifier(scheme='hostname', value='db1')
    """
    scheme, value = identifier.scheme, identifier.value
    if scheme == "fqdn":
        return Identifier("hostname", value.partition(".")[0])
    if scheme == "service.name" and "/" in value:
        return Identifier(scheme, value.rpartition("/")[2])
    if scheme.startswith("k8s.") and value.count("/") == 2:
        return Identifier(scheme, value.partition("/")[2])
    return None


class RelationSet(Set[Relation]):
    """The relations of a topology as a set, quickly compared with those of another version."""

    __slots__ = ("_map",)

    def __init__(self, shared: SharedMap[Relation, None]) -> None:
        self._map = shared

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> Set[Any]:
        return frozenset(it)

    def changed(self, new: Iterable[Relation], gone: Iterable[Relation]) -> RelationSet:
        """This set without `gone` and with `new`; it shares what is the same."""
        return RelationSet(self._map.updated(dict.fromkeys(new), gone))

    def __contains__(self, relation: object) -> bool:
        return relation in self._map

    def __iter__(self) -> Iterator[Relation]:
        return iter(self._map)

    def __len__(self) -> int:
        return len(self._map)

    def __eq__(self, other: object) -> bool:
        return self._map == other._map if isinstance(other, RelationSet) else super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]


class Topology:
    """Items by id, items by identifier, and the relations both ways. Immutable: `with_discoveries` and
    `without_relations` give a new one that shares what did not change, so that a reader keeps what it has and
    ten thousand small steps are cheap. Iteration is in no particular order."""

    items: Mapping[str, Item]
    relations: Set[Relation]
    by_identifier: Mapping[Identifier, str]
    outgoing: Mapping[str, Sequence[Relation]]
    incoming: Mapping[str, Sequence[Relation]]

    def __init__(self, items: Iterable[Item] = (), relations: Iterable[Relation] = ()) -> None:
        self.items = self._items = SharedMap[str, Item]()
        self.relations = self._relations = RelationSet(SharedMap())
        self.by_identifier = self._by_identifier = SharedMap[Identifier, str]()
        self.outgoing = self._outgoing = SharedMap[str, tuple[Relation, ...]]()
        self.incoming = self._incoming = SharedMap[str, tuple[Relation, ...]]()
        self._by_short: SharedMap[Identifier, frozenset[str]] = SharedMap()
        self._put_items({i.id: i for i in items})
        self._put_relations(dict.fromkeys(relations), ())

    def resolve(self, identifiers: Iterable[Identifier]) -> Item | None:
        """The item known under the first identifier that is known, or None.

        A short name stands for the one item whose long name it shortens, if there is exactly one; a long name
        stands for the item known under its short form if that item has no long name of its own. See
        `short_form`.
        """
        for x in identifiers:
            found = self._by_identifier.get(x) or self._loosely(x)
            if found:
                return self._items[found]
        return None

    def _loosely(self, x: Identifier) -> str:
        longer = self._by_short.get(x)
        if longer is not None and len(longer) == 1:
            return next(iter(longer))
        short = short_form(x)
        known = self._by_identifier.get(short) if short else None
        if short is None or known is None:
            return ""
        own = (short_form(y) for y in self._items[known].identifiers if y.scheme == x.scheme)
        return "" if short in own else known

    def name(self, item: str) -> str:
        """What people call this item; the id itself when it is unknown."""
        known = self._items.get(item)
        return known.name if known else item

    def needs(self, item: str) -> list[str]:
        """Ids of the items this one needs to work: targets of depends_on and runs_on, and the wholes that
        contain it."""
        out = [r.target for r in self._outgoing.get(item, ())
               if r.kind in (RelationKind.DEPENDS_ON, RelationKind.RUNS_ON)]  # fmt: skip
        out += [r.source for r in self._incoming.get(item, ()) if r.kind is RelationKind.CONTAINS]
        return list(dict.fromkeys(out))

    def neighbours(self, item: str) -> list[str]:
        """Ids one step away, whatever the kind and direction, without repeats."""
        near = [r.target for r in self._outgoing.get(item, ())]
        near += [r.source for r in self._incoming.get(item, ())]
        return list(dict.fromkeys(near))

    def with_discovery(self, discovery: Discovery) -> Topology:
        """This graph and what was discovered; the same object when nothing is new."""
        return self.with_discoveries((discovery,))

    def with_discoveries(self, discoveries: Iterable[Discovery]) -> Topology:
        """This graph and what was discovered, later words over earlier ones; the same object when nothing is
        new. Its cost follows from what is new, not from the size of the graph."""
        items: dict[str, Item] = {}
        relations: dict[Relation, None] = {}
        for d in discoveries:
            items.update((i.id, i) for i in d.items)
            relations.update(dict.fromkeys(d.relations))
        items = {k: i for k, i in items.items() if self._items.get(k) != i}
        relations = {r: None for r in relations if r not in self._relations}
        if not items and not relations:
            return self
        new = self._copy()
        new._put_items(items)
        new._put_relations(relations, ())
        return new

    def without_relations(self, gone: Iterable[Relation]) -> Topology:
        """This graph without these relations; the same object when it has none of them."""
        gone = [r for r in gone if r in self._relations]
        if not gone:
            return self
        new = self._copy()
        new._put_relations({}, gone)
        return new

    def without_items(self, gone: Iterable[str]) -> Topology:
        """This graph without these items and their relations; the same object when it has none of them."""
        items = {i: self._items[i] for i in gone if i in self._items}
        if not items:
            return self
        edges = {r for i in items for r in (*self._outgoing.get(i, ()), *self._incoming.get(i, ()))}
        names = [(x, i.id) for i in items.values() for x in i.identifiers]
        shorts: dict[Identifier, set[str]] = {}
        for x, i in names:
            self._short(shorts, x).discard(i)
        new = self._copy()
        new._put_relations({}, edges)
        new.items = new._items = self._items.updated({}, items)
        own = [x for x, i in names if self._by_identifier.get(x) == i]
        new.by_identifier = new._by_identifier = self._by_identifier.updated({}, own)
        new._by_short = self._by_short.updated({x: frozenset(ids) for x, ids in shorts.items()})
        return new

    def _copy(self) -> Topology:
        new = Topology.__new__(Topology)
        new.__dict__.update(self.__dict__)
        return new

    def _put_items(self, items: Mapping[str, Item]) -> None:
        """An identifier belongs to the last item that claims it, as in the inventory: who had it loses it."""
        claims = {x: i.id for i in items.values() for x in i.identifiers}
        losers = {owner for x in claims if (owner := self._by_identifier.get(x)) is not None}
        touched: dict[str, Item] = {**{k: self._items[k] for k in losers}, **items}
        put: dict[str, Item] = {}
        dropped: list[Identifier] = []
        shorts: dict[Identifier, set[str]] = {}
        for i in touched.values():
            own = tuple(x for x in i.identifiers if claims.get(x, i.id) == i.id)
            put[i.id] = i if len(own) == len(i.identifiers) else msgspec.structs.replace(i, identifiers=own)
            before = self._items.get(i.id)
            for x in set(before.identifiers).difference(own) if before else ():
                dropped.append(x)
                self._short(shorts, x).discard(i.id)
            for x in own:
                self._short(shorts, x).add(i.id)
        self.items = self._items = self._items.updated(put)
        self.by_identifier = self._by_identifier = self._by_identifier.updated(claims, dropped)
        if shorts:
            self._by_short = self._by_short.updated({x: frozenset(ids) for x, ids in shorts.items()})

    def _short(self, shorts: dict[Identifier, set[str]], x: Identifier) -> set[str]:
        """The ids to be known under the short form of `x`, as far as `shorts` has gathered; a throw-away set
        when it has none."""
        short = short_form(x)
        if short is None:
            return set()
        return shorts.setdefault(short, set(self._by_short.get(short, frozenset())))

    def _put_relations(self, new: Mapping[Relation, None], gone: Collection[Relation]) -> None:
        if not new and not gone:
            return
        self.relations = self._relations = self._relations.changed(new, gone)
        self.outgoing = self._outgoing = _rewired(self._outgoing, new, gone, lambda r: r.source)
        self.incoming = self._incoming = _rewired(self._incoming, new, gone, lambda r: r.target)


def _rewired(
    ends: SharedMap[str, tuple[Relation, ...]],
    new: Mapping[Relation, None],
    gone: Collection[Relation],
    end: Callable[[Relation], str],
) -> SharedMap[str, tuple[Relation, ...]]:
    """`ends` with relations put in and taken away at one of their ends, in the order of their fields."""
    touched: dict[str, set[Relation]] = {}
    for r in chain(new, gone):
        touched.setdefault(end(r), set(ends.get(end(r), ())))
    for r in gone:
        touched[end(r)].discard(r)
    for r in new:
        touched[end(r)].add(r)
    wired = {
        item: tuple(sorted(rs, key=lambda r: (r.source, r.target, r.kind, r.origin)))
        for item, rs in touched.items()
    }
    return ends.updated(
        {item: rs for item, rs in wired.items() if rs}, [i for i, rs in wired.items() if not rs]
    )
