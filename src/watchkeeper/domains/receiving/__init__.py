"""What doors need to know from people: users of SNMPv3, and subscriptions to MQTT brokers. Doors learn of a change within
seconds: `DatabaseDeclared` is their port. `Rereading` is how a process keeps records in memory, `readable` what it can
read of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.receiving.reading import DatabaseDeclared
    from watchkeeper.domains.receiving.rereading import Rereading, readable

__all__ = ["DatabaseDeclared", "Rereading", "readable"]

_FROM = {"DatabaseDeclared": "reading", "Rereading": "rereading", "readable": "rereading"}


def __getattr__(name: str) -> Any:
    """Loaded when it is first asked for: Django's models are not ready when this package is."""
    if name in _FROM:
        return getattr(import_module(f"watchkeeper.domains.receiving.{_FROM[name]}"), name)
    raise AttributeError(name)
