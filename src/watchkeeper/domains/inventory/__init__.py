"""The inventory: items, identifiers and relations, found by discovery and kept right by people.

`load_topology()` gives analysis the graph; `write_discoveries(found, now_ms)` is the one way signals enter it;
`names_of(ids)` is for sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchkeeper.domains.inventory.reaching import Reached as Reached
    from watchkeeper.model.topology import Discovery, Topology

# Django imports this package before its models can be: what needs them is imported when it is called.


def load_topology() -> Topology:
    """The graph as it is now: every item, its identifiers and the relations that hold."""
    from watchkeeper.domains.inventory.graph import load_topology

    return load_topology()


def write_discoveries(found: Sequence[Discovery], now_ms: int) -> None:
    """Write what was discovered, in the caller's transaction; what a person has set stays."""
    from watchkeeper.domains.inventory.discoveries import write_discoveries

    write_discoveries(found, now_ms)


def close_stale(now_ms: int, hold_ms: int) -> int:
    """Close observed relations that nothing has shown for `hold_ms`; how many."""
    from watchkeeper.domains.inventory.discoveries import close_stale

    return close_stale(now_ms, hold_ms)


def names_of(ids: Iterable[str]) -> dict[str, str]:
    """The names of these items; one that is part of another now has that one's, ids that are unknown are left out."""
    from watchkeeper.domains.inventory.merging import became
    from watchkeeper.domains.inventory.models import Item

    wanted = set(ids)
    found = dict(Item.objects.filter(pk__in=wanted).values_list("pk", "name"))
    if missing := wanted - found.keys():
        now_is = became(missing)
        names = dict(Item.objects.filter(pk__in=now_is.values()).values_list("pk", "name"))
        found |= {old: names[new] for old, new in now_is.items() if new in names}
    return found


def as_now(ids: Iterable[str]) -> set[str]:
    """What these items are now: one that is part of another is that one, what is no more is left out."""
    from watchkeeper.domains.inventory.merging import became
    from watchkeeper.domains.inventory.models import Item

    wanted = set(ids)
    moved = became(wanted)
    return set(Item.objects.filter(pk__in={moved.get(i, i) for i in wanted}).values_list("pk", flat=True))


def reached_from(items: Iterable[str], reach: str) -> set[str]:
    """These items and what they carry or what depends on them, as far as `reach` (model.reach.Reach) says."""
    from watchkeeper.domains.inventory.carrying import reached_from

    return reached_from(items, reach)


def moved_to(key: str) -> str:
    """Path and id of the record that the item with this id has become part of, as in `devices/…`; "" when it has not."""
    from watchkeeper.domains.inventory.merging import became
    from watchkeeper.domains.inventory.models import Item

    found = Item.objects.filter(pk=became([key]).get(key, "")).first()
    return f"{found.declared or 'items'}/{found.pk}" if found else ""


def reached(kind: str, name: str, among: Iterable[str] | None, most: int) -> list[Reached]:
    """Items of a kind, or with a text in their name, or among these, and how they are reached over the network."""
    from watchkeeper.domains.inventory.reaching import reached

    return reached(kind, name, among, most)


def sites_of(kind: str, ids: Iterable[str]) -> dict[str, str]:
    """Id → name of the site, of the items of one kind of record."""
    from watchkeeper.domains.inventory.reaching import sites_of

    return sites_of(kind, ids)
