"""Search over every kind of record at once: an index of what the kinds declare as `search`, kept by the database
itself, and one ranked list out of it.

`find(actor, words)` answers with what the actor may read; `Indexer` is the worker behind it; a domain calls
`describe` for what a declaration cannot say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.search.finding import Count, Found, Hit, find
    from watchkeeper.domains.search.indexing import Indexer, catch_up
    from watchkeeper.domains.search.sources import Names, describe

_WHERE = {
    "Count": "finding",
    "Found": "finding",
    "Hit": "finding",
    "Indexer": "indexing",
    "Names": "sources",
    "catch_up": "indexing",
    "describe": "sources",
    "find": "finding",
}
__all__ = ["Count", "Found", "Hit", "Indexer", "Names", "catch_up", "describe", "find"]


def __getattr__(name: str) -> Any:
    # Django imports this package before its models can be: what needs them is imported when it is asked for.
    if name not in _WHERE:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
