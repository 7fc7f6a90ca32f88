"""Spans of time and amounts with units, as a person would say them."""

from __future__ import annotations

_SPANS = ((86_400.0, "day"), (3600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def span(seconds: float) -> str:
    """In the largest unit of which there are at least two, whole.

    >>> span(777_600), span(100_000), span(90), span(1)
    ('9 days', '28 hours', '90 seconds', '1 second')
    """
    for size, name in _SPANS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}s"
    count = round(seconds)
    return f"{count} second" if count == 1 else f"{count} seconds"


def amount(value: float, unit: str) -> str:
    """A value with its unit: shares in per cent, bytes in the multiple that fits, UCUM's annotations in words.

    >>> amount(0.914, "1"), amount(2_254_857_830, "By"), amount(12, "{seat}"), amount(3.14159, "s")
    ('91.4 %', '2.1 GiB', '12 seats', '3.14 s')
    """
    if unit == "1":
        return f"{round(value * 100, 3):.3g} %"
    if unit == "By":
        return _bytes(value)
    if unit.startswith("{") and unit.endswith("}"):
        name = unit[1:-1].replace("_", " ")
        return f"{_plain(value)} {name}{'' if value == 1 or name.endswith('s') else 's'}"
    return f"{_plain(value)} {unit}".strip()


def _bytes(value: float) -> str:
    for name in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < 1024:
            return f"{value:.3g} {name}" if abs(value) < 100 else f"{value:.0f} {name}"
        value /= 1024
    return f"{value:.3g} PiB"


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{round(value, 6):.3g}"
