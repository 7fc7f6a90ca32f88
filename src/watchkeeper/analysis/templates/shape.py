"""The shape of a line: what is left when everything that is a value by its spelling has become one mark.

`shapes` reads the bytes of many lines in one pass, in linear time whatever they hold, and looks each shape up
in a table of shapes already seen, so that nearly all lines need no Python at all. What a shape means (which
template it belongs to) is not decided here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.compiled import compiled, inlined

VALUE = 1
"""The byte that stands for a value in a shape; control characters in the input become spaces."""

MAX_LINE = 2048
"""Bytes of a line that are looked at: a template is told by how a message begins."""

Bytes = NDArray[np.uint8]
_WAYS = 4
_OTHER, _DIGIT, _HEX, _LETTER = 0, 1, 2, 3


def _classes() -> NDArray[np.uint8]:
    table = np.full(256, _OTHER, np.uint8)
    table[128:] = _LETTER  # all of a character outside ASCII is taken for a letter
    for byte in b"ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ":
        table[byte] = _LETTER
    for byte in b"abcdefABCDEF":
        table[byte] = _HEX
    for byte in b"0123456789":
        table[byte] = _DIGIT
    return table


def _ends_value() -> NDArray[np.bool_]:
    table = np.zeros(256, np.bool_)
    table[:33] = True
    for byte in b"=,;()[]<>\"'|":
        table[byte] = True
    return table


CLASS = _classes()
ENDS = _ends_value()


class ShapeTable:
    """Shapes already seen: a 4-way table of 64-bit hashes with a payload each; the oldest makes room.

    `size` slots (a power of two) of 16 bytes. The hash is seeded, so that nobody outside can aim at a slot.
    """

    def __init__(self, size: int = 1 << 16, seed: int = 0) -> None:
        self.keys = np.zeros(size, np.uint64)
        self.codes = np.full(size, -1, np.int32)
        self.ages = np.zeros(size, np.int32)
        self.clock = 0
        self.seed = seed

    def put(self, key: int, code: int) -> None:
        """Remember that the shape with this hash belongs to template `code`."""
        start = (key & (len(self.keys) - 1)) & ~(_WAYS - 1)
        ways = slice(start, start + _WAYS)
        keys, ages = self.keys[ways].tolist(), self.ages[ways].tolist()
        at = start + (keys.index(key) if key in keys else ages.index(min(ages)))
        self.clock += 1
        self.keys[at], self.codes[at], self.ages[at] = key, code, self.clock

    def forget(self) -> None:
        """Forget every shape: what they belong to has changed."""
        self.keys[:], self.codes[:], self.ages[:] = 0, -1, 0


def shapes(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], table: ShapeTable
) -> tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int64]]:
    """Shapes of lines `data[starts[i]:ends[i]]` (UTF-8).

    Returns, a line each: the template code of its shape or -1 when it has not been seen, and its hash; then
    the bytes of the unseen shapes one after another and, of length lines + 1, where each one lies in them.
    """
    n = len(starts)
    longest = np.minimum(ends - starts, MAX_LINE)
    out = np.empty(int(longest.sum()) + MAX_LINE + 16, np.uint8)
    codes, hashes, places = np.empty(n, np.int32), np.empty(n, np.uint64), np.zeros(n + 1, np.int64)
    used = _scan(data, starts, ends, CLASS, ENDS, np.uint64(table.seed), table.keys, table.codes,
                 out, codes, hashes, places)  # fmt: skip
    return codes, hashes, out[:used], places


@compiled
def _scan(
    data: Bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], kinds: Bytes, stops: NDArray[np.bool_],
    seed: np.uint64, keys: NDArray[np.uint64], known: NDArray[np.int32], out: Bytes,
    codes: NDArray[np.int32], hashes: NDArray[np.uint64], places: NDArray[np.int64],
) -> int:  # fmt: skip
    used = 0
    for i in range(len(starts)):
        begin, end = used, ends[i]
        if end - starts[i] > MAX_LINE:  # cut between words if there is a space in the last quarter
            end = starts[i] + MAX_LINE
            while end > starts[i] + 3 * MAX_LINE // 4 and data[end] > 32:
                end -= 1
            if data[end] > 32:
                end = starts[i] + MAX_LINE
        used = _shape(data, starts[i], end, kinds, stops, out, begin)
        h = np.uint64(14695981039346656037) ^ seed
        for k in range(begin, used):
            h = (h ^ np.uint64(out[k])) * np.uint64(1099511628211)
        h ^= h >> np.uint64(29)
        h = h * np.uint64(0xBF58476D1CE4E5B9)
        h ^= h >> np.uint64(32)
        hashes[i], codes[i] = h, -1
        at = np.int64(h & np.uint64(len(keys) - 1)) & ~3
        for way in range(at, at + 4):
            if keys[way] == h and known[way] >= 0:
                codes[i] = known[way]
        if codes[i] >= 0:
            used = begin
        places[i + 1] = used
    return used


@inlined
def _shape(data: Bytes, a: int, b: int, kinds: Bytes, stops: NDArray[np.bool_], out: Bytes, o: int) -> int:
    """Write the shape of data[a:b] to out[o:], never longer than the line; return where it ends."""
    begin, i, before = o, a, np.uint8(32)
    while i < b:
        byte = data[i]
        if kinds[byte]:
            j = i + 1
            while j < b and kinds[data[j]]:
                j += 1
            after = data[j] if j < b else np.uint8(32)
            o = _word(data, i, j, before, after, kinds, out, o)
            before, i = data[j - 1], j
        elif byte <= 32 or byte == 127:
            if o > begin and out[o - 1] != 32:
                out[o] = 32
                o += 1
            before, i = np.uint8(32), i + 1
        else:
            end = i + 1
            if byte == 47 and (stops[before] or before == 58 or before == 47):  # / in front, or in ://
                end = _path_end(data, i, b, before, stops)
            if end > i + 1:
                out[o] = 1
                before, i, o = np.uint8(48), end, o + 1
            else:
                out[o] = byte
                before, i, o = byte, i + 1, o + 1
    while o > begin and out[o - 1] == 32:
        o -= 1
    return o


@inlined
def _path_end(data: Bytes, i: int, b: int, before: np.uint8, stops: NDArray[np.bool_]) -> int:
    """Where a path of two or more steps, or what follows ://, ends; i + 1 when it is neither."""
    j, slashes, inside = i + 1, 0, 0
    while j < b and not stops[data[j]]:
        if data[j] == 47:
            slashes += 1
        else:
            inside += 1
        j += 1
    while j > i + 1 and (data[j - 1] == 58 or data[j - 1] == 46):  # not a colon or full stop after it
        j -= 1
    if before == 47:  # the second slash of ://
        return j if inside and i >= 2 and data[i - 2] == 58 else i + 1
    if before == 58:
        return i + 1
    return j if slashes and inside else i + 1


