"""Numbers for people, as Prometheus' templates write them (template/template.go)."""

from __future__ import annotations

import math

from watchkeeper.telemetry.rulefiles.templates.go_text import four_digits

_LARGE, _SMALL = ("k", "M", "G", "T", "P", "E", "Z", "Y"), ("m", "u", "n", "p", "f", "a", "z", "y")


def metric(v: float) -> str:
    """With metric prefixes.

    >>> metric(1234567.0), metric(0.00012)
    ('1.235M', '120u')
    """
    if v == 0 or not math.isfinite(v):
        return four_digits(v)
    prefix = ""
    if abs(v) < 1:
        return _small(v)
    for prefix_of in _LARGE:
        if abs(v) < 1000:
            break
        prefix, v = prefix_of, v / 1000
    return four_digits(v) + prefix


def binary(v: float) -> str:
    """With the prefixes of 1024.

    >>> binary(1048576.0)
    '1Mi'
    """
    if not math.isfinite(v) or abs(v) <= 1:
        return four_digits(v)
    prefix = ""
    for prefix_of in _LARGE:
        if abs(v) < 1024:
            break
        prefix, v = f"{prefix_of}i", v / 1024
    return four_digits(v) + prefix


def percentage(v: float) -> str:
    """A share of 1 as one of 100."""
    return f"{four_digits(v * 100)}%"


def duration(v: float) -> str:
    """Seconds.

    >>> duration(3723.0), duration(0.25)
    ('1h 2m 3s', '250ms')
    """
    if not math.isfinite(v):
        return four_digits(v)
    if v == 0:
        return f"{four_digits(v)}s"
    if abs(v) < 1:
        return f"{_small(v)}s"
    sign, v = ("-", -v) if v < 0 else ("", v)
    minutes, seconds = divmod(int(v), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    return f"{sign}{minutes}m {seconds}s" if minutes else f"{sign}{four_digits(v)}s"


def _small(v: float) -> str:
    prefix = ""
    for prefix_of in _SMALL:
        if abs(v) >= 1:
            break
        prefix, v = prefix_of, v * 1000
    return four_digits(v) + prefix
