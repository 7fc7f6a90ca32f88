"""Datagrams of NetFlow 5, 9 and IPFIX, as exporters send them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from typing import NamedTuple


class Told(NamedTuple):
    """One flow."""

    source: str
    source_port: int
    destination: str
    destination_port: int
    protocol: int = 6
    flags: int = 0x1B
    octets: int = 1000
    packets: int = 10


#: IANA's numbers of the fields of `record`, and their bytes
FIELDS = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (1, 4), (2, 4))


def record(f: Told) -> bytes:
    """A record of a template of FIELDS."""
    ends = socket.inet_aton(f.source) + socket.inet_aton(f.destination)
    return ends + struct.pack(
        "!HHBBII", f.source_port, f.destination_port, f.protocol, f.flags, f.octets, f.packets
    )


def v5(*flows: Told, sampling: int = 0, number: int = 1) -> bytes:
    """A datagram of NetFlow 5."""
    out = struct.pack("!HHIIIIBBH", 5, len(flows), 1, 1, 1, number, 0, 0, sampling)
    for f in flows:
        out += socket.inet_aton(f.source) + socket.inet_aton(f.destination) + bytes(4)
        out += struct.pack("!HHIIIIHH", 1, 2, f.packets, f.octets, 0, 1, f.source_port, f.destination_port)
        out += struct.pack("!BBBBHHBBH", 0, f.flags, f.protocol, 0, 0, 0, 24, 24, 0)
    return out


def a_set(number: int, body: bytes) -> bytes:
    """A set, filled up to four bytes."""
    body += bytes(-len(body) % 4)
    return struct.pack("!HH", number, 4 + len(body)) + body


def template(number: int, fields: Sequence[tuple[int, int]] = FIELDS) -> bytes:
    """A template without the head of its set."""
    return struct.pack("!HH", number, len(fields)) + b"".join(struct.pack("!HH", *f) for f in fields)


def v9(*sets: bytes, domain: int = 0, number: int = 1) -> bytes:
    """A datagram of NetFlow 9; its templates are set 0, those of options set 1."""
    return struct.pack("!HHIIII", 9, len(sets), 1, 1, number, domain) + b"".join(sets)


def ipfix(*sets: bytes, domain: int = 0, number: int = 1) -> bytes:
    """A message of IPFIX; its templates are set 2, those of options set 3."""
    body = b"".join(sets)
    return struct.pack("!HHIII", 10, 16 + len(body), 1, number, domain) + body
