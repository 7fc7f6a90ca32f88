"""Bundles of positions, and what a move from one to another gives, keeps and takes away. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Part(NamedTuple):
    """Something that belongs to a position: the sort of thing, its key, and its name."""

    sort: str  # of SORTS
    key: str
    name: str


class Difference(NamedTuple):
    """What changes."""

    give: tuple[Part, ...]
    keep: tuple[Part, ...]
    take: tuple[Part, ...]


#: sort → what people call it, in the order in which they are shown
SORTS = {
    "team": "Team",
    "role": "Role",
    "hardware": "Hardware",
    "software": "Licence seat",
    "server": "Access to",
    "catalog": "From the catalogue",
}


def difference(before: Iterable[Part], after: Iterable[Part]) -> Difference:
    """What somebody gets, keeps and gives back.

    >>> a, b = Part("team", "1", "dba"), Part("team", "2", "web")
    >>> difference([a], [b]).give == (b,), difference([a], [a]).keep == (a,)
    (True, True)
    """
    old, new = ({(p.sort, p.key): p for p in parts} for parts in (before, after))
    return Difference(
        tuple(p for k, p in new.items() if k not in old),
        tuple(p for k, p in new.items() if k in old),
        tuple(p for k, p in old.items() if k not in new),
    )
