"""Asks other systems what there is, over the network: one system a file, found here by the type of its source. What they
answer is decoded by the importer of the same name.

    @asks("netbox")
    def ask(access: Access) -> Iterator[Described]: ...
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from watchkeeper.domains.inventory.describing import Described
from watchkeeper.model.errors import WatchkeeperError


class Unreadable(WatchkeeperError):
    """The other system cannot be asked, or does not answer as it should."""

    status = 502
    reason = "source_unreadable"


@dataclass(frozen=True, slots=True)
class Access:
    """How a system is reached: see models.Connection for what the fields mean to each."""

    address: str
    account: str = ""
    secret: str = ""
    certificate: str = ""


Ask = Callable[[Access], Iterable[Described]]
_known: dict[str, Ask] = {}


def asks(type_: str) -> Callable[[Ask], Ask]:
    """Register what asks sources of this type."""

    def register(ask: Ask) -> Ask:
        _known[type_] = ask
        return ask

    return register


@lru_cache(maxsize=1)
def askers() -> Mapping[str, Ask]:
    """What can be asked, by the type of source."""
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    return dict(sorted(_known.items()))


def library(name: str, extra: str) -> object:
    """A library that an extra brings. Raises Unreadable that says which."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Unreadable(f"this needs {name}: install watchkeeper[{extra}]") from error
