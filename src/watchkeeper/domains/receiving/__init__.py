"""What doors need to know from people: users of SNMPv3, and subscriptions to MQTT brokers. Doors learn of a change within
seconds: `DatabaseDeclared` is their port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.receiving.reading import DatabaseDeclared

__all__ = ["DatabaseDeclared"]


def __getattr__(name: str) -> Any:
    """Loaded when it is first asked for: Django's models are not ready when this package is."""
    if name in __all__:
        from watchkeeper.domains.receiving import reading

        return getattr(reading, name)
    raise AttributeError(name)
