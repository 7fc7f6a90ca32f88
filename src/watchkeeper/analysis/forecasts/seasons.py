"""Which periods a series has, found in its autocorrelation: the calendar's are tried first (an hour, a day, a week), then
the highest hills. As in AUTOPERIOD (Vlachos, Yu, Castelli, SDM 2005) a period counts when it is a hill of the
autocorrelation and not only a line of the spectrum; and it has to explain what a shorter one leaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.forecasts.gaps import held

Array = NDArray[np.float64]
CYCLES = 2.0  # that have to be seen
ALIKE = 0.3  # correlation of a cycle with the next
MOST = 2  # periods of a series
ROUNDED = (
    1e-6  # of the series' range: less than that around its trend is how numbers are rounded, and no season
)
CALENDAR = (3600.0, 86_400.0, 604_800.0)  # seconds


def seasons(values: Array, step: float = 0.0) -> tuple[int, ...]:
    """Periods in rows, the shorter first; `step` is the seconds between rows, 0 when they have no time.

    >>> t = np.arange(24 * 21)
    >>> seasons(np.sin(t / 24 * 2 * np.pi) + (t % 168 < 48), 3600.0)
    (24, 168)
    >>> seasons(0.9 - np.arange(336)[::-1] * 0.011 / 24, 3600.0)
    ()
    """
    x = held(values)
    n = len(x)
    if n < 12 or not np.isfinite(x).all():
        return ()
    rest = _steady(x)
    if np.ptp(rest) <= ROUNDED * np.ptp(x):
        return ()
    found: list[int] = []
    calendar = [round(c / step) for c in CALENDAR] if step else []
    for period in [p for p in calendar if p >= 4 and p * CYCLES <= n]:
        if _alike(rest, period) >= ALIKE:
            rest = rest - _profile(rest, period)
            found.append(period)
    if not found and (period := _hill(rest)):
        found.append(period)
    return tuple(found[-MOST:])


def _steady(x: Array) -> Array:
    """Without its trend and with its outliers held back, so that neither looks like a season."""
    n = len(x)
    t = np.arange(n, dtype=float)
    pieces = np.array_split(np.arange(n), min(n, 12))
    centres = np.array([t[p].mean() for p in pieces])
    line = np.polyfit(centres, [np.median(x[p]) for p in pieces], 1)
    rest = x - np.polyval(line, t)
    spread = np.median(np.abs(rest - np.median(rest))) or rest.std()
    middle = np.median(rest)
    return np.asarray(np.clip(rest - middle, -6 * spread, 6 * spread))


def _alike(x: Array, period: int) -> float:
    """Correlation of the series with itself a period before, less that of half a period, which a trend has too."""
    full = _correlation(x, period)
    return full if full > _correlation(x, period // 2) + 0.05 else 0.0


def _correlation(x: Array, lag: int) -> float:
    a, b = x[lag:], x[:-lag]
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0


def _profile(x: Array, period: int) -> Array:
    """What a cycle looks like, over the whole series; the last row ends a cycle."""
    whole = len(x) // period
    one = np.median(x[len(x) - whole * period :].reshape(whole, period), axis=0)
    return np.asarray(np.tile(one, whole + 1)[-len(x) :])


def _hill(x: Array) -> int:
    """The lag of the highest hill of the autocorrelation behind its first valley; 0: there is none."""
    n = len(x)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(x - x.mean(), size)
    r = np.fft.irfft(spectrum * np.conj(spectrum), size)[: int(n / CYCLES) + 1]
    if r[0] <= 0:
        return 0
    r = r / r[0] * n / (n - np.arange(len(r)))
    below = np.flatnonzero(r < 0)
    if not len(below):
        return 0
    inner = r[1:-1]
    hills = np.flatnonzero((inner >= r[:-2]) & (inner > r[2:])) + 1
    hills = hills[(hills > below[0]) & (hills >= 4)]
    if not len(hills):
        return 0
    best = float(r[hills].max())
    if best < ALIKE:
        return 0
    lag = int(hills[r[hills] >= 0.9 * best][0])  # the first of those about as high: not two cycles for one
    return lag if _alike(x, lag) >= ALIKE else 0
