"""What is foreseen of something that has a limit: the answer of `analysis.forecasts.outlook`, and what a domain keeps."""

from __future__ import annotations

import msgspec


class Line(msgspec.Struct, frozen=True):
    """Points of a chart, in seconds from the last measurement (negative: before it)."""

    at: tuple[float, ...] = ()
    value: tuple[float, ...] = ()
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()


class Outlook(msgspec.Struct, frozen=True):
    """When `limit` is reached, in seconds from the last measurement: None is not within `reach`, 0 is already. `why` says
    what is missing when nothing can be foreseen. `grew`: a day, over the last two weeks. `error`: of a backtest, in the unit
    of the values, with that of the seasonal naive forecast beside it."""

    now: float
    limit: float
    why: str = ""
    earliest: float | None = None
    median: float | None = None
    latest: float | None = None
    reach: float = 0.0
    level: float = 0.9
    grew: float = 0.0
    seasons: tuple[float, ...] = ()
    methods: tuple[str, ...] = ()
    tried: int = 0
    error: float | None = None
    naive_error: float | None = None
    past: Line = Line()
    ahead: Line = Line()
