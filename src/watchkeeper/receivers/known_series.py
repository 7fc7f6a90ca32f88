"""Label sets that were met before, by a keyed hash of their raw bytes: the samples of nearly all time series that come by
remote write or OTLP get their id here without a label being looked at.

SipHash-1-3 with a key of this process (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): a
sender who does not know the key cannot make two label sets meet. It keeps 21 bytes a slot, half of them free.
"""

# numba infers the types of what it compiles
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from watchkeeper.receivers.series import SeriesTable
from watchkeeper.receivers.wire import Positions, U, compiled, inlined

_SMALLEST = 1 << 12


class KnownSeries:
    """Ids by raw label bytes. `table` is asked which it still knows. Not for several threads at once."""

    def __init__(self, table: SeriesTable) -> None:
        self._table = table
        self._generation = table.generation
        self._most = 2 * table.max_series  # one label set has several spellings: senders order it differently
        self.key = np.frombuffer(secrets.token_bytes(16), U)
        self._names: dict[str, int] = {}
        self._make(_SMALLEST)

    def __len__(self) -> int:
        return self._size

    def recall(
        self, data: NDArray[np.uint8], starts: Positions, stops: Positions
    ) -> tuple[Positions, NDArray[np.int64], NDArray[np.float64]]:
        """Ids, times and values of time series that are a known label set and one sample; else id 0."""
        self._age()
        n = len(starts)
        ids, times, bits = np.zeros(n, U), np.zeros(n, np.int64), np.zeros(n, U)
        slots = self._hashes, self._ids, self._seen
        _recall(data, starts, stops, self.key, *slots, self._now, ids, times, bits)
        return ids, times, bits.view(np.float64)

    def find(self, data: NDArray[np.uint8], first: Positions, last: Positions) -> tuple[Positions, Positions]:
        """Hashes of these label bytes, and the ids known under them; 0 for the others."""
        hashes, ids = np.zeros(len(first), U), np.zeros(len(first), U)
        slots = self._hashes, self._ids, self._seen
        _find(data, first, last, self.key, *slots, self._now, hashes, ids)
        return hashes, ids

    def lookup(self, hashes: Positions) -> Positions:
        """The ids known under these hashes, made with `key` in another way; 0 for the others, and for a hash of 0."""
        self._age()
        ids = np.zeros(len(hashes), U)
        _lookup(hashes, self._hashes, self._ids, self._seen, self._now, ids)
        return ids

    def remember(self, new: Sequence[tuple[int, int, str]]) -> None:
        """Keep series under the hashes that `find` gave: hash, id, metric's name. Where there is no room for more all
        others are forgotten, and will be looked up again: somebody who writes a series in ever new ways must not keep
        everybody else's from being known."""
        if not new or len(new) > self._most:
            return
        if self._size + len(new) > self._most:
            self._names.clear()
            self._make(_SMALLEST)
        slots = len(self._hashes)
        while 2 * (self._size + len(new)) > slots:
            slots *= 2
        if slots > len(self._hashes):
            self._move(self._hashes != 0, slots)
        hashes, ids, names = zip(*new, strict=True)
        numbers = [self._names.setdefault(name, len(self._names)) for name in names]
        seen = np.full(len(new), self._now, np.uint8)
        self._put(np.array(hashes, U), np.array(ids, U), seen, np.array(numbers, np.int32))

    def forget_names(self, names: Iterable[str]) -> None:
        """Let series of these names be looked up again."""
        numbers = [self._names[n] for n in names if n in self._names]
        if numbers:
            self._ids[np.isin(self._named, numbers)] = 0

    @property
    def _now(self) -> np.uint8:
        return np.uint8(self._generation & 255)

    def _make(self, slots: int) -> None:
        self._size = 0
        self._hashes, self._ids = np.zeros(slots, U), np.zeros(slots, U)
        self._seen, self._named = np.zeros(slots, np.uint8), np.zeros(slots, np.int32)

    def _put(
        self, hashes: Positions, ids: Positions, seen: NDArray[np.uint8], named: NDArray[np.int32]
    ) -> None:
        table = self._hashes, self._ids, self._seen, self._named
        self._size += _put(*table, hashes, ids, seen, named)

    def _move(self, kept: NDArray[np.bool_], slots: int) -> None:
        """Make anew with this many slots, and put those entries in of which `kept` is true."""
        hashes, ids, seen, named = self._hashes[kept], self._ids[kept], self._seen[kept], self._named[kept]
        self._make(slots)
        self._put(hashes, ids, seen, named)

    def _age(self) -> None:
        """After the table has begun a new generation: tell it which series were seen in the last one, and
        forget the others, and those that the table has forgotten."""
        if self._table.generation == self._generation:
            return
        kept = (self._ids != 0) & (self._seen == self._now)
        self._generation = self._table.generation
        if gone := self._table.touch(self._ids[kept].tolist()):
            kept &= ~np.isin(self._ids, np.array(gone, U))
        used, self._named[kept] = np.unique(self._named[kept], return_inverse=True)
        names = list(self._names)
        self._names = {names[old]: new for new, old in enumerate(used.tolist())}
        self._move(kept, max(_SMALLEST, 1 << (2 * int(kept.sum())).bit_length()))


