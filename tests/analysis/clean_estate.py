"""A made-up estate in which nothing is wrong: machines with series of many kinds, as they come in operations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.pipeline import SeriesInfo
from watchkeeper.model.topology import Item, Topology, item_id

DAY = 1440
Floats = NDArray[np.float64]
KINDS = ("utilization", "latency", "requests_total", "memory", "queue", "errors", "temperature", "sessions")


def series_of(kind: str, minutes: Floats, random: np.random.Generator, busy: Floats) -> Floats:
    """One value a minute. `busy` is what the machine's series have in common, about 1."""
    n = len(minutes)
    noise = random.standard_normal(n)
    slow = np.convolve(random.standard_normal(n + 59), np.ones(60) / np.sqrt(60), "valid")
    match kind:
        case "utilization":
            return np.clip(0.35 * busy + 0.02 * noise + 0.02 * slow, 0.0, 1.0)
        case "latency":
            return 0.05 * busy * np.exp(0.15 * noise + 0.05 * slow)
        case "requests_total":
            return np.cumsum(random.poisson(np.maximum(60.0 * 40.0 * busy, 0.0))).astype(float)
        case "memory":
            return 6e9 + 2e8 * slow + 3e8 * (minutes % 360) / 360.0  # a sawtooth of six hours
        case "queue":
            return random.poisson(np.maximum(3.0 * busy, 0.0)).astype(float)
        case "errors":
            return random.poisson(0.05, n).astype(float)  # mostly none
        case "temperature":
            return np.round(55.0 + 6.0 * np.sin((minutes - 500) / DAY * 2 * np.pi) + noise)
        case _:
            return np.round(np.maximum(200.0 * busy + 8.0 * slow + random.standard_t(3, n) * 4.0, 0.0))


def estate(machines: int, days: int, seed: int) -> tuple[dict[int, SeriesInfo], Topology, Floats, Floats]:
    """Series by id, the graph, minutes, and values of shape (minutes, series)."""
    random = np.random.default_rng(seed)
    minutes = np.arange(days * DAY, dtype=float)
    infos, items, columns = {}, [], []
    for m in range(machines):
        item = Item(item_id("host", f"web-{m}"), "host", f"web-{m}")
        items.append(item)
        day = 1.0 + random.uniform(0.1, 0.6) * np.sin((minutes / DAY + random.uniform()) * 2 * np.pi)
        week = np.where(minutes // DAY % 7 >= 5, random.uniform(0.5, 1.0), 1.0)
        busy = (
            day
            * week
            * np.exp(
                0.05 * np.convolve(random.standard_normal(len(minutes) + 29), np.ones(30) / 5.5, "valid")
            )
        )
        for kind in KINDS:
            unit = {"utilization": "1", "latency": "s", "memory": "By"}.get(kind, "")
            id_ = len(infos) + 1
            infos[id_] = SeriesInfo(
                id_, f"app.{kind}", {"host.name": item.name}, "unknown", unit, "otlp", item.id
            )
            columns.append(series_of(kind, minutes, random, busy))
    return infos, Topology(items), minutes, np.stack(columns, axis=1)
