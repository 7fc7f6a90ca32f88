"""Forecasts that came near enough, as alerts of our own."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from watchkeeper.domains.capacity import DOOR
from watchkeeper.domains.capacity.models import Forecast
from watchkeeper.domains.situations import own_alerts
from watchkeeper.domains.situations.own_alerts import Raised
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.model.signals import Stream

NAME = "CapacityRunsOut"
LASTS_MS = 4 * 3_600_000  # without being told again


def entries(firing: Iterable[Forecast], now_ms: int) -> list[tuple[Stream, pa.RecordBatch]]:
    """What goes into the journal for these, and for alerts that are none of these any more; nothing where there is nothing
    to tell."""
    raised = (
        Raised(_labels(f), milliseconds(f.since), now_ms + LASTS_MS, f.severity, f.said, f.because)
        for f in firing
    )
    return own_alerts.entries(NAME, DOOR, raised, now_ms)


def _labels(f: Forecast) -> dict[str, str]:
    own = {k: v for k, v in f.labels.items() if v}
    return {**own, "alertname": NAME, "capacity": f.name, "rule": f.rule.name}
