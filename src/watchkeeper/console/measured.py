"""Which series belong to an alert or an item, as charts for the page: a title and where the points come from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from watchkeeper.domains import health
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.situations.models import Alert
from watchkeeper.kernel.ports import ports
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.reason import Reason
from watchkeeper.telemetry.queries.series import Matcher, Series, Wanted, described

HOUR = {"last": 3600}
LINES = 8  # of one chart
#: what a host's charts show: title, metric, further parameters
HOST_METRICS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("CPU use", "system.cpu.utilization", {"except.cpu.mode": "idle", "stack": "1"}),
    ("Memory use", "system.memory.utilization", {}),
    ("Disk reads and writes", "system.disk.io", {}),
    ("Network traffic", "system.network.io", {"except.network.interface.name": "lo"}),
)
#: metrics that say most about a service, the first ones first; others follow in order of their names
TELLING = (
    "http.server.request.duration", "rpc.server.duration", "db.client.operation.duration", "up",
    "watchkeeper.service.up", "process.cpu.utilization", "process.memory.usage",
)  # fmt: skip
#: the labels that carry an item's name, by the scheme of its identifier
_HOST, _SERVICE = ("host.name", "host_name", "nodename"), ("service.name", "service_name", "service", "job")
LABELS = {"hostname": _HOST, "fqdn": _HOST, "service.name": _SERVICE, "instance": ("instance",)}


def source(**parameters: Any) -> str:
    """Where a chart's points come from."""
    return "/explore/metrics/data.json?" + urlencode(parameters, doseq=True)


def series_of(because: Iterable[Reason]) -> list[int]:
    """The series that these reasons are about; they are written as hexadecimal ids."""
    found: dict[int, None] = {}
    for reason in because:
        named = reason.data.get("series") or ()
        for one in (named,) if isinstance(named, str) else named:
            found[int(one, 16)] = None
    return list(found)[:LINES]


def alert_charts(alert: Alert) -> list[dict[str, str]]:
    """The series that an alert is about; else what its item measures."""
    ids = series_of(alert.because)
    if ids:
        return [{"title": alert.name, "source": source(id=ids, last=6 * 3600)}]
    return item_charts(alert.item, most=2, of=True) if alert.item else []


def item_charts(item: Item | None, *, most: int = 4, of: bool = False, **span: int) -> list[dict[str, str]]:
    """The main metrics of an item, for the last hour unless told otherwise; `of` names it in the titles."""
    if item is None:
        return []
    name = f" of {item.name}" if of else ""
    if item.kind == "host":
        known = {s.name for s in _series(item, prefix="system.")}
        found = [(title, metric, more) for title, metric, more in HOST_METRICS if metric in known]
        where = {"l.host.name": item.name}
        return [
            {"title": f"{title}{name}", "source": source(name=metric, **where, **more, **(span or HOUR))}
            for title, metric, more in found[:most]
        ]
    named: dict[str, list[Series]] = {}
    for s in (
        one for one in _series(item) if one.name != health.SERIES
    ):  # which has its own place on the page
        named.setdefault(s.name, []).append(s)
    order = sorted(named, key=lambda n: (_rank(named[n][0]), n))
    return [
        {"title": f"{title(metric)}{name}", "source": source(id=[s.id for s in named[metric][:LINES]],
                                                             **(span or HOUR))}
        for metric in order[:most]
    ]  # fmt: skip


def _rank(s: Series) -> int:
    """The smaller, the more a metric tells: those we know, then times and shares, then amounts."""
    if s.name in TELLING:
        return TELLING.index(s.name)
    return len(TELLING) + (0 if s.unit in ("s", "ms", "1", "%") else 1)


def title(metric: str) -> str:
    """A metric's name as people read it.

    >>> title("db.client.connection.use_time")
    'Db client connection use time'
    """
    return re.sub(r"[._]+", " ", metric).strip().capitalize()


def _series(item: Item, prefix: str = "") -> list[Series]:
    """Series that carry one of the item's names, whatever their case."""
    current = item.identifiers.filter(valid_to=None, scheme__in=LABELS)
    patterns = {
        x: f"(?i){re.escape(x.value)}" + ("(:[0-9]+)?" if x.scheme == "instance" else "") for x in current[:4]
    }
    named = tuple(Matcher(label, p, "=~") for x, p in patterns.items() for label in LABELS[x.scheme])
    if not named:
        return []
    try:
        return described(ports.the_telemetry(), Wanted(prefix=prefix, any_of=named), limit=200)
    except WatchkeeperError:
        return []  # the charts are an addition; the page is worth showing without them
