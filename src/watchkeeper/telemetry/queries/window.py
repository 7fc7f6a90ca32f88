"""A span of time and how to cut it into buckets that stay where they are when the span moves on."""

from __future__ import annotations

import msgspec

LIMIT = 10.0  # seconds, of a question that a screen waits for
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


class Window(msgspec.Struct, frozen=True):
    """From `from_ms`, included, to `to_ms`, not included."""

    from_ms: int
    to_ms: int

    def step_ms(self, buckets: int) -> int:
        """Width of the buckets, a round number, so that there are at most about `buckets` of them.

        >>> Window(0, 3_600_000).step_ms(100)
        60000
        """
        least = max(1, self.to_ms - self.from_ms) / 1000 / max(1, buckets)
        for step in _STEPS_S:
            if step >= least:
                return step * 1000
        return -(-int(least) // 86_400) * 86_400_000

    def starts(self, buckets: int) -> range:
        """Where the buckets begin, in milliseconds."""
        step = self.step_ms(buckets)
        return range(self.from_ms // step * step, max(self.to_ms, self.from_ms + 1), step)


def between(column: str, unit: str = "Milli") -> str:
    """The condition that a time column lies in the window whose bounds are bound as from_ms and to_ms."""
    low, high = (
        f"fromUnixTimestamp64Milli({{{name}:Int64}}, 'UTC')"
        if unit == "Milli"
        else f"fromUnixTimestamp64Nano({{{name}:Int64}} * 1000000, 'UTC')"
        for name in ("from_ms", "to_ms")
    )
    return f"{column} >= {low} AND {column} < {high}"
