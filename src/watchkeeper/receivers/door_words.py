"""What the numbers of a door say, in words for people. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from watchkeeper.receivers.door_lag import LOST

_AT_ONCE_MS = 1000
_SKEW_MS = 1000  # ahead by more than this, a clock is wrong
_WILDCARDS = ("0.0.0.0", "[::]")


def lasting(seconds: float) -> str:
    """A duration in its largest unit.

    >>> lasting(0.04), lasting(1.24), lasting(75), lasting(8000), lasting(400_000)
    ('0.0 s', '1.2 s', '1 min', '2 h', '4 days')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{int(seconds / 86_400)} days"


def arrives(ages: Mapping[str, int]) -> list[str]:
    """How old signals are when they arrive; nothing where none tells when it happened.

    >>> arrives({"count": 9, "p50_ms": 1200, "p95_ms": 4000, "ahead_ms": 30000})
    ['1.2 s after it happened', '95 % within 4.0 s', 'the clock of a sender is 30.0 s ahead']
    """
    if not ages.get("count"):
        return []
    middle, most = ages["p50_ms"], ages["p95_ms"]
    said = ["within a second" if most < _AT_ONCE_MS else f"{lasting(middle / 1000)} after it happened"]
    if most >= _AT_ONCE_MS:
        said.append(f"95 % within {lasting(most / 1000)}")
    if ages["ahead_ms"] > _SKEW_MS:
        said.append(f"the clock of a sender is {lasting(ages['ahead_ms'] / 1000)} ahead")
    return said


def lost(hour: Mapping[str, int]) -> list[str]:
    """What was lost in the last hour, with its share of what was sent; nothing where nothing was.

    >>> lost({"requests": 9997, "rows": 20000, "kernel_drop": 3})
    ['3 datagrams (0.03 %)']
    """
    found: Counter[str] = Counter()
    for reason, what in LOST.items():
        found[what] += hour.get(reason, 0)
    taken = {"datagrams": hour.get("requests", 0), "flows": hour.get("rows", 0)}
    return [
        f"{count} {what if count != 1 else what[:-1]} ({share(count, count + taken[what])})"
        for what, count in found.items()
        if count
    ]


def share(part: int, whole: int) -> str:
    """A part in percent.

    >>> share(1, 3), share(3, 10_000), share(1, 10**9)
    ('33 %', '0.03 %', 'under 0.01 %')
    """
    percent = 100 * part / whole
    if percent < 0.01:
        return "under 0.01 %"
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"


def away(parts: Mapping[str, float]) -> dict[str, str]:
    """For how long parts of a door have not been connected."""
    return {part: lasting(seconds) for part, seconds in parts.items()}


def behind(seconds: float | None) -> str:
    """How far a reader of the journal is; "" when that is not known yet."""
    if seconds is None:
        return ""
    return "within a second" if seconds < 1.5 else lasting(seconds)


def reached(address: str, host: str) -> str:
    """An address of a door as `host` is reached; one that listens everywhere has no host of its own.

    >>> reached("UDP 0.0.0.0:5514", "watch.example.org"), reached("gRPC over TLS 127.0.0.1:4319", "localhost")
    ('UDP watch.example.org:5514', 'gRPC over TLS 127.0.0.1:4319')
    """
    over, _, where = address.rpartition(" ")
    for wildcard in _WILDCARDS:
        where = where.replace(f"{wildcard}:", f"{f'[{host}]' if ':' in host else host}:")
    return f"{over} {where}"
