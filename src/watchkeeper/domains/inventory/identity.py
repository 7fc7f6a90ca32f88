"""Which item is meant by what is described: the one that is known by one of its identifiers, if nothing contradicts.

The best identifiers come first. A name does not decide against a serial number or UUID, an address decides nothing:
addresses are given anew, shared and hidden behind others. Two keys of one source are two things.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from watchkeeper.domains.inventory.models import Identifier, Item
from watchkeeper.model.hostnames import hardware_identifier
from watchkeeper.model.topology import Identifier as Name
from watchkeeper.model.topology import short_form

#: a thing has one of each; different ones are different things
ONCE = ("serial", "uuid", "cloud.id", "host.id")
_WEAK = ("fqdn", "hostname", "service.name")
_NEVER = ("address",)
CHUNK = 500


@dataclass
class Holder:
    """An item that is known by a name, and what else it is known by."""

    id: str
    name: str
    kind: str
    declared: str
    names: set[Name] = field(default_factory=set)


class Holders:
    """Who is known by these names, and by their shorter or longer forms; two queries for many names."""

    def __init__(self, names: Iterable[Name]) -> None:
        self._by_name: dict[Name, Holder] = {}
        self._asked = set[Name]()
        self.ask(names)

    def ask(self, names: Iterable[Name]) -> None:
        """Look these up too."""
        wanted = set(names)
        wanted |= {s for x in wanted if (s := short_form(x)) is not None}
        wanted -= self._asked
        self._asked |= wanted
        items: dict[str, Holder] = {}
        for part in chunks({x.value for x in wanted}):
            rows = Identifier.objects.filter(valid_to=None, value__in=part).values_list(
                "scheme", "value", "item_id", "item__name", "item__kind", "item__declared"
            )
            for scheme, value, *item in rows:
                if (x := Name(scheme, value)) in wanted:
                    self._by_name[x] = items.setdefault(item[0], Holder(*item))
        for part in chunks(items):
            named = Identifier.objects.filter(valid_to=None, item__in=part)
            for key, scheme, value in named.values_list("item_id", "scheme", "value"):
                items[key].names.add(Name(scheme, value))

    def of(self, name: Name) -> Holder | None:
        """Who is known by exactly this name."""
        return self._by_name.get(name)

    def candidates(self, names: Iterable[Name]) -> Iterator[tuple[Name, Holder]]:
        """Who may be meant, by the best name first; a host name stands for a full one that nobody bears."""
        for x in sorted(dict.fromkeys(names), key=lambda x: (x.scheme in _WEAK, x.scheme in _NEVER)):
            if x.scheme in _NEVER:
                continue
            if (holder := self._by_name.get(x)) is not None:
                yield x, holder
            elif (short := short_form(x)) is not None:
                holder = self._by_name.get(short)
                if holder is not None and not any(y.scheme == x.scheme for y in holder.names):
                    yield short, holder


def chosen(
    names: Collection[Name], holders: Holders, kind: str, graph_kind: str, taken: Collection[str]
) -> tuple[Holder | None, tuple[Name, ...]]:
    """The item that is meant and the names that say so, or None. `taken` are items that this source means by others
    of its keys."""
    for name, holder in holders.candidates(names):
        if holder.id in taken or contradicts(names, holder.names):
            continue
        if holder.declared in ("", kind) and (holder.declared or holder.kind == graph_kind):
            return holder, (name,)
        if kind == graph_kind == holder.kind:  # described without a record, and there is one
            return holder, (name,)
    return None, ()


def contradicts(names: Iterable[Name], others: Iterable[Name]) -> bool:
    """Whether both have an identifier of which there is one, and not the same.

    >>> contradicts([Name("serial", "a")], [Name("serial", "b"), Name("hostname", "x")])
    True
    """
    there: dict[str, set[str]] = {}
    for x in others:
        if x.scheme in ONCE:
            there.setdefault(x.scheme, set()).add(x.value)
    mine: dict[str, set[str]] = {}
    for x in names:
        if x.scheme in ONCE:
            mine.setdefault(x.scheme, set()).add(x.value)
    return any(not (mine[s] & there[s]) for s in mine.keys() & there.keys())


def tamed(x: Name) -> Name | None:
    """An identifier from outside in its one form; None when it tells nothing apart."""
    scheme, value = x.scheme.strip().lower()[:64], x.value.strip().lower()[:512]
    if scheme in ("serial", "uuid", "mac"):
        return hardware_identifier(scheme, value)
    return Name(scheme, value) if scheme and value else None


def by_names(model: type[Item], names: Iterable[str]) -> dict[str, list[Any]]:
    """Records of a kind by their names, for kinds that signals know by none."""
    found: dict[str, list[Any]] = {}
    for part in chunks(set(names)):
        for record in model._default_manager.filter(name__in=part):
            found.setdefault(record.name, []).append(record)
    return found


def anchors(texts: Iterable[str]) -> dict[str, str]:
    """`scheme=value` → the item that is known so."""
    names = {
        t: Identifier(t.partition("=")[0].lower(), t.partition("=")[2].lower()) for t in texts if "=" in t
    }
    holders = Holders(names.values())
    return {
        t: next(holders.candidates((x,)))[1].id for t, x in names.items() if any(holders.candidates((x,)))
    }


def chunks(things: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    """In parts that fit into one statement."""
    everything = list(things)
    return (everything[i : i + size] for i in range(0, len(everything), size))
