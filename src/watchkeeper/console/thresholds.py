"""What the page of a threshold rule shows of its series: how each stands, and how often the rule would have fired within
the last day. It is what stored values say to the same detector that watches them as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from watchkeeper.analysis.detectors.thresholds import OPERATORS, WATCH, Thresholds, Turn
from watchkeeper.analysis.pipeline import SeriesInfo
from watchkeeper.analysis.stages.detect_words import duration, metric, quantity, unit_of
from watchkeeper.console.measured import LABELS
from watchkeeper.domains import alerting
from watchkeeper.domains.alerting.models import ThresholdRule
from watchkeeper.domains.inventory.models import Identifier, Item
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import moment
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.ports import ports
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.matching import Matcher
from watchkeeper.model.thresholds import Limits, Rule
from watchkeeper.telemetry.queries import points
from watchkeeper.telemetry.queries import series as stored
from watchkeeper.telemetry.queries.window import Window

DAY_MS = 86_400_000
MINUTES = 1440
MOST = 50  # series of one page
_SIGNS = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}


class Line(NamedTuple):
    """How a rule stands at one series."""

    name: str
    item: Item | None
    value: str
    level: str
    whose: str  # the exception that the level is of
    state: str  # firing, pending, ok, missing, off
    since: Any
    fired: int  # times within the last day


def of_threshold(record: ThresholdRule, actor: Actor) -> dict[str, Any]:
    """The lines of the series that the rule is about; `trouble` when they cannot be read."""
    rule, now_ms = alerting.as_rule(record), int(time.time() * 1000)
    try:
        found = stored.described(ports.the_telemetry(), _wanted(rule), limit=MOST)
        lines = _lines(rule, found, actor, now_ms)
    except WatchkeeperError as error:
        return {"lines": [], "trouble": error.detail}
    order = ("firing", "missing", "pending", "ok", "off")
    lines.sort(key=lambda line: (order.index(line.state), line.name))
    return {
        "lines": lines, "most": MOST, "fired": sum(line.fired for line in lines), "lasting": duration(rule.for_ms),
        "sites": len({line.item or line.name for line in lines if line.fired}),
    }  # fmt: skip


def _wanted(rule: Rule) -> stored.Wanted:
    matchers = tuple(stored.Matcher(m.name, m.value, _sign(m)) for m in rule.matchers)
    return stored.Wanted(name=rule.metric, matchers=matchers)


def _sign(m: Matcher) -> str:
    return _SIGNS[m.is_regex, m.is_equal]


def _lines(rule: Rule, found: Sequence[stored.Series], actor: Actor, now_ms: int) -> list[Line]:
    items = _items(found, actor)
    infos = [
        SeriesInfo(s.id, s.name, s.labels, s.kind, s.unit, s.door, i.pk if (i := items.get(s.id)) else "")
        for s in found
    ]
    covered = [i for i in infos if rule.covers(i.name, i.labels, i.item)]
    kinds = {item.pk: item.kind for item in items.values()}
    limits = {i.id: rule.limits(i.labels, i.item, kinds.get(i.item, "")) for i in covered}
    judged = _absent(limits, now_ms) if rule.absent else _replayed(rule, limits, now_ms)
    return [_line(rule, i, items.get(i.id), limits[i.id], judged.get(i.id)) for i in covered]


class _Stand(NamedTuple):
    value: float | None
    state: str
    since_ms: int
    fired: int


def _absent(limits: Mapping[int, Limits | None], now_ms: int) -> dict[int, _Stand]:
    last = points.latest(ports.the_telemetry(), limits, now_ms=now_ms, lookback_ms=DAY_MS)
    out = {}
    for series, its in limits.items():
        came = last.get(series)
        late = came is None or (its is not None and now_ms - came.time_ms > its.for_ms)
        out[series] = _Stand(
            came.value if came else None, "missing" if late else "ok", came.time_ms if came else 0, 0
        )
    return out


def _replayed(rule: Rule, limits: Mapping[int, Limits | None], now_ms: int) -> dict[int, _Stand]:
    """The last day by the minute."""
    rows = np.zeros(len(limits), WATCH)
    for row, (series, its) in zip(rows, limits.items(), strict=True):
        row["series"], row["operator"], row["recover_ms"] = (
            series,
            OPERATORS.index(rule.comparison),
            rule.recover_ms,
        )
        row["level"], row["recovery"], row["for_ms"] = its[:3] if its else (np.nan, np.nan, 0)
    window = Window(now_ms - DAY_MS, now_ms)
    found = points.points(ports.the_telemetry(), list(limits), window, buckets=MINUTES, rate=rule.per_second)
    detector, turns = Thresholds(rows), dict[int, list[Turn]]()
    for p in found.values():
        columns = (np.full(len(p.last), p.series, np.uint64), np.array(p.times_ms), np.array(p.last))
        for turn in detector.update(*columns, now_ms):
            turns.setdefault(turn.row, []).append(turn)
    out = {}
    for n, row in enumerate(rows):
        told = turns.get(n, [])
        state = "firing" if row["firing"] else "pending" if row["since"] else "ok"
        since = told[-1].time_ms if row["firing"] else int(row["since"])
        value = float(row["value"]) if row["time"] else None
        out[int(row["series"])] = _Stand(value, state, since, sum(turn.firing for turn in told))
    return out


def _line(
    rule: Rule, info: SeriesInfo, item: Item | None, limits: Limits | None, stand: _Stand | None
) -> Line:
    unit = unit_of(info)
    value = "none for a day"
    if stand is not None and stand.value is not None:
        value = quantity(stand.value, unit, rule.per_second)
    if limits is None or stand is None:
        return Line(_name(info), item, value, "", "", "off", None, 0)
    level = duration(limits.for_ms) if rule.absent else quantity(limits.level, unit, rule.per_second)
    since = moment(stand.since_ms) if stand.state != "ok" else None
    return Line(_name(info), item, value, level, limits.override, stand.state, since, stand.fired)


def _name(info: SeriesInfo) -> str:
    return ", ".join(f"{k}={v}" for k, v in sorted(info.labels.items())) or metric(info)


def _items(found: Sequence[stored.Series], actor: Actor) -> dict[int, Item]:
    """Series → the item that its labels name, of those that one may see."""
    said = {s.id: list(_names(s.labels)) for s in found}
    values = {value for names in said.values() for _, value in names}
    known = Identifier.objects.filter(
        valid_to=None, scheme__in=LABELS, value__in=values, item__in=visible(actor, "items")
    )
    owner = {(x.scheme, x.value): x.item for x in known.select_related("item")}
    owned = {i: [owner[n] for n in names if n in owner] for i, names in said.items()}
    return {i: items[0] for i, items in owned.items() if items}


def _names(labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Identifiers that labels name, and the host of an instance."""
    for scheme, names in LABELS.items():
        yield from ((scheme, labels[n].lower()) for n in names if labels.get(n))
    host = labels.get("instance", "").lower().rpartition(":")[0]
    yield from ((scheme, host) for scheme in ("hostname", "fqdn") if host)
