"""How people found what was done, by month."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Avg, Count, Q, QuerySet
from django.db.models.functions import TruncMonth

from watchkeeper.domains.portal.models import Survey


@dataclass(frozen=True, slots=True)
class Month:
    """The month that begins on `first`: how many were asked and answered in it, and the mean of their scores, 1 to 5."""

    first: dt.date
    asked: int
    answered: int
    mean: float | None


def by_month(surveys: QuerySet[Survey], months: int = 12) -> list[Month]:
    """The latest months in which somebody was asked (in UTC), the newest first."""
    counted = (
        surveys.order_by()
        .annotate(month=TruncMonth("asked_at", tzinfo=dt.UTC))
        .values("month")
        .annotate(asked=Count("pk"), answered=Count("pk", filter=Q(score__isnull=False)), mean=Avg("score"))
        .order_by("-month")[:months]
    )
    return [Month(row["month"].date(), row["asked"], row["answered"], row["mean"]) for row in counted]
