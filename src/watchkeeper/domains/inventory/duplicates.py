"""Items that may be the same thing."""

from __future__ import annotations

from collections.abc import Iterable

from watchkeeper.model.topology import Identifier


def contested(claims: Iterable[tuple[str, str, Identifier]]) -> None:
    """Two items claim a name."""
    list(claims)
