"""NetFlow 5, NetFlow 9 and IPFIX: from a datagram to flows. Pure but for the templates that an exporter has sent, which
`Exporters` keeps, bounded.

Layouts: https://www.cisco.com/c/en/us/td/docs/net_mgmt/netflow_collection_engine/3-6/user/guide/format.html (5),
RFC 3954 (9), RFC 7011 (IPFIX); the numbers of fields are IANA's, the same in 9 and IPFIX.
"""

from __future__ import annotations

import socket
import struct
from collections import OrderedDict
from typing import NamedTuple

import numpy as np

from watchkeeper.model.errors import Malformed
from watchkeeper.receivers.netflow_sequence import Numbered
from watchkeeper.receivers.netflow_templates import Field, Values, records, templates

NAME = "netflow"
MOST_EXPORTERS = 1_000  # whose templates are kept
MOST_TEMPLATES = 500  # of one exporter
_V5_HEADER, _V5_SAMPLING = 24, 22
_V5 = np.dtype([
    ("source", "V4"), ("destination", "V4"), ("next_hop", ">u4"), ("interfaces", ">u4"), ("packets", ">u4"),
    ("octets", ">u4"), ("times", ">u8"), ("source_port", ">u2"), ("destination_port", ">u2"), ("pad", "u1"),
    ("flags", "u1"), ("protocol", "u1"), ("tos", "u1"), ("rest", "V8"),
])  # fmt: skip
_HEADERS = {9: 20, 10: 16}  # bytes before the first set
_SETS = {9: (0, 1), 10: (2, 3)}  # which set has templates, and which templates of options
_FIRST_DATA = 256  # sets from here on have data of the template of that number


#: templates of one exporter by version, domain and number, the oldest first; None stands for one of options
Known = OrderedDict[tuple[int, int, int], tuple[Field, ...] | None]


class Flow(NamedTuple):
    """One record: addresses as text, "" where the exporter tells none; `flags` of TCP, 0 where they are not told."""

    source: str
    destination: str
    source_port: int
    destination_port: int
    protocol: int  # IANA's number
    flags: int
    octets: int
    packets: int


class Read(NamedTuple):
    """What a datagram told: its flows, its place among others, when it was sent (Unix ms), and how many sets had data of
    a template that is not known (yet)."""

    flows: list[Flow]
    numbered: Numbered
    sent_ms: int
    unknown: int = 0


class Exporters:
    """Reads datagrams, with the templates that each exporter has sent before. For one thread."""

    def __init__(self, most: int = MOST_EXPORTERS) -> None:
        self._most = most
        self._known: OrderedDict[str, Known] = OrderedDict()  # by address, the one heard last at the end

    def read(self, data: bytes, sender: str) -> Read:
        """The flows in a datagram. Raises Malformed."""
        version = int.from_bytes(data[:2]) if len(data) >= 2 else 0
        if version == 5:
            return _version_5(data)
        if version not in _HEADERS:
            raise Malformed(f"version {version} is neither 5, 9 nor 10 (IPFIX)", reason="unknown_version")
        if len(data) < _HEADERS[version]:
            raise Malformed(f"{len(data)} bytes are less than a header", reason="truncated")
        if version == 10:
            length = int.from_bytes(data[2:4])
            if not _HEADERS[version] <= length <= len(data):
                raise Malformed(f"{length} bytes are told and {len(data)} are there", reason="truncated")
            data = data[:length]
        return self._sets(data, sender, version)

    def _sets(self, data: bytes, sender: str, version: int) -> Read:
        known = self._of(sender)
        at = _HEADERS[version]
        domain = int.from_bytes(data[at - 4 : at])
        flows: list[Flow] = []
        unknown = options = 0
        while at + 4 <= len(data):
            number, length = struct.unpack_from("!HH", data, at)
            if length < 4 or at + length > len(data):
                raise Malformed(f"a set of {length} bytes at {at} does not fit", reason="truncated")
            body = data[at + 4 : at + length]
            at += length
            if number in _SETS[version]:
                self._learn(known, body, version, domain, options=number == _SETS[version][1])
            elif number >= _FIRST_DATA and (version, domain, number) not in known:
                unknown += 1
            elif number >= _FIRST_DATA and (fields := known[version, domain, number]) is not None:
                flows += (_flow(v) for v in records(body, fields))
            elif number >= _FIRST_DATA:
                options += 1
        counted = None if unknown or options else len(flows)  # records that are not read are numbered too
        sent, place = struct.unpack_from("!II", data, 8 if version == 9 else 4)
        numbered = Numbered(version, domain, place, 1 if version == 9 else counted)
        return Read(flows, numbered, sent * 1000, unknown)

    def _of(self, sender: str) -> Known:
        known = self._known.setdefault(sender, OrderedDict())
        self._known.move_to_end(sender)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return known

    def _learn(self, known: Known, body: bytes, version: int, domain: int, *, options: bool) -> None:
        for number, fields in templates(body, version, options=options):
            key = (version, domain, number)
            known.pop(key, None)
            if options or fields:
                known[key] = None if options else fields
            if len(known) > MOST_TEMPLATES:
                known.popitem(last=False)


def _version_5(data: bytes) -> Read:
    if len(data) < _V5_HEADER:
        raise Malformed(f"{len(data)} bytes are less than a header", reason="truncated")
    count = int.from_bytes(data[2:4])
    if len(data) < _V5_HEADER + count * _V5.itemsize:
        raise Malformed(f"{count} records are told and {len(data)} bytes are there", reason="truncated")
    each = max(
        1, int.from_bytes(data[_V5_SAMPLING : _V5_SAMPLING + 2]) & 0x3FFF
    )  # one packet of so many was seen
    rows = np.frombuffer(data, _V5, count, _V5_HEADER)
    ports = zip(rows["source_port"].tolist(), rows["destination_port"].tolist(), strict=True)
    sizes = zip((rows["octets"].astype(np.int64) * each).tolist(),
                (rows["packets"].astype(np.int64) * each).tolist(), strict=True)  # fmt: skip
    ends = zip(rows["source"].tolist(), rows["destination"].tolist(), strict=True)
    told = zip(rows["protocol"].tolist(), rows["flags"].tolist(), strict=True)
    flows = [
        Flow(socket.inet_ntoa(a), socket.inet_ntoa(b), *p, *t, *s)
        for (a, b), p, t, s in zip(ends, ports, told, sizes, strict=True)
    ]
    seconds, nanoseconds, number = struct.unpack_from("!III", data, 8)
    numbered = Numbered(5, int.from_bytes(data[20:22]), number, count)
    return Read(flows, numbered, seconds * 1000 + nanoseconds // 1_000_000)


def _flow(v: Values) -> Flow:
    return Flow(
        v.address(8, 27), v.address(12, 28), v.number(7) & 0xFFFF, v.number(11) & 0xFFFF,
        v.number(4) & 0xFF, v.number(6) & 0xFF, v.number(1), v.number(2),
    )  # fmt: skip
