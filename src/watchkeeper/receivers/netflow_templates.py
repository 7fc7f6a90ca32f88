"""Templates of NetFlow 9 and IPFIX, and data read by them. Pure."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from watchkeeper.model.errors import Malformed

MOST_FIELDS = 256
_VARIABLE = 0xFFFF  # a field whose length is told with each value; IPFIX has them
_ENTERPRISE = 0x8000  # of a field's number: a maker's own, whose number follows


class Field(NamedTuple):
    """IANA's number of a field, 0 for a maker's own; and its bytes."""

    number: int
    length: int


class Values:
    """What one record has in the fields that IANA numbers."""

    def __init__(self, found: dict[int, bytes]) -> None:
        self._found = found

    def number(self, field: int) -> int:
        """An unsigned number; 0 where there is none."""
        value = self._found.get(field, b"")
        return int.from_bytes(value) if len(value) <= 8 else 0

    def address(self, old: int, new: int) -> str:
        """The IPv4 address in the field `old`, or the IPv6 address in `new`; "" where there is none."""
        if len(value := self._found.get(old, b"")) == 4:
            return socket.inet_ntop(socket.AF_INET, value)
        if len(value := self._found.get(new, b"")) == 16:
            return socket.inet_ntop(socket.AF_INET6, value)
        return ""


def templates(body: bytes, version: int, *, options: bool) -> Iterator[tuple[int, tuple[Field, ...]]]:
    """The templates of a set by number; one without fields is withdrawn. Of those of options only the number is of
    use: their fields are left out. Raises Malformed."""
    at = 0
    while at + 4 <= len(body):
        number, count = struct.unpack_from("!HH", body, at)
        if number < 256:  # what is left fills the set up
            return
        at += 4
        if options and version == 9:  # here bytes of scopes and of options are told, not a count
            if at + 2 > len(body):
                raise Malformed(f"template {number} ends early", reason="bad_template")
            at += 2 + count + int.from_bytes(body[at : at + 2])
            fields: tuple[Field, ...] = ()
        else:
            at += 2 if options and count else 0  # how many of the fields are scopes
            fields, at = _fields(body, at, count, version)
        if at > len(body):
            raise Malformed(f"template {number} ends early", reason="bad_template")
        if not options and count and not sum(f.length for f in fields):
            raise Malformed(f"template {number} has fields of no length", reason="bad_template")
        yield number, () if options else fields


def _fields(body: bytes, at: int, count: int, version: int) -> tuple[tuple[Field, ...], int]:
    if count > MOST_FIELDS:
        raise Malformed(f"a template of {count} fields, more than {MOST_FIELDS}", reason="bad_template")
    found: list[Field] = []
    for _ in range(count):
        if at + 4 > len(body):
            raise Malformed("a template ends early", reason="bad_template")
        number, length = struct.unpack_from("!HH", body, at)
        at += 4
        if version == 10 and number & _ENTERPRISE:
            number, at = 0, at + 4
        found.append(Field(number, length))
    return tuple(found), at


def records(body: bytes, fields: tuple[Field, ...]) -> Iterator[Values]:
    """The records of a set of data; what is left and too short for one fills the set up. Raises Malformed."""
    least = sum(1 if f.length == _VARIABLE else f.length for f in fields)
    at = 0
    while at + least <= len(body):
        found: dict[int, bytes] = {}
        for number, length in fields:
            if length == _VARIABLE:
                length, at = _told(body, at)
            if at + length > len(body):
                raise Malformed("a record ends early", reason="truncated")
            found.setdefault(number, body[at : at + length])
            at += length
        yield Values(found)


def _told(body: bytes, at: int) -> tuple[int, int]:
    """The length of a value that tells it, and where the value begins."""
    if at < len(body) and body[at] < 255:
        return body[at], at + 1
    if at + 3 > len(body):
        raise Malformed("a record ends early", reason="truncated")
    return int.from_bytes(body[at + 1 : at + 3]), at + 3
