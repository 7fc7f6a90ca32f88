"""A few values of one time as entries of the journal, series declared along with their samples: for what the platform says
of itself. Doors, which take many, remember what is declared (receivers.series)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from watchkeeper.model.series import NAME, labels_json, series_id
from watchkeeper.model.signals import Stream, batch

Entry = tuple[Stream, pa.RecordBatch]


def series_row(labels: Mapping[str, str], kind: str, door: str) -> dict[str, object]:
    """A row of the series stream, without a unit; `labels` have the name under NAME."""
    return {"id": series_id(labels), "name": labels[NAME], "labels": labels_json(labels), "kind": kind, "unit": "",
            "door": door}  # fmt: skip


def measured(values: Iterable[tuple[Mapping[str, str], str, float]], time_ms: int, door: str) -> list[Entry]:
    """Labels, kind and value of each."""
    series: list[dict[str, object]] = []
    samples: list[dict[str, object]] = []
    for labels, kind, value in values:
        series.append(series_row(labels, kind, door))
        samples.append({"series": series[-1]["id"], "time_ms": time_ms, "value": value})
    return [(Stream.SERIES, batch(Stream.SERIES, series)), (Stream.SAMPLES, batch(Stream.SAMPLES, samples))]
