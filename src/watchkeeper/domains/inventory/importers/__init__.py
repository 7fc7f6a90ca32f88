"""Importers: each turns a file, or what another system answers, into `Described` objects. Pure decoders, one format a
file, found here by name.

    @importer("netbox", "NetBox export (JSON)", type="netbox", ends=(".json",))
    def read(data: bytes) -> Iterator[Described]: ...

A decoder raises Malformed, naming the row or path, for what it cannot read at all; what is wrong with single things it
leaves to the plan. `whole` says whether such a file is everything that its source knows.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from watchkeeper.domains.inventory.describing import Described

Read = Callable[[bytes], Iterable[Described]]


@dataclass(frozen=True, slots=True)
class Importer:
    """A format: its name, what people call it, the type of source it usually comes from, how files of it end."""

    name: str
    label: str
    type: str
    read: Read
    ends: tuple[str, ...] = ()
    whole: bool = True


_known: dict[str, Importer] = {}


def importer(
    name: str,
    label: str,
    *,
    type: str = "file",
    ends: tuple[str, ...] = (),
    whole: bool = True,
) -> Callable[[Read], Read]:
    """Register a decoder under this name. Raises ValueError when the name is taken."""

    def register(read: Read) -> Read:
        if name in _known:
            raise ValueError(f"two importers are called {name}")
        _known[name] = Importer(name, label, type, read, ends, whole)
        return read

    return register


@lru_cache(maxsize=1)
def importers() -> Mapping[str, Importer]:
    """Every importer by its name. A module whose library is not installed is left out."""
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    return dict(sorted(_known.items()))
