"""What is left of an error budget over its window, and what is expected of it, as the console's chart takes it."""

from __future__ import annotations

from typing import Any

from watchkeeper.domains.objectives.models import ServiceLevelObjective


def of(objective: ServiceLevelObjective) -> dict[str, Any]:
    """Shares of the budget over Unix milliseconds; marks are what planned maintenance leaves out."""
    kept = objective.standing_or_none()
    chart = kept.chart if kept else {}
    left = [list(p) for p in zip(chart.get("at", ()), chart.get("left", ()), strict=True)]
    ahead = chart.get("ahead")
    series = [{"name": "budget left", "points": left}]
    answer: dict[str, Any] = {"unit": "1", "limit": 0, "series": series}
    if ahead and left:
        at = ahead["at"]
        series.append(
            {"name": "expected", "points": [left[-1], *map(list, zip(at, ahead["value"], strict=True))]}
        )
        answer["band"] = [list(p) for p in zip(at, ahead["upper"], ahead["lower"], strict=True)]
    answer["marks"] = [
        {"from": a, "to": b, "text": "planned maintenance"} for a, b in chart.get("excluded", ())
    ]
    return answer
