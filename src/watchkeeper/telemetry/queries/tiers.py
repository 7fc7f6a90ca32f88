"""Which table knows the values of series at a time: samples while they are kept, then five minutes of them, then
hours. Pure; how long each is kept is passed in, as `telemetry.retention.oldest` says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from watchkeeper.telemetry.queries.window import Window


class Tier(NamedTuple):
    """A table, and over how long each of its rows goes, in milliseconds; 0: a row is a sample."""

    table: str
    step_ms: int


SAMPLES = Tier("samples", 0)
ROLLED = (Tier("samples_5m", 300_000), Tier("samples_1h", 3_600_000))
TIERS = (SAMPLES, *ROLLED)  # from fine to coarse


def tier_for(at_ms: int, oldest_ms: Mapping[str, int]) -> Tier:
    """The finest that still has what was at this time; the coarsest when none has. `oldest_ms`: table → how far back
    its rows are kept.

    >>> tier_for(5, {"samples": 8, "samples_5m": 4, "samples_1h": 0}).table
    'samples_5m'
    """
    return next((tier for tier in TIERS if oldest_ms.get(tier.table, 0) <= at_ms), TIERS[-1])


def step_for(window: Window, buckets: int, oldest_ms: Mapping[str, int]) -> int:
    """The width of buckets that every tier of the window can fill, in milliseconds."""
    return max(window.step_ms(buckets), tier_for(window.from_ms, oldest_ms).step_ms)


def stretches(window: Window, step_ms: int, oldest_ms: Mapping[str, int]) -> Iterator[tuple[Tier, Window]]:
    """The window cut where a finer tier begins, at the beginning of a bucket; from old to new.

    >>> hour = 3_600_000
    >>> kept = {"samples": 8 * hour, "samples_5m": 4 * hour, "samples_1h": 0}
    >>> [(t.table, w.from_ms / hour, w.to_ms / hour) for t, w in stretches(Window(hour + 5, 20 * hour), hour, kept)]
    [('samples_1h', 1.0, 4.0), ('samples_5m', 4.0, 8.0), ('samples', 8.0, 20.0)]
    """
    begin = window.from_ms
    for tier, finer in ((ROLLED[1], ROLLED[0]), (ROLLED[0], SAMPLES), (SAMPLES, None)):
        end = window.to_ms
        if finer is not None:
            end = min(end, -(-oldest_ms.get(finer.table, 0) // step_ms) * step_ms)
        if begin < end:  # with the row that the first moment lies in
            yield tier, Window(begin // tier.step_ms * tier.step_ms if tier.step_ms else begin, end)
            begin = end
