"""Log lines, as the API shows them, as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from watchkeeper.exchange.tables import guarded

Rows = Iterable[Mapping[str, Any]]
COLUMNS = (
    "time", "level", "host", "service", "source", "body", "template", "trace", "span", "door", "labels", "id",
)  # fmt: skip


def as_csv(rows: Rows) -> str:
    """A line a row, with a header; labels as JSON."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        texts = {**row, "labels": json.dumps(row["labels"], ensure_ascii=False)}
        writer.writerow([guarded(str(texts[name])) for name in COLUMNS])
    return out.getvalue()


def as_ndjson(rows: Rows) -> str:
    """A JSON object a line."""
    return "".join(json.dumps(dict(row), ensure_ascii=False) + "\n" for row in rows)


FORMATS: Mapping[str, tuple[Callable[[Rows], str], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "ndjson": (as_ndjson, "application/x-ndjson; charset=utf-8"),
}
