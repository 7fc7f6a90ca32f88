"""The numbers of a panel: its queries, filled in and asked, as lines over evenly spaced steps."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from watchkeeper.domains.dashboards import filling
from watchkeeper.domains.dashboards.definition import Panel, Query
from watchkeeper.domains.dashboards.filling import ALL, Chosen
from watchkeeper.telemetry import promql
from watchkeeper.telemetry.queries.requests import requests
from watchkeeper.telemetry.queries.window import Window
from watchkeeper.telemetry.store import Store

LINES = 60  # of one panel
_LIMITS = promql.Limits(seconds=10.0, series=5_000, samples=5_000_000, cells=2_000_000)
_LEGEND = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_LEAST_RATE_S = 120  # of rate_interval: four samples of a sender that sends every 30 seconds


class Line(msgspec.Struct, frozen=True):
    """One series: a value for every step, None where there is none."""

    name: str
    labels: dict[str, str]
    values: list[float | None]


class Numbers(msgspec.Struct, frozen=True):
    """Lines from `start_ms` on, a value every `step_ms`. `of` is how many series there are, shown or not."""

    start_ms: int
    step_ms: int
    lines: list[Line]
    of: int


def measured(store: Store, panel: Panel, chosen: Chosen, window: Window, points: int) -> Numbers:
    """All queries of a panel over the window, in about `points` steps. Raises QueryError and TelemetryError."""
    step = max(1000, window.step_ms(points))
    start, end = -(-window.from_ms // step) * step, window.to_ms // step * step
    known = {**chosen, **_lengths(window, step)}
    # Lines stay where they are when the time moves on; where the last value counts, it is that of the end.
    shift = 0 if panel.kind == "lines" else window.to_ms - end
    lines: list[Line] = []
    for query in panel.queries:
        if query.spans:
            lines += _of_spans(store, query, known, start, end, step)
        else:
            lines += _of_promql(store, query, known, start + shift, end + shift, step)
    return Numbers(start + shift, step, lines[:LINES], len(lines))


def _lengths(window: Window, step: int) -> dict[str, list[str]]:
    """The names that every query may use, as PromQL writes lengths of time."""
    seconds = step // 1000
    lengths = {
        "step": seconds, "range": (window.to_ms - window.from_ms) // 1000,
        "rate_interval": max(_LEAST_RATE_S, 4 * seconds),
    }  # fmt: skip
    return {name: [f"{max(1, length)}s"] for name, length in lengths.items()}


def _of_promql(store: Store, query: Query, known: Chosen, start: int, end: int, step: int) -> Iterator[Line]:
    text = filling.promql(query.promql, known)
    found = promql.query_range(store, text, start, max(start, end), step, limits=_LIMITS)
    shared = _shared([line.labels for line in found])
    for line in found:
        values = _spread(line.times_ms, line.values, start, end, step)
        yield Line(_named(query.legend, dict(line.labels), shared, text), dict(line.labels), values)


def _of_spans(store: Store, query: Query, known: Chosen, start: int, end: int, step: int) -> Iterator[Line]:
    name = query.service.removeprefix("$").strip("{}")
    services = known.get(name, [query.service]) if query.service else []
    of = [] if ALL in services else [s for s in services if s]
    for one in requests(store, Window(start, end), step, of=of):
        values = _spread(one.times_ms, getattr(one, query.spans), start, end, step)
        if query.spans == "rate":  # nobody asked anything: that is a rate of none, not a gap
            first = next((i for i, v in enumerate(values) if v is not None), 0)
            whole = len(values) - 1  # the last step has only begun
            values = [0.0 if v is None and first <= i < whole else v for i, v in enumerate(values)]
        labels = {"service": one.service}
        yield Line(_named(query.legend, labels, set(), one.service), labels, values)


def _spread(
    times: Sequence[int], values: Sequence[float], start: int, end: int, step: int
) -> list[float | None]:
    out: list[float | None] = [None] * ((max(start, end) - start) // step + 1)
    for at, value in zip(times, values, strict=True):
        if 0 <= (i := (at - start) // step) < len(out) and math.isfinite(value):
            out[i] = value
    return out


def _shared(labels: Sequence[Any]) -> set[str]:
    """Labels that tell nothing apart: the same in all of several series."""
    if len(labels) < 2:
        return set()
    return {k for k, v in labels[0].items() if all(one.get(k) == v for one in labels)}


def _named(legend: str, labels: dict[str, str], shared: set[str], text: str) -> str:
    """As the legend says, else by what tells the series apart.

    >>> _named("{{host.name}} {{way}}", {"host.name": "a", "way": "in"}, set(), "")
    'a in'
    >>> _named("", {"__name__": "up", "job": "a"}, {"__name__"}, "up")
    'a'
    """
    if legend:
        return _LEGEND.sub(lambda m: labels.get(m[1], ""), legend).strip() or text
    own = [v for k, v in sorted(labels.items()) if k not in shared and k != "__name__"]
    return " ".join(own) or labels.get("__name__", "") or text
