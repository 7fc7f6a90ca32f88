"""Public holidays of countries and their parts, from the library `holidays`: computed, without asking anybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping


class Unknown(ValueError):
    """No such country or part; the message names what there is."""


def of(code: str) -> Mapping[dt.date, str]:
    """The holidays of a country or a part of one, by their day. A year is computed when it is first asked for; ask by
    `in`. Raises Unknown.

    >>> dt.date(2026, 1, 6) in of("DE-BY"), dt.date(2026, 1, 6) in of("DE"), dt.date(2031, 12, 25) in of("GB")
    (True, False, True)
    """
    import holidays  # here, as it computes calendars when it is loaded

    country, _, part = code.strip().upper().partition("-")
    parts = holidays.list_supported_countries().get(country)
    if parts is None:
        raise Unknown(f"{code!r} is not a country such as DE, or a part of one such as DE-BY")
    if part and part not in parts:
        there = f"; there are {', '.join(parts)}" if parts else ""
        raise Unknown(f"{country} has no part {part!r}{there}")
    return holidays.country_holidays(country, subdiv=part or None)
