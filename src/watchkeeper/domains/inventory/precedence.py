"""Whose word counts: what is shown of an item follows, attribute by attribute, from what its sources say and in which
order they are believed. Pure.

What people enter is not marked as such when they enter it, because there are many ways to do so (a form, a transition,
a bulk change): a value that no source has said is theirs. It stays until they enter what a source says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Values = Mapping[str, Any]
_NOTHING: tuple[Any, ...] = (None, "", [], {})


class Said(NamedTuple):
    """What one source says of an item. `fresh`: it still does."""

    source: int
    values: Values
    fresh: bool = True
    seen: float = 0.0  # when; of two equally good words the later one counts


class Ranks:
    """How much each source is believed: a rank, the lowest first, with exceptions for a kind, an attribute or both."""

    def __init__(
        self, ranks: Mapping[int, int], exceptions: Mapping[tuple[int, str, str], int] | None = None
    ) -> None:
        """`exceptions` by (source, kind, attribute), "" for every one of them."""
        self._ranks, self._exceptions = ranks, exceptions or {}

    def of(self, source: int, kind: str, attribute: str) -> int:
        """The most specific rank that is declared."""
        for key in ((source, kind, attribute), (source, "", attribute), (source, kind, "")):
            if key in self._exceptions:
                return self._exceptions[key]
        return self._ranks.get(source, 1000)

    def winners(self, kind: str, said: Iterable[Said]) -> dict[str, tuple[Any, int]]:
        """Attribute → the value that counts and the source that says it. A source that does not name the item any more
        is believed only where no other says anything.

        >>> ranks = Ranks({1: 10, 2: 20}, {(2, "devices", "rack"): 5})
        >>> said = [Said(1, {"rack": "A", "serial": "X"}), Said(2, {"rack": "B"})]
        >>> ranks.winners("devices", said)
        {'rack': ('B', 2), 'serial': ('X', 1)}
        """
        best: dict[str, tuple[tuple[bool, int, float], Any, int]] = {}
        for word in said:
            for name, value in word.values.items():
                order = (not word.fresh, self.of(word.source, kind, name), -word.seen)
                if name not in best or order < best[name][0]:
                    best[name] = (order, value, word.source)
        return {name: (value, source) for name, (_, value, source) in best.items()}


def peoples(shown: Values, said: Iterable[Values], before: Values, defaults: Values) -> dict[str, Any]:
    """What of the shown values is people's: what they had entered `before` and is still shown, and what no source has
    said. Where no source says anything, a field's default or nothing is nobody's word.

    >>> peoples({"rack": "A", "status": "failed"}, [{"rack": "A", "status": "active"}], {}, {"status": "active"})
    {'status': 'failed'}
    """
    words: dict[str, list[Any]] = {}
    for values in said:
        for name, value in values.items():
            words.setdefault(name, []).append(value)
    out = {}
    for name, value in shown.items():
        if name in before and before[name] == value:
            out[name] = value
        elif name in words:
            if value not in words[name]:
                out[name] = value
        elif value not in _NOTHING and value != defaults.get(name):
            out[name] = value
    return out
