"""Functions of one value at a time: arithmetic, trigonometry, clamps, and dates of Unix times in UTC."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from watchkeeper.telemetry.promql.values import Flags, Floats, Whole

OneOf = Callable[[Floats], Floats]
Times = NDArray[np.datetime64]


def _sign(values: Floats) -> Floats:
    return np.where(np.isnan(values), np.nan, np.sign(values))


MATHS: dict[str, OneOf] = {
    "abs": np.abs, "ceil": np.ceil, "floor": np.floor, "exp": np.exp, "sqrt": np.sqrt, "ln": np.log,
    "log2": np.log2, "log10": np.log10, "sgn": _sign, "deg": np.degrees, "rad": np.radians,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh,
}  # fmt: skip


def rounded(values: Floats, to: Floats) -> Floats:
    """To the nearest multiple of `to`, halves upward."""
    inverse = 1.0 / to
    out: Floats = np.floor(values * inverse + 0.5) / inverse
    return out


def clamped(values: Floats, least: Floats, most: Floats) -> Floats:
    """Not less than `least`, not more than `most`."""
    out: Floats = np.maximum(least, np.minimum(most, values))
    return out


def _dated(part: Callable[[Times], Whole]) -> OneOf:
    """A part of the date, NaN for what is no time."""

    def of(values: Floats) -> Floats:
        sound: Flags = np.isfinite(values) & (np.abs(values) < 1e11)
        seconds = np.where(sound, values, 0.0).astype(np.int64).astype("datetime64[s]")
        return np.where(sound, part(seconds).astype(np.float64), np.nan)

    return of


def _since(seconds: Times, unit: str, each: str) -> Whole:
    """How many times `each` has passed since the beginning of the `unit`."""
    out: Whole = (seconds.astype(f"datetime64[{each}]") - seconds.astype(f"datetime64[{unit}]")).astype(
        np.int64
    )
    return out


def _month_length(seconds: Times) -> Whole:
    month = seconds.astype("datetime64[M]")
    out: Whole = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64)
    return out


DATES: dict[str, OneOf] = {
    "minute": _dated(lambda s: _since(s, "h", "m")),
    "hour": _dated(lambda s: _since(s, "D", "h")),
    "day_of_week": _dated(lambda s: (s.astype("datetime64[D]").astype(np.int64) + 4) % 7),
    "day_of_month": _dated(lambda s: _since(s, "M", "D") + 1),
    "day_of_year": _dated(lambda s: _since(s, "Y", "D") + 1),
    "days_in_month": _dated(_month_length),
    "month": _dated(lambda s: _since(s, "Y", "M") + 1),
    "year": _dated(lambda s: s.astype("datetime64[Y]").astype(np.int64) + 1970),
}
