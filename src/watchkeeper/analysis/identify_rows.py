"""Rows of logs and spans by what names their origin: each distinct combination of host, service, program and what
their labels say of Kubernetes and clouds is resolved once a batch, whatever the number of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

#: attributes of the origin that have no column of their own; looked for in the JSON of the labels
_IN_LABELS = (
    "k8s.pod.name", "k8s.namespace.name", "k8s.node.name", "k8s.cluster.name", "k8s.deployment.name",
    "k8s.statefulset.name", "k8s.daemonset.name", "service.namespace", "host.id", "cloud.resource_id", "container.id",
    "client.address", "systemd.unit",
)  # fmt: skip
_OF_COLUMN = {"host": "host.name", "service": "service.name", "source": "log.source"}


class Origins(NamedTuple):
    """The distinct origins of a batch as labels, and for each row the number of its origin."""

    labels: list[dict[str, str]]
    of_row: npt.NDArray[np.int64]


def origins(batch: pa.RecordBatch, columns: Sequence[str]) -> Origins:
    """The origins of a batch by these columns (of host, service, source) and its labels."""
    named: list[tuple[str, Any]] = [(_OF_COLUMN[c], batch.column(c)) for c in columns]
    text = batch.column("labels")
    whole = _bytes(text)
    named += [(name, _told(text, name)) for name in _IN_LABELS if f'"{name}":'.encode() in whole]
    codes = np.zeros(batch.num_rows, np.int64)
    for _, column in named:
        coded = column.dictionary_encode()
        part = coded.indices.to_numpy(zero_copy_only=False)
        # distinct combinations are numbered anew at each step, so that codes stay small whatever the columns
        codes = np.unique(codes * max(1, len(coded.dictionary)) + part, return_inverse=True)[1]
    first = np.unique(codes, return_index=True)[1]
    rows = pa.table(dict(named)).take(pa.array(first, pa.int64())).to_pylist()
    return Origins([{k: v for k, v in row.items() if v} for row in rows], codes)


def _told(labels: Any, name: str) -> Any:
    """The value of one label of each row, "" where it has none, or one that JSON must escape."""
    pattern = f'"{name.replace(".", "[.]")}":"(?P<told>[^"\\\\]*)"'
    found = pc.struct_field(pc.extract_regex(labels, pattern), "told")
    return pc.fill_null(found, "")


def _bytes(column: Any) -> bytes:
    """All text of a column at once, to see in one search whether a word occurs in it at all."""
    data = column.buffers()[2]
    if data is None or not len(column):
        return b""
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
    whole: bytes = data.slice(int(offsets[0]), int(offsets[-1] - offsets[0])).to_pybytes()
    return whole
