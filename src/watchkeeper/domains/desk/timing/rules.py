"""What a timer comes to. Pure."""

from __future__ import annotations

import datetime as dt


def minutes_between(begins: dt.datetime, ends: dt.datetime) -> int:
    """Whole minutes, the last one as if it had ended; at least 1.

    >>> at = dt.datetime(2026, 1, 1, 8, tzinfo=dt.UTC)
    >>> minutes_between(at, at), minutes_between(at, at + dt.timedelta(seconds=61))
    (1, 2)
    """
    seconds = max(0.0, (ends - begins).total_seconds())
    return max(1, -int(-seconds // 60))
