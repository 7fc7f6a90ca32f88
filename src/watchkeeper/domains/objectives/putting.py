"""How objectives are put: what their budget counts, and which burn rates are an alert (Google, The Site Reliability
Workbook, chapter 5). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Method(StrEnum):
    """What the budget counts, in OpenSLO's words."""

    OCCURRENCES = "Occurrences"  # events
    TIMESLICES = "Timeslices"  # slices of time, each good or bad
    RATIO_TIMESLICES = "RatioTimeslices"  # slices of time, each as good as its share of good events


@dataclass(frozen=True, slots=True)
class BurnRule:
    """An alert when the budget goes more than `rate` times as fast as the objective allows, over a long and over a short
    window (seconds): the long one says that it matters, the short one that it goes on."""

    rate: float
    long_s: int
    short_s: int
    severity: str


#: 2, 5, 10 and 10 % of a month's budget in 1 hour, 6 hours, 1 day and 3 days
USUAL = (
    BurnRule(14.4, 3600, 300, "critical"),
    BurnRule(6.0, 6 * 3600, 1800, "critical"),
    BurnRule(3.0, 86_400, 2 * 3600, "warning"),
    BurnRule(1.0, 3 * 86_400, 6 * 3600, "warning"),
)
