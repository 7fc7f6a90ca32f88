"""A forecast as lines: times in Unix milliseconds."""

from __future__ import annotations

from typing import Any

from watchkeeper.domains.capacity.models import Forecast


def of(forecast: Forecast) -> dict[str, Any]:
    """{"unit", "limit", "series": what was and what is expected, "band": [[ms, low, high], …]}; a series is empty where
    nothing can be foreseen."""
    told = forecast.chart
    if not told or not told["past"]["at"]:
        return {"unit": forecast.unit, "series": []}
    past, ahead, end = told["past"], told["ahead"], told["end"]

    def line(points: dict[str, Any], values: str) -> list[list[float]]:
        return [[end + at * 1000, v] for at, v in zip(points["at"], points[values], strict=True)]

    last = line(past, "value")[-1]
    return {
        "unit": forecast.unit,
        "limit": forecast.limit,
        "series": [
            {"name": "measured", "points": line(past, "value")},
            {"name": "expected", "points": [last, *line(ahead, "value")]},
        ],
        "band": [[at, low, high] for (at, low), (_, high) in
                 zip(line(ahead, "lower"), line(ahead, "upper"), strict=True)],
    }  # fmt: skip
