"""What is shown around a situation: the affected part of the graph, charts of the implicated series, log lines."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse

from watchkeeper.console import graphs
from watchkeeper.console.measured import item_charts, series_of, source, title
from watchkeeper.domains.changes.telling import changed_by
from watchkeeper.domains.inventory.models import Identifier, Item
from watchkeeper.domains.situations.models import Membership, Situation
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.ports import ports
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry.queries import logs as log_queries

BEFORE = dt.timedelta(minutes=15)
AFTER = dt.timedelta(minutes=5)
CHARTS = 4
LINES = 20


def window(record: Situation) -> tuple[int, int]:
    """The time around a situation, Unix ms."""
    ends = record.resolved_at or dt.datetime.now(dt.UTC)
    return milliseconds(record.opened_at - BEFORE), milliseconds(ends + AFTER)


def charts(record: Situation, members: list[Membership]) -> list[dict[str, str]]:
    """One chart for each series that an alert of the situation names, the strongest first."""
    found: dict[int, str] = {}
    for m in sorted(members, key=lambda m: -m.alert.score):
        for series in series_of(m.alert.because):
            found.setdefault(series, m.alert.name)
    begin, end = window(record)
    shown = {"from": begin, "to": end, "mark": milliseconds(record.opened_at)}
    drawn = [
        {"title": name, "source": source(id=series, **shown)} for series, name in list(found.items())[:CHARTS]
    ]
    causes = {i.pk: i for i in Item.objects.filter(pk__in=[c.item for c in record.causes[:2]])}
    for cause in record.causes[:2]:
        if len(drawn) < CHARTS and cause.item in causes:
            drawn += item_charts(causes[cause.item], most=2, of=True, **shown)
    return drawn[:CHARTS]


def causes(record: Situation, names: dict[str, str]) -> list[dict[str, Any]]:
    """The candidates, best first, each with the chart of the series that speaks against it, if metrics do."""
    begin, end = window(record)
    shown = {"from": begin, "to": end, "mark": milliseconds(record.opened_at)}
    found = []
    for cause in record.causes:
        series = series_of(cause.because)[:1]
        name = names.get(cause.item, cause.item)
        metric = next((r.data["metric"] for r in cause.because if "metric" in r.data), "")
        found.append({
            "cause": cause, "name": name, "planned": changed_by(cause.change), "share": round(cause.score * 100),
            "chart": source(id=series, **shown) if series else "", "chart_title": f"{title(metric)} of {name}",
        })  # fmt: skip
    return found


def logs(record: Situation, members: list[Membership]) -> dict[str, Any]:
    """Log lines of the affected items around the beginning, warnings and worse."""
    items = {m.alert.item_id for m in members if m.alert.item_id} | {c.item for c in record.causes[:1]}
    names = Identifier.objects.filter(item__in=items, scheme__in=("hostname", "service.name"), valid_to=None)
    hosts = sorted({i.value for i in names if i.scheme == "hostname"})[:20]
    services = sorted({i.value for i in names if i.scheme == "service.name"})[:50]
    begin, end = window(record)
    if not hosts and not services:
        return {"lines": [], "empty": "Its items send no log lines to us."}
    try:
        lines = log_queries.around(
            ports.the_telemetry(), hosts=hosts, services=services, from_ms=begin, to_ms=end, limit=LINES
        )
    except WatchkeeperError as error:
        return {"lines": [], "empty": f"The log lines could not be read: {error.detail}"}
    name = (services or hosts)[0].replace("\\", "\\\\").replace('"', '\\"')
    wanted = f'service:"{name}" OR source:"{name}"' if services else f'host:"{name}"'
    query = {"from": begin, "to": end, "q": f"severity>=warn ({wanted})"}
    return {
        "lines": [{"line": line, "more": n - 1} for line, n in lines],
        "more": f"/explore/logs/?{urlencode(query)}",
        "empty": "No warnings or errors in that time.",
    }


def affected(record: Situation, among: QuerySet[Item]) -> dict[str, Any]:
    """Of these items, those of its alerts and causes, and what lies one step away when they are few."""
    causes = [c.item for c in record.causes]
    items = [m for m in record.memberships.values_list("alert__item_id", flat=True)[:500] if m]
    kinds = ("depends_on", "runs_on", "member_of", "connects_to")
    centre = list(dict.fromkeys([*causes[:3], *items]))[: graphs.LARGEST]
    nodes, relations = graphs.around(centre, among, steps=0, kinds=(*kinds, "contains"))
    if len(nodes) < 12:
        wide, among = graphs.around(centre, among, steps=1, kinds=kinds)
        if len(wide) <= 40:
            nodes, relations = wide, among
    return graphs.picture(nodes, relations, causes[:1])


def answer(picture: dict[str, Any]) -> HttpResponse:
    """A picture for the browser."""
    return JsonResponse(picture)
