"""What a series is called: the stable 64-bit id of a label set, and its labels as the columns keep them.

The same labels give the same id in every process, on every machine and in every version, whatever order
they came in: the id is what the journal, telemetry and analysis know a series by.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from struct import Struct

import msgspec

NAME = "__name__"
"""The label under which the metric's name goes into the id, as Prometheus writes it."""

_LENGTH = Struct("<I")
_encode = msgspec.json.Encoder(order="sorted").encode


def series_id(labels: Mapping[str, str]) -> int:
    """The id of the series with these labels, its metric name under `__name__`: 0 ≤ id < 2**64.

    It is the first 8 bytes, little-endian, of BLAKE2b over the labels sorted by name (by code point, which is
    the order of their UTF-8 bytes), each name and value as UTF-8 with its length in bytes in front (uint32,
    little-endian), so that no two label sets run together. A label with an empty value is the same as no
    label, as in Prometheus. Raises UnicodeEncodeError for a lone surrogate, which no column could hold.

    >>> series_id({"__name__": "up", "job": "node"}) == series_id({"job": "node", "__name__": "up", "x": ""})
    True
    >>> hex(series_id({"__name__": "up", "job": "node"}))
    '0xbe18e2d34936c4ba'
    """
    parts: list[bytes] = []
    for name in sorted(labels):
        value = labels[name]
        if value:
            for text in (name, value):
                raw = text.encode()
                parts += (_LENGTH.pack(len(raw)), raw)
    return int.from_bytes(blake2b(b"".join(parts), digest_size=8).digest(), "little")


def labels_json(labels: Mapping[str, str]) -> str:
    """Labels as every `labels` column holds them: one JSON object, names sorted, without the metric's name
    and without empty values.

    >>> labels_json({"job": "node", "__name__": "up", "dc": ""})
    '{"job":"node"}'
    """
    return _encode({k: v for k, v in labels.items() if v and k != NAME}).decode()
