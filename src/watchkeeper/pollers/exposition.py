"""Prometheus' text format and OpenMetrics: a body becomes ids, times and values of series.

A line up to its value is looked up by its bytes; only what was not met before is read. A body with a line that is no
sample is refused as a whole, as Prometheus does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from watchkeeper.model.errors import Malformed
from watchkeeper.pollers.exposition_line import Line, read_line

#: gives the id of the series with this name, labels, kind and unit, and declares it when it is new; DROPPED when rules
#: leave it out
Declare = Callable[[str, dict[str, str], str, str], int]
DROPPED = -1
MOST_LINES = 1_000_000  # samples of one body, those that rules leave out among them
_PARTS = {"histogram": ("_bucket", "_count", "_sum"), "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
          "summary": ("_count", "_sum"), "counter": ("_total", "_created"), "info": ("_info",)}  # fmt: skip
_KINDS = {"counter": "counter", "gauge": "gauge", "histogram": "histogram", "summary": "summary", "info": "gauge",
          "stateset": "gauge", "gaugehistogram": "gauge"}  # fmt: skip


class Samples(NamedTuple):
    """Columns of one scrape; a time of 0 is that of the scrape. `added`: how many series it has begun; `scraped`: how many
    samples it told, `left`: how many the rules leave; one that is told twice counts twice."""

    ids: list[int]
    times_ms: list[int]
    values: list[float]
    added: int
    scraped: int
    left: int


class Reader:
    """Reads one target's bodies, and remembers its series. Not for two threads at once."""

    def __init__(self, declare: Declare) -> None:
        self._declare = declare
        self._known: dict[bytes, int] = {}

    def forget(self) -> None:
        """Let every series be declared again."""
        self._known.clear()

    def read(self, body: bytes, *, limit: int, openmetrics: bool = False) -> Samples:
        """The samples of a body. Raises Malformed naming the line, also when there are more than `limit`; and what
        `declare` raises."""
        lines = body.split(b"\n")
        if openmetrics and not body.rstrip().endswith(b"# EOF"):
            raise Malformed("the answer is cut off: it does not end with # EOF")
        found = _Found(self._known, self._declare, lines, openmetrics)
        ids, values = found.ids, found.values
        get, add, put = self._known.get, ids.append, values.append
        for number, line in enumerate(lines, 1):
            if not line or line[0] == 35:  # "#"
                continue
            key, _, text = line.rpartition(b" ")
            series = get(key)
            if series is None:
                found.meet(number, line)
            elif series == DROPPED:
                found.dropped += 1
            else:
                add(series)
                put(_value(text, number))
            if len(ids) > limit:
                raise Malformed(f"more than {limit} samples, which is this job's limit")
            if found.dropped > MOST_LINES:
                raise Malformed(f"more than {MOST_LINES} samples that the rules leave out")
        self._keep(ids, found.dropped)
        return found.samples()

    def _keep(self, ids: list[int], dropped: int) -> None:
        """Forget what is not there any more, before it is more than what is."""
        if len(self._known) > 2 * (len(ids) + dropped) + 1000:
            there = set(ids)
            self._known = {raw: series for raw, series in self._known.items() if series in there}


class _Found:
    """What of a body has been read so far."""

    def __init__(
        self, known: dict[bytes, int], declare: Declare, lines: list[bytes], openmetrics: bool
    ) -> None:
        self.ids: list[int] = []
        self.values: list[float] = []
        self._times: dict[int, int] = {}  # place → time
        self._known, self._declare, self._lines, self._openmetrics = known, declare, lines, openmetrics
        self._kinds: dict[str, tuple[str, str]] | None = None
        self._added = 0
        self.dropped = 0

    def meet(self, number: int, line: bytes) -> None:
        """Take in a line that is not a known series and its value."""
        if not line.strip():
            return
        found = read_line(line, number, self._openmetrics)
        series = self._known.get(found.series)
        if series is None:
            series = self._known[found.series] = self._declare(
                found.name, found.labels, *self._meaning(found)
            )
            self._added += series != DROPPED
        if series == DROPPED:
            self.dropped += 1
            return
        if found.time_ms is not None:
            self._times[len(self.ids)] = found.time_ms
        self.ids.append(series)
        self.values.append(found.value)

    def samples(self) -> Samples:
        """All of it, the first of what is told twice."""
        ids, values, left = self.ids, self.values, len(self.ids)
        times = [0] * len(ids)
        for place, time_ms in self._times.items():
            times[place] = time_ms
        if len(set(zip(ids, times, strict=True))) < len(ids):
            first = {pair: i for i, pair in reversed(list(enumerate(zip(ids, times, strict=True))))}
            places = sorted(first.values())
            ids, values = [ids[i] for i in places], [values[i] for i in places]
            times = [times[i] for i in places]
        return Samples(ids, times, values, self._added, left + self.dropped, left)

    def _meaning(self, line: Line) -> tuple[str, str]:
        """Kind and unit, from what the body says of the family."""
        if self._kinds is None:
            self._kinds = _families(self._lines)
        kind, unit = self._kinds.get(line.name, ("", ""))
        if kind in ("histogram", "summary") or not kind:
            stem, _, suffix = line.name.rpartition("_")
            of, unit_of = self._kinds.get(stem, ("", ""))
            if f"_{suffix}" in _PARTS.get(of, ()):
                grouped = of in ("histogram", "summary")
                return "counter" if grouped else _KINDS.get(of, "unknown"), unit_of
        return _KINDS.get(kind, "unknown"), unit


def _families(lines: list[bytes]) -> dict[str, tuple[str, str]]:
    """Name → the kind and unit that `# TYPE` and `# UNIT` tell."""
    found: dict[str, tuple[str, str]] = {}
    for line in lines:
        if line.startswith((b"# TYPE ", b"# UNIT ")):
            _, what, name, *rest = line.decode("utf-8", "replace").split()
            kind, unit = found.get(name, ("", ""))
            told = rest[0] if rest else ""
            found[name] = (told, unit) if what == "TYPE" else (kind, told)
    return found


def _value(text: bytes, number: int) -> float:
    try:
        return float(text)
    except ValueError as error:
        shown = text[:60].decode("utf-8", "replace")
        raise Malformed(f"line {number}: {shown!r} is no number") from error
