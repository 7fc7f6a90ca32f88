"""What a request gives, as values: times, lengths of time, selectors."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import replace

from django.http import QueryDict

from watchkeeper.telemetry.promql import BadQuery, Limits, duration_ms, matchers
from watchkeeper.telemetry.queries.series import Matcher

_LATEST_MS = 253_402_300_799_000  # the end of the year 9999
_FRACTION = re.compile(r"\.(\d{6})\d+")  # finer than Python's times
MOST = 10_000  # names, values or series in one answer


def text(given: QueryDict, name: str) -> str:
    """A parameter that has to be there. Raises BadQuery."""
    found = given.get(name)
    if not found:
        raise BadQuery(f'invalid parameter "{name}": it is missing')
    return found


def time_ms(given: QueryDict, name: str, default: int | None = None) -> int:
    """A time in Unix ms, given as seconds or as RFC 3339. Raises BadQuery, also when it is missing and has no default."""
    found = given.get(name)
    if not found and default is not None:
        return default
    found = text(given, name)
    ms = _number(found)
    if ms is None:
        try:
            at = dt.datetime.fromisoformat(_FRACTION.sub(r".\1", found))
        except ValueError as error:
            raise BadQuery(
                f'invalid parameter "{name}": cannot parse {found!r} to a valid timestamp'
            ) from error
        ms = (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp()
    if not math.isfinite(ms) or abs(ms * 1000) > _LATEST_MS:
        raise BadQuery(f'invalid parameter "{name}": {found} is out of range')
    return round(ms * 1000)


def length_ms(given: QueryDict, name: str) -> int:
    """A length of time in ms, given as seconds or as PromQL writes it. Raises BadQuery."""
    found = text(given, name)
    seconds = _number(found)
    if seconds is None:
        return duration_ms(found)
    if not math.isfinite(seconds) or abs(seconds * 1000) > _LATEST_MS:
        raise BadQuery(f'invalid parameter "{name}": {found} is out of range')
    return round(seconds * 1000)


def limits(given: QueryDict) -> Limits:
    """The limits, with a shorter time when `timeout` asks for one. Raises BadQuery."""
    least = Limits()
    if not given.get("timeout"):
        return least
    wanted = length_ms(given, "timeout") / 1000
    return replace(least, seconds=min(least.seconds, wanted))


def selectors(given: QueryDict) -> list[tuple[Matcher, ...]]:
    """The selectors of `match[]`. Raises BadQuery."""
    return [matchers(one) for one in given.getlist("match[]")]


def most(given: QueryDict) -> int:
    """How many may be answered: `limit`, where it is given and not 0. Raises BadQuery."""
    found = given.get("limit", "0")
    if not found.isdecimal() or len(found) > 9:
        raise BadQuery(f'invalid parameter "limit": {found!r} is not a whole number')
    return min(MOST, int(found) or MOST)


def _number(found: str) -> float | None:
    try:
        return float(found) if "_" not in found else None
    except ValueError:
        return None
