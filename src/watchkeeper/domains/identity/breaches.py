"""Passwords known from breaches, as one file that is mapped into memory: a Bloom filter over their SHA-1 hashes
(Bloom, Space/time trade-offs in hash coding with allowable errors, 1970; two hashes stand for k as in Kirsch and
Mitzenmacher, Less hashing, same performance, 2006).

It is made once from the list of Have I Been Pwned, which is ordered by hash, a `HASH:count` a line. A password
that is in the list is always found; one that is not is taken for one with the probability `rate`.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from watchkeeper.kernel.problems import Invalid

_MAGIC = b"WKPW1\n"
_HEAD = 4096  # bytes before the bits: the magic, then JSON
_CHUNK = 200_000  # hashes at a time


@dataclass(frozen=True)
class Filter:
    """The bits of a file, and what its head says."""

    bits: Any  # uint8
    size: int  # in bits
    hashes: int
    passwords: int

    @classmethod
    def open(cls, path: Path) -> Filter:
        """Map a file. Raises OSError, or Invalid when it is none of ours."""
        with path.open("rb") as f:
            head = f.read(_HEAD)
        if not head.startswith(_MAGIC):
            raise Invalid(f"{path} is not a list of passwords made by `watchkeeper passwords import`")
        told = json.loads(head[len(_MAGIC) :].rstrip(b"\0"))
        bits = np.memmap(path, np.uint8, "r", offset=_HEAD)
        if len(bits) * 8 != told["size"]:
            raise Invalid(f"{path} is cut short: import the list again")
        return cls(bits, told["size"], told["hashes"], told["passwords"])

    def __contains__(self, password: str) -> bool:
        digest = hashlib.sha1(password.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
        places = _places(np.frombuffer(digest, np.uint8)[None, :], self.size, self.hashes)[0]
        return bool(np.all(self.bits[places >> 3] >> (places & 7).astype(np.uint8) & 1))


def build(
    lines: Iterable[bytes], path: Path, expected: int, *, rate: float = 0.001, at_least: int = 1
) -> int:
    """Make the file from `HASH:count` lines, for about `expected` hashes; how many went in. Hashes that were seen
    fewer than `at_least` times are left out. Raises Invalid naming the line, OSError."""
    size = max(8, math.ceil(-expected * math.log(rate) / math.log(2) ** 2 / 8) * 8)
    hashes = max(1, round(size / max(expected, 1) * math.log(2)))
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_bytes(b"\0" * _HEAD)
        os.truncate(new, _HEAD + size // 8)
        count = _fill(new, lines, size, hashes, at_least)
        head = _MAGIC + json.dumps({"size": size, "hashes": hashes, "passwords": count}).encode()
        with new.open("r+b") as f:
            f.write(head)
            f.flush()
            os.fsync(f.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return count


def _fill(path: Path, lines: Iterable[bytes], size: int, hashes: int, at_least: int) -> int:
    bits = np.memmap(path, np.uint8, "r+", offset=_HEAD)
    count = 0
    for digests in _chunks(lines, at_least):
        places = _places(digests, size, hashes).ravel()
        np.bitwise_or.at(bits, places >> 3, (1 << (places & 7)).astype(np.uint8))
        count += len(digests)
    bits.flush()
    return count


def _chunks(lines: Iterable[bytes], at_least: int) -> Iterator[Any]:
    """SHA-1 digests as rows of 20 bytes."""
    gathered: list[bytes] = []
    for number, line in enumerate(lines, 1):
        text, _, seen = line.strip().partition(b":")
        if not text:
            continue
        try:
            digest = bytes.fromhex(text.decode("ascii"))
            often = int(seen or 1)
        except ValueError as error:
            raise Invalid(
                f"line {number}: a SHA-1 hash and a count are expected, as in 5BAA61…8FD8:9659365"
            ) from error
        if len(digest) != 20:
            raise Invalid(f"line {number}: {len(text)} characters are no SHA-1 hash, which has 40")
        if often >= at_least:
            gathered.append(digest)
        if len(gathered) == _CHUNK:
            yield np.frombuffer(b"".join(gathered), np.uint8).reshape(-1, 20)
            gathered.clear()
    if gathered:
        yield np.frombuffer(b"".join(gathered), np.uint8).reshape(-1, 20)


def _places(digests: Any, size: int, hashes: int) -> Any:
    """Bit numbers, a row a digest: of its first eight bytes plus n times the next eight."""
    words = np.ascontiguousarray(digests[:, :16]).view(">u8").astype(np.uint64)
    steps = np.arange(hashes, dtype=np.uint64)
    return ((words[:, :1] + steps * (words[:, 1:] | np.uint64(1))) % np.uint64(size)).astype(np.int64)
