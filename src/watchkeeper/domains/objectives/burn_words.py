"""Burn rates that are an alert, as people write them: one a line, `14.4 over 1h and 5m: critical`. Pure."""

from __future__ import annotations

import re

from watchkeeper.domains.objectives.putting import USUAL, BurnRule

SEVERITIES = ("critical", "error", "warning", "info")
_LINE = re.compile(r"(\d+(?:\.\d+)?) over (\d+)([mhd]) and (\d+)([mhd]): *([a-z]+)")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400}
LONGEST_S = 4 * 86_400


class Unreadable(ValueError):
    """Not such a line; the message says what was expected."""


def read(text: str) -> tuple[BurnRule, ...]:
    """The rules of these lines. Raises Unreadable.

    >>> read("14.4 over 1h and 5m: critical")[0].long_s, read("")
    (3600, ())
    """
    return tuple(
        _rule(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()
    )


def _rule(number: int, line: str) -> BurnRule:
    match = _LINE.fullmatch(line)
    if match is None:
        raise Unreadable(f"line {number}: not a burn rate such as '14.4 over 1h and 5m: critical'")
    rate, long, long_unit, short, short_unit, severity = match.groups()
    found = BurnRule(
        float(rate), int(long) * _SECONDS[long_unit], int(short) * _SECONDS[short_unit], severity
    )
    if severity not in SEVERITIES:
        raise Unreadable(f"line {number}: {severity!r} is none of {', '.join(SEVERITIES)}")
    if found.rate <= 0 or not 60 <= found.short_s < found.long_s:
        raise Unreadable(
            f"line {number}: the first window is the longer one, the second at least 1m, the rate above 0"
        )
    if found.long_s > LONGEST_S:
        raise Unreadable(f"line {number}: a window is at most 4d")
    return found


def write(rules: tuple[BurnRule, ...]) -> str:
    """As `read` takes them."""
    return "\n".join(
        f"{r.rate:g} over {duration(r.long_s)} and {duration(r.short_s)}: {r.severity}" for r in rules
    )


def duration(seconds: int) -> str:
    """In its largest whole unit.

    >>> duration(300), duration(7200), duration(86_400)
    ('5m', '2h', '1d')
    """
    unit = next(u for u in "dhm" if seconds % _SECONDS[u] == 0 or u == "m")
    return f"{seconds // _SECONDS[unit]}{unit}"


def seconds(text: str) -> int:
    """Of a duration such as 5m. Raises Unreadable."""
    match = re.fullmatch(r"(\d+)([mhd])", text)
    if match is None:
        raise Unreadable(f"{text!r} is not a duration such as 5m, 1h or 3d")
    return int(match[1]) * _SECONDS[match[2]]


def usual() -> str:
    """Those that hold unless somebody says otherwise."""
    return write(USUAL)
