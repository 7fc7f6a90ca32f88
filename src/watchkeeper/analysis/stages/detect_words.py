"""The words of findings: metrics, numbers and times as an operator says them; which change is worth words.

Knows units (UCUM, as OpenTelemetry and Prometheus write them), no metric by its name.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from watchkeeper.analysis.detectors.drift import Drifting
from watchkeeper.analysis.pipeline import SeriesInfo

_PREFIX = re.compile(r"^(system|node|process|container|k8s)[._]")
_SUFFIX = re.compile(r"[._](total|bytes|seconds|ratio|percent)$")
_UPPER = {"cpu": "CPU", "io": "I/O", "http": "HTTP", "tcp": "TCP", "udp": "UDP", "dns": "DNS", "rpc": "RPC"}
_ONLY_MORE_IS_BAD = re.compile(
    r"utili[sz]ation|usage|used|latency|duration|error|fail|dropped|lag|pending|queue|wait|load|time|temperature"
    r"|contacted|retr(y|ies|ans)|reject|evict|thrott|paging|swap|\bgc\b|thread|descriptor|memory|heap|buffer|cache"
)
_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_SIZES = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"))
_COUNTS = ((1e9, "G"), (1e6, "M"), (1e4, "k"))
_SHOWN_LABELS = 2
_SUFFIXES = {"bytes": "By", "seconds": "s", "ratio": "1", "percent": "%"}  # as Prometheus writes units


def unit_of(info: SeriesInfo) -> str:
    """The unit, from the name where it is not declared: By, s, ms, 1 (a share), % or what was declared.

    >>> unit_of(SeriesInfo(1, "http_request_duration_seconds", {}, "gauge", "", "prometheus"))
    's'
    """
    if info.unit:
        return _SUFFIXES.get(info.unit, info.unit)
    for suffix, unit in _SUFFIXES.items():
        if re.search(rf"[._]{suffix}([._]total)?$", info.name):
            return unit
    return ""


def metric(info: SeriesInfo) -> str:
    """What is measured, in words, with up to two labels that tell it from its likes.

    >>> labels = {"cpu.mode": "user", "host.name": "a"}
    >>> metric(SeriesInfo(1, "system.cpu.utilization", labels, "gauge", "1", ""))
    'CPU utilization (user)'
    """
    words = re.split(r"[._]+", _SUFFIX.sub("", _PREFIX.sub("", info.name)))
    text = " ".join(_UPPER.get(w, w) for w in words if w) or info.name
    own = [v for k, v in sorted(info.labels.items()) if not _says_where(k)][:_SHOWN_LABELS]
    return text[:1].upper() + text[1:] + (f" ({', '.join(own)})" if own else "")


def _says_where(label: str) -> bool:
    return label.startswith(("host", "service.", "k8s.", "cloud.", "telemetry.", "__")) or label in {
        "instance", "job", "pod", "namespace", "node", "cluster", "nodename", "container", "monitor", "replica",
    }  # fmt: skip


def quantity(value: float, unit: str, per_second: bool = False) -> str:
    """A number with its unit, short.

    >>> quantity(0.97, "1"), quantity(3 * 1024**3, "By"), quantity(0.0123, "s"), quantity(41.26, "")
    ('97 %', '3 GiB', '12.3 ms', '41.3')
    """
    after = "/s" if per_second else ""
    if unit in ("1", "%") and not per_second:
        return f"{_short(value * 100 if unit == '1' else value)} %"
    if unit == "By":
        for size, name in _SIZES:
            if abs(value) >= size:
                return f"{_short(value / size)} {name}{after}"
        return f"{_short(value)} B{after}"
    if unit in ("s", "ms", "us", "ns") and not per_second:
        seconds = value * {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[unit]
        if abs(seconds) < 1:
            return f"{_short(seconds * 1e3)} ms"
        return f"{_short(seconds)} s" if abs(seconds) < 7200 else f"{_short(seconds / 3600)} h"
    word = unit.strip("{}")
    if word and unit.startswith("{") and abs(value) != 1:
        word += "s"
    for size, name in _COUNTS:
        if abs(value) >= size:
            return f"{_short(value / size)}{name}{' ' + word if word else ''}{after}"
    return f"{_short(value)}{' ' + word if word and word != '1' else ''}{after}"


def _short(value: float) -> str:
    text = f"{value:.3g}"
    return text if "e" not in text else f"{value:.0f}"


def usual(low: float, high: float, unit: str, per_second: bool, below_zero: bool) -> str:
    """A range, the unit once.

    >>> usual(0.12, 0.31, "1", False, False)
    '12 to 31 %'
    """
    low = low if below_zero else max(0.0, low)
    first, last = quantity(low, unit, per_second), quantity(high, unit, per_second)
    number, _, word = first.partition(" ")
    if first == last:
        return f"about {last}"
    return f"{number if word and last.endswith(word) else first} to {last}"


def when(time_ms: int, by_day: bool, by_week: bool) -> str:
    """To what time a range belongs: nothing, the hour, or the hour and the day of week (UTC)."""
    if by_week:
        return f" at this hour on {_DAYS[datetime.fromtimestamp(time_ms / 1000, UTC).weekday()]}"
    return " at this hour" if by_day else ""


def duration(milliseconds: float) -> str:
    """How long, in the largest unit that fits.

    >>> duration(90_000), duration(7_200_000)
    ('90 seconds', '2 hours')
    """
    seconds = milliseconds / 1000
    for size, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size or (name == "hours" and seconds >= 7200):
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} seconds"


def only_more_is_bad(name: str) -> bool:
    """Whether less of this metric is no trouble."""
    return _ONLY_MORE_IS_BAD.search(name.lower()) is not None


def least_change(unit: str, per_second: bool, expected: float, up: bool) -> float:
    """The smallest change from `expected` that is worth an alert, in the metric's unit.

    A share has to change by a fifth of the whole; a size, a time or a count has to double, or to halve, and
    by more than what nobody would notice.

    >>> least_change("1", False, 0.3, True), least_change("{request}", True, 40.0, False)
    (0.2, 20.0)
    """
    if unit == "1" and not per_second:
        return 0.2
    if unit == "%":
        return 20.0
    least = {
        "By": 4 << 20 if per_second else 256 << 20,
        "s": 0.05,
        "ms": 50.0,
        "{message}": 30.0,
        "{address}": 20.0,
        "{port}": 20.0,
        "bit": 1.5,
    }
    return max((1.0 if up else 0.5) * abs(expected), float(least.get(unit, 0.0)))


def worth_of_drift(unit: str, per_second: bool, before: float, now: float) -> bool:
    """Whether so slow a change has come far enough to be worth an alert: a share by five points, all else by 15 %.

    >>> worth_of_drift("1", False, 0.40, 0.46), worth_of_drift("By", False, 2.4e9, 2.6e9)
    (True, False)
    """
    points = {"1": 0.05, "%": 5.0}.get(unit)
    least = 0.15 * abs(before) if points is None or per_second else points
    return abs(now - before) >= least


def drifts(d: Drifting, now_ms: int, unit: str, per_second: bool) -> str:
    """How a series drifts: which way, how fast, for how long; and how fast it did before, where that was a fifth of it or
    more.

    >>> drifts(Drifting(1, 12, 0, 2.5e9, 2.6e9, 0.03e9, 0.0), 5 * 86_400_000, "By", False)
    'has risen by 0.8 % a day for 5 days'
    >>> drifts(Drifting(1, 1, 0, 0.4, 0.5, 0.24, 0.12), 10 * 3_600_000, "1", False)
    'has risen by 1 point an hour for 10 hours (0.5 points an hour before)'
    """
    lasted = max(now_ms - d.since_ms, 1)
    hours = 24.0 if lasted >= 2 * 86_400_000 else 1.0
    share = hours * 3_600_000 / lasted
    fast, earlier = (
        _pace(size, hours, d.before, unit, per_second)
        for size in ((d.now - d.before) * share, d.slope_before * hours / 24.0)
    )
    text = f"has {'risen' if d.way > 0 else 'fallen'} by {fast} for {duration(lasted)}"
    return text + (f" ({earlier} before)" if d.slope_before * d.way > 0.2 * abs(d.slope) else "")


def _pace(size: float, hours: float, before: float, unit: str, per_second: bool) -> str:
    """How much in so many hours: a share in points, all else in percent of what it was, unless that was about nothing."""
    each, size = "an hour" if hours == 1.0 else "a day", abs(size)
    if unit in ("1", "%") and not per_second:
        points = _short(size * 100 if unit == "1" else size)
        return f"{points} point{'' if points == '1' else 's'} {each}"
    if 2.0 * abs(before) > size * 24.0 / hours:
        return f"{_short(100 * size / abs(before))} % {each}"
    return f"{quantity(size, unit, per_second)} {each}"
