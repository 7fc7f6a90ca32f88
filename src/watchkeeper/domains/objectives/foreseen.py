"""When a budget will be spent, as what was foreseen says: kept with the objective, in words and as a line of its chart."""

from __future__ import annotations

import datetime as dt

from watchkeeper.domains.objectives.models import Standing
from watchkeeper.model.outlook import Outlook
from watchkeeper.model.spelled import span


def keep(kept: Standing, outlook: Outlook | None, now: dt.datetime) -> None:
    """Set what is foreseen. Without an outlook there is nothing to foresee: the budget is spent, or nothing was taken
    from it."""

    def at(seconds: float | None) -> dt.datetime | None:
        return None if seconds is None else now + dt.timedelta(seconds=seconds)

    kept.expected_at, kept.earliest_at, kept.latest_at, kept.foreseen = None, None, None, ""
    kept.chart = {k: v for k, v in kept.chart.items() if k != "ahead"}
    if outlook is None:
        return
    kept.expected_at, kept.earliest_at, kept.latest_at = (
        at(outlook.median),
        at(outlook.earliest),
        at(outlook.latest),
    )
    kept.foreseen = sentence(outlook, now)
    if outlook.ahead.at:
        now_ms = int(now.timestamp() * 1000)
        kept.chart["ahead"] = {
            "at": [now_ms + int(s * 1000) for s in outlook.ahead.at],
            **{n: [round(1 - v, 6) for v in getattr(outlook.ahead, n)] for n in ("value", "lower", "upper")},
        }


def sentence(outlook: Outlook, now: dt.datetime) -> str:
    """Such as "At this pace the budget is used up on 12 December (between 9 and 20 December)."

    >>> sentence(Outlook(0.5, 1.0, "", 86400, 2 * 86400, None, 9 * 86400), dt.datetime(2026, 12, 10))
    'At this pace the budget is used up on 12 December (on 11 December at the earliest).'
    """
    if outlook.why:
        return f"When the budget will be used up is not known yet: {outlook.why[0].lower()}{outlook.why[1:]}"
    ahead = span(outlook.reach)
    if outlook.median is None and outlook.earliest is None:
        return f"At this pace the budget is not used up within {ahead}."
    early, late = (_day(now, s) for s in (outlook.earliest, outlook.latest))
    if outlook.median is None:
        return f"At this pace the budget lasts; it may be used up on {early} at the earliest."
    day = _day(now, outlook.median)
    if early == day == late:
        return f"At this pace the budget is used up on {day}."
    around = f"between {early} and {late}" if late else f"on {early} at the earliest"
    return f"At this pace the budget is used up on {day} ({around})."


def _day(now: dt.datetime, seconds: float | None) -> str:
    if seconds is None:
        return ""
    at = now + dt.timedelta(seconds=seconds)
    return f"{at.day} {at:%B}"
