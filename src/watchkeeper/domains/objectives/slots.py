"""What was measured, slot by slot, as it is kept: rows of a day each, read as arrays and written back."""

from __future__ import annotations

import datetime as dt

import numpy as np

from watchkeeper.domains.objectives.models import MeasuredDay, ServiceLevelObjective, day_of
from watchkeeper.domains.objectives.rules import Array

DAY_S = 86_400
DAY_MS = DAY_S * 1000


def read(objective: ServiceLevelObjective, from_ms: int, until_ms: int) -> tuple[Array, Array]:
    """Good and all events of the whole slots within this time; NaN where nothing is kept."""
    step = objective.step_s * 1000
    first, last = from_ms // step, until_ms // step
    good, total = (np.full(max(0, last - first), np.nan) for _ in range(2))
    days = objective.days.filter(day__gte=day_of(from_ms), day__lte=day_of(until_ms))
    for day, own_good, own_total in days.values_list("day", "good", "total"):
        begin = _begin(day) // step - first
        low, high = max(0, begin), min(len(good), begin + DAY_MS // step)
        if high > low:
            good[low:high] = np.frombuffer(own_good)[low - begin : high - begin]
            total[low:high] = np.frombuffer(own_total)[low - begin : high - begin]
    return good, total


def write(objective: ServiceLevelObjective, from_ms: int, good: Array, total: Array) -> None:
    """Keep slots from this time on, in the caller's transaction. What they hold replaces what was kept of them."""
    step = objective.step_s * 1000
    per_day = DAY_MS // step
    first = from_ms // step
    rows = []
    for number in range(first // per_day, (first + len(good) - 1) // per_day + 1):
        begin = number * per_day
        low, high = max(first, begin), min(first + len(good), begin + per_day)
        own_good, own_total = read(objective, begin * step, (begin + per_day) * step)
        own_good[low - begin : high - begin] = good[low - first : high - first]
        own_total[low - begin : high - begin] = total[low - first : high - first]
        rows.append(
            MeasuredDay(
                objective=objective,
                day=day_of(begin * step),
                good=own_good.tobytes(),
                total=own_total.tobytes(),
            )
        )
    MeasuredDay.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["objective", "day"], update_fields=["good", "total"]
    )


def forget(objective: ServiceLevelObjective, before_ms: int) -> None:
    """Days that no window reaches any more."""
    objective.days.filter(day__lt=day_of(before_ms)).delete()


def _begin(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()) * 1000
