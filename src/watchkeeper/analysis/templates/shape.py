"""The shape of a line: what is left when everything that is a value by its spelling has become one mark.

`shapes` reads the bytes of many lines in one pass, in linear time whatever they hold, and looks each shape up
in a table of shapes already seen, so that nearly all lines need no Python at all. What a shape means (which
template it belongs to) is not decided here.
"""

from __future__ import annotations

from typing import NamedTuple

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


class Shapes(NamedTuple):
    """Of each line the template code of its shape, -1 when that has not been seen, and its hash; an unseen shape is
    `text[begins[i]:ends[i]]`."""

    codes: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    text: Bytes
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]

    def of(self, line: int) -> bytes:
        """The shape of a line, if it had not been seen."""
        return self.text[self.begins[line] : self.ends[line]].tobytes()


def shapes(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], table: ShapeTable
) -> Shapes:
    """Shapes of lines `data[starts[i]:ends[i]]` (UTF-8)."""
    n = len(starts)
    longest = np.minimum(ends - starts, MAX_LINE)
    words = np.empty((int(longest.sum()) + 8 * n + MAX_LINE) // 8 + 2, np.uint64)
    out = words.view(np.uint8)
    codes, hashes = np.empty(n, np.int32), np.empty(n, np.uint64)
    lies, lies_to = np.empty(n, np.int64), np.empty(n, np.int64)
    _scan(data, starts, ends, CLASS, ENDS, np.uint64(table.seed), table.keys, table.codes,
          out, words, codes, hashes, lies, lies_to)  # fmt: skip
    return Shapes(codes, hashes, out, lies, lies_to)


@compiled
def _scan(
    data: Bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], kinds: Bytes, stops: NDArray[np.bool_],
    seed: np.uint64, keys: NDArray[np.uint64], known: NDArray[np.int32], out: Bytes,
    words: NDArray[np.uint64], codes: NDArray[np.int32], hashes: NDArray[np.uint64],
    lies: NDArray[np.int64], lies_to: NDArray[np.int64],
) -> None:  # fmt: skip
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
        stop = used
        while used & 7:  # to whole words of eight bytes, which are hashed at once
            out[used] = 0
            used += 1
        h = np.uint64(14695981039346656037) ^ seed
        for k in range(begin >> 3, used >> 3):
            h = (h ^ words[k]) * np.uint64(0x9FB21C651E98DF25)
            h ^= h >> np.uint64(32)
        h = h * np.uint64(0xBF58476D1CE4E5B9)
        h ^= h >> np.uint64(32)
        hashes[i], codes[i] = h, -1
        at = np.int64(h & np.uint64(len(keys) - 1)) & ~3
        for way in range(at, at + 4):
            if keys[way] == h and known[way] >= 0:
                codes[i] = known[way]
        lies[i], lies_to[i] = begin, stop
        if codes[i] >= 0:
            used = begin


@inlined
def _shape(data: Bytes, a: int, b: int, kinds: Bytes, stops: NDArray[np.bool_], out: Bytes, o: int) -> int:
    """Write the shape of data[a:b] to out[o:], never longer than the line; return where it ends."""
    begin, i, before = o, a, np.uint8(32)
    while i < b:
        byte = data[i]
        if kinds[byte]:
            j, o = _run(data, i, a, b, before, kinds, out, o)
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
                if before == 47:  # the slash is the sign of an address, not a part of it
                    out[o] = 47
                    o += 1
                out[o] = 1
                before, i, o = np.uint8(48), end, o + 1
            else:
                out[o] = byte
                before, i, o = byte, i + 1, o + 1
    while o > begin and out[o - 1] == 32:
        o -= 1
    return o


@inlined
def _run(
    data: Bytes, i: int, a: int, b: int, before: np.uint8, kinds: Bytes, out: Bytes, o: int
) -> tuple[int, int]:
    """Letters and digits from i on, copied while they are counted; where they end, and what is written of them."""
    j, p, digits, letters = i, o, 0, 0
    while j < b:
        kind = kinds[data[j]]
        if kind == 0:
            break
        out[p] = data[j]
        digits += kind == 1
        letters += kind == 3
        j, p = j + 1, p + 1
    after = data[j] if j < b else np.uint8(32)
    if before == 47 and _is_protocol(data, i, j, a, b):
        for k in range(i, j + 2):
            out[o + k - i] = data[k]
        return j + 2, o + j + 2 - i
    if _is_value(data, i, j - i, digits, letters, before, after):
        out[o] = 1
        return j, o + 1
    return j, p if digits == 0 else _mixed(data, i, j, kinds, out, o)


@inlined
def _is_protocol(data: Bytes, i: int, j: int, a: int, b: int) -> bool:
    """Whether data[i:j+2] is the version of a protocol, HTTP/1.1: a part of what a message says."""
    if j != i + 1 or not 48 <= data[i] <= 57 or j + 1 >= b or data[j] != 46 or not 48 <= data[j + 1] <= 57:
        return False
    longer = j + 2 < b and (48 <= data[j + 2] <= 57 or data[j + 2] == 46)
    return i - 2 >= a and 65 <= data[i - 2] <= 90 and not longer


@inlined
def _path_end(data: Bytes, i: int, b: int, before: np.uint8, stops: NDArray[np.bool_]) -> int:
    """Where a path of two or more steps, or what follows ://, ends; i + 1 when it is neither."""
    j, slashes, inside = i + 1, 0, 0
    address = before == 47  # where = , ; may stand inside
    while j < b and (not stops[data[j]] or (address and (data[j] == 61 or data[j] == 44 or data[j] == 59))):
        if data[j] == 47:
            slashes += 1
        else:
            inside += 1
        j += 1
    while j > i + 1 and (data[j - 1] == 58 or data[j - 1] == 46 or data[j - 1] == 44):  # but a stop after it
        j -= 1
    if before == 47:  # the second slash of ://
        return j if inside and i >= 2 and data[i - 2] == 58 else i + 1
    if before == 58:
        return i + 1
    return j if slashes and inside else i + 1


@inlined
def _is_value(
    data: Bytes, i: int, n: int, digits: int, letters: int, before: np.uint8, after: np.uint8
) -> bool:
    """Whether a run of n letters and digits is a value by its spelling; `letters` are those no hexadecimal has."""
    if letters == 0:
        pair = n == 2 and (before == 58 or after == 58)
        return digits == n or (digits > 0 and n >= 4) or n >= 8 or pair
    return letters == 1 and n > 2 and data[i] == 48 and (data[i + 1] | 32) == 120


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