@inlined
def _round(a, b, c, d):
    a += b
    b = ((b << U(13)) | (b >> U(51))) ^ a
    a = (a << U(32)) | (a >> U(32))
    c += d
    d = ((d << U(16)) | (d >> U(48))) ^ c
    a += d
    d = ((d << U(21)) | (d >> U(43))) ^ a
    c += b
    b = ((b << U(17)) | (b >> U(47))) ^ c
    c = (c << U(32)) | (c >> U(32))
    return a, b, c, d


@inlined
def word(data, at):
    """Eight bytes, little-endian; LLVM makes one load of it."""
    low = U(data[at]) | U(data[at + U(1)]) << U(8) | U(data[at + U(2)]) << U(16) | U(data[at + U(3)]) << U(24)
    at += U(4)
    high = (
        U(data[at]) | U(data[at + U(1)]) << U(8) | U(data[at + U(2)]) << U(16) | U(data[at + U(3)]) << U(24)
    )
    return low | high << U(32)


@compiled
def siphash(data, at, end, key):
    """SipHash-1-3 of `[at, end)`, with 1 for 0: a slot with 0 is free."""
    a, b = key[0] ^ U(0x736F6D6570736575), key[1] ^ U(0x646F72616E646F6D)
    c, d = key[0] ^ U(0x6C7967656E657261), key[1] ^ U(0x7465646279746573)
    tail, shift = (end - at) << U(56), U(0)
    while end - at >= U(8):
        piece = word(data, at)
        a, b, c, d = _round(a, b, c, d ^ piece)
        a ^= piece
        at += U(8)
    while at < end:
        tail |= U(data[at]) << shift
        shift += U(8)
        at += U(1)
    a, b, c, d = _round(a, b, c, d ^ tail)
    a ^= tail
    c ^= U(255)
    for _ in range(3):
        a, b, c, d = _round(a, b, c, d)
    return max(a ^ b ^ c ^ d, U(1))


@compiled
def siphash_words(words, count, key):
    """SipHash-1-3 of so many words of eight bytes, with 1 for 0."""
    a, b = key[0] ^ U(0x736F6D6570736575), key[1] ^ U(0x646F72616E646F6D)
    c, d = key[0] ^ U(0x6C7967656E657261), key[1] ^ U(0x7465646279746573)
    for i in range(count):
        a, b, c, d = _round(a, b, c, d ^ words[i])
        a ^= words[i]
    tail = U(8 * count) << U(56)
    a, b, c, d = _round(a, b, c, d ^ tail)
    a ^= tail
    c ^= U(255)
    for _ in range(3):
        a, b, c, d = _round(a, b, c, d)
    return max(a ^ b ^ c ^ d, U(1))


@compiled
def _lookup(wanted, hashes, ids, seen, now, out):
    for i in range(len(wanted)):
        if wanted[i] != U(0):
            slot = _slot(hashes, wanted[i])
            out[i] = ids[slot]
            seen[slot] = now


@compiled
def _slot(hashes, wanted):
    """Where this hash is, or where it would go."""
    mask = U(len(hashes) - 1)
    slot = wanted & mask
    while hashes[slot] != U(0) and hashes[slot] != wanted:
        slot = (slot + U(1)) & mask
    return slot


@compiled
def _put(hashes, ids, seen, named, new_hashes, new_ids, new_seen, new_named):
    added = 0
    for i in range(len(new_hashes)):
        slot = _slot(hashes, new_hashes[i])
        added += hashes[slot] == U(0)
        hashes[slot], ids[slot] = new_hashes[i], new_ids[i]
        seen[slot], named[slot] = new_seen[i], new_named[i]
    return added


@compiled
def _find(data, first, last, key, hashes, ids, seen, now, out_hashes, out_ids):
    for i in range(len(first)):
        out_hashes[i] = siphash(data, first[i], last[i], key)
        slot = _slot(hashes, out_hashes[i])
        out_ids[i] = ids[slot]
        seen[slot] = now


@compiled
def _recall(data, starts, stops, key, hashes, ids, seen, now, out_ids, times, bits):
    """What Prometheus sends ends with one sample: 18 bytes, or 9 when the value is 0 and so left out. If what
    is before it is a known label set, it is label fields from begin to end, and so the sample is one."""
    for i in range(len(starts)):
        start, stop = starts[i], stops[i]
        for size in (U(18), U(9)):
            at = stop - size
            if stop - start < size or data[at] != 0x12 or data[at + U(1)] != size - U(2):
                continue
            time = stop - U(6)
            if data[time - U(1)] != 0x10 or (size == U(18) and data[at + U(2)] != 0x09):
                continue
            ended = data[stop - U(1)] < 128
            for j in range(5):
                ended = ended and data[time + U(j)] >= 128
            if not ended:
                continue
            slot = _slot(hashes, siphash(data, start, at, key))
            if ids[slot] == U(0):
                continue
            seen[slot] = now
            out_ids[i] = ids[slot]
            for j in range(6):
                times[i] |= np.int64(data[time + U(j)] & 127) << np.int64(7 * j)
            bits[i] = word(data, at + U(3)) if size == U(18) else U(0)
            break
