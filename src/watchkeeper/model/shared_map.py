"""A mapping that is never changed: `updated` gives a new one that shares all that is the same.

It is a hash array of one level: a fixed number of small dicts, of which an update copies those it touches.
With 100,000 keys an update of one key copies 1,024 pointers and a hundred entries; a lookup is one of a dict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

_BUCKETS = 1024  # a power of two
_MASK = _BUCKETS - 1
_EMPTY: dict[Any, Any] = {}  # shared by all, so never written to


class SharedMap(Mapping[K, V]):
    """An immutable mapping, iterated in no particular order; any number of threads may read it.

    >>> old = SharedMap({"a": 1})
    >>> new = old.updated({"b": 2}, without=["a"])
    >>> dict(old), dict(new)
    ({'a': 1}, {'b': 2})
    """

    __slots__ = ("_buckets", "_size")

    def __init__(self, entries: Mapping[K, V] | None = None) -> None:
        self._buckets: list[dict[K, V]] = [_EMPTY] * _BUCKETS
        self._size = 0
        if entries:
            self._fill(entries, ())

    def updated(self, entries: Mapping[K, V], without: Iterable[K] = ()) -> SharedMap[K, V]:
        """This map without these keys (unknown ones are passed over), then with these entries."""
        new: SharedMap[K, V] = SharedMap.__new__(SharedMap)
        new._buckets, new._size = self._buckets.copy(), self._size
        new._fill(entries, without)
        return new

    def _fill(self, entries: Mapping[K, V], without: Iterable[K]) -> None:
        own: set[int] = set()
        for key in without:
            bucket = self._own(key, own)
            self._size -= key in bucket
            bucket.pop(key, None)
        for key, value in entries.items():
            bucket = self._own(key, own)
            self._size += key not in bucket
            bucket[key] = value

    def _own(self, key: K, own: set[int]) -> dict[K, V]:
        place = hash(key) & _MASK
        if place not in own:
            own.add(place)
            self._buckets[place] = self._buckets[place].copy()
        return self._buckets[place]

    def __getitem__(self, key: K) -> V:
        return self._buckets[hash(key) & _MASK][key]

    @overload
    def get(self, key: K, /) -> V | None: ...
    @overload
    def get(self, key: K, default: V | D, /) -> V | D: ...
    def get(self, key: K, default: V | D | None = None, /) -> V | D | None:
        """The value of this key, or the default."""
        return self._buckets[hash(key) & _MASK].get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._buckets[hash(key) & _MASK]

    def __iter__(self) -> Iterator[K]:
        return chain.from_iterable(self._buckets)

    def __len__(self) -> int:
        return self._size

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SharedMap):
            # Buckets that are shared are not compared: versions of one map are told apart quickly.
            return self._size == other._size and all(
                a is b or a == b for a, b in zip(self._buckets, other._buckets, strict=True)
            )
        return isinstance(other, Mapping) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"SharedMap({dict(self)!r})"
