"""Numbers as Prometheus writes them."""

from __future__ import annotations

from collections.abc import Iterable

_ODD = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}


def written(value: float) -> str:
    """The shortest decimal that is this number, without an exponent where that is readable.

    >>> [written(x) for x in (1.0, 0.25, float("nan"), float("-inf"), 1e20)]
    ['1', '0.25', 'NaN', '-Inf', '100000000000000000000']
    """
    text = repr(value)
    if text.endswith(".0"):
        return text[:-2]
    if "e" in text:
        return f"{value:.0f}" if abs(value) >= 1 and abs(value) < 1e21 else text
    return _ODD.get(text, text)


def all_written(values: Iterable[float]) -> list[str]:
    """Each of them; most are plain decimals, which need no second look."""
    return [
        (text[:-2] if text.endswith(".0") else text)
        if text[-1].isdigit() and "e" not in text
        else written(float(text))
        for text in map(repr, values)
    ]