@inlined
def _word(
    data: Bytes, i: int, j: int, before: np.uint8, after: np.uint8, kinds: Bytes, out: Bytes, o: int
) -> int:
    """One run of letters and digits: a value by its spelling becomes a mark, the rest is kept."""
    n, digits, letters = j - i, 0, 0
    for k in range(i, j):
        kind = kinds[data[k]]
        if kind == 1:
            digits += 1
        elif kind == 3:
            letters += 1
    pair = n == 2 and letters == 0 and (before == 58 or after == 58)
    hexadecimal = letters == 0 and ((digits > 0 and n >= 4) or n >= 8)
    prefixed = letters == 1 and n > 2 and data[i] == 48 and (data[i + 1] | 32) == 120
    if digits == n or hexadecimal or pair or prefixed:
        out[o] = 1
        return o + 1
    if digits == 0:
        for k in range(i, j):
            out[o] = data[k]
            o += 1
        return o
    return _mixed(data, i, j, kinds, out, o)


@inlined
def _mixed(data: Bytes, i: int, j: int, kinds: Bytes, out: Bytes, o: int) -> int:
    """Letters with digits: a number in front or of three digits is a value; `ssh2`, `L1` stay as they are."""
    k = i
    while k < j:
        if kinds[data[k]] != 1:
            out[o] = data[k]
            o, k = o + 1, k + 1
            continue
        end = k
        while end < j and kinds[data[end]] == 1:
            end += 1
        if k == i or end - k >= 3:
            out[o] = 1
            o, k = o + 1, end
        else:
            while k < end:
                out[o] = data[k]
                o, k = o + 1, k + 1
    return o
