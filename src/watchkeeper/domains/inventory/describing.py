"""What a source says, in the inventory's words: the neutral form that importers produce. Pure; an importer decodes, and
knows neither the database nor what is there already.

    Described("devices", "device/17", "db1", {"serial": "X1", "platform": "Ubuntu 24.04"},
              references={"site": "site/3"}, identifiers=(Identifier("fqdn", "db1.example.org"),),
              relations=(Related(RelationKind.DEPENDS_ON, "device/4"),))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from watchkeeper.model.topology import Identifier, RelationKind

__all__ = ["Described", "Identifier", "Related", "RelationKind", "levels"]


class Related(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A relation to what `to` names (see Described.references); `inverse`: from there to here."""

    kind: RelationKind
    to: str
    inverse: bool = False


class Described(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing as its source describes it.

    `kind` is the path of a kind of record (`devices`, `virtual-machines`), or what the graph calls an item without a
    record of its own (`host`, `service`). `source_key` is the source's own lasting key for it. `attributes` are fields
    of the kind; others are kept as the item's attributes. A field that refers to a small record (a manufacturer, a
    platform) takes its name, or its fields as a dict; it is made when it is not there. `references` are fields that
    refer to other items, by their `source_key` in this source or by an identifier of the graph, `fqdn=db1.example.org`.
    Nothing and "" mean that the source says nothing.
    """

    kind: str
    source_key: str
    name: str = ""
    attributes: dict[str, Any] = {}
    references: dict[str, str] = {}
    identifiers: tuple[Identifier, ...] = ()
    relations: tuple[Related, ...] = ()


def levels(described: Iterable[Described]) -> Iterator[list[Described]]:
    """What refers to nothing here first, then what refers to that, and so on; what refers to itself in a circle comes
    last, all together."""
    waiting = {d.source_key: d for d in described}
    while waiting:
        ready = [d for d in waiting.values() if not any(r in waiting for r in d.references.values())]
        yield ready or list(waiting.values())
        for d in ready or list(waiting.values()):
            del waiting[d.source_key]
