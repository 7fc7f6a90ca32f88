"""When two descriptions of a machine mean the same one, and what they then learn from each other. Pure.

A name decides; ids and addresses decide only where they do not contradict a name, because clones share machine
ids and addresses are given anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from watchkeeper.model.topology import Identifier, Item, Topology, short_form

_NAMES = ("fqdn", "hostname")
_ONCE = ("fqdn", "host.id", "cloud.id")  # a machine has one of each
_LEARNED = (*_NAMES, "host.id", "address", "k8s.node")


def resolve_host(topology: Topology, identifiers: Sequence[Identifier]) -> Item | None:
    """The item of the machine with these identifiers, or None: none is known, or its known name is another."""
    names = [x for x in identifiers if x.scheme in _NAMES]
    known = topology.resolve(names)
    if known is not None:
        return known
    known = topology.resolve(x for x in identifiers if x.scheme not in _NAMES)
    if known is None or (names and any(x.scheme in _NAMES for x in known.identifiers)):
        return None
    return known


def learned(topology: Topology, known: Item, identifiers: Iterable[Identifier]) -> Item:
    """`known` with those of these identifiers that are new and that no other item bears; itself if there are none."""
    there = {x.scheme for x in known.identifiers}
    new = [
        x
        for x in identifiers
        if x.scheme in _LEARNED
        and topology.by_identifier.get(x) is None
        and not (x.scheme in _ONCE and x.scheme in there)
        # the short name is covered by the long one
        and not any(short_form(y) == x for y in known.identifiers)
    ]
    if not new or known.kind != "host":
        return known
    return msgspec.structs.replace(known, identifiers=(*known.identifiers, *dict.fromkeys(new)))
