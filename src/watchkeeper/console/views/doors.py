"""Doors: what each takes and refuses, how far the readers of the journal are, and what could not be parsed."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains.heartbeats.models import Heartbeat
from watchkeeper.domains.heartbeats.progress import progress
from watchkeeper.domains.situations.active import analysis_offset
from watchkeeper.kernel.acting import Scope, actor_of
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.receivers import door_words
from watchkeeper.receivers.door_lag import LOST
from watchkeeper.telemetry.queries import dead_letters as letters

PAGE = 50
#: what people call the doors, and what sends there
NAMES = {
    "alertmanager": "Alertmanager API", "remote_write": "Prometheus remote write", "otlp": "OpenTelemetry (OTLP)",
    "syslog": "Syslog", "syslog_udp": "Syslog over UDP", "syslog_tcp": "Syslog over TCP", "host": "This machine",
    "snmp": "SNMP traps and informs", "mqtt": "MQTT", "mail": "Mail",
    "netflow": "NetFlow and IPFIX", "scrape": "Scraping", "probe": "Probes",
    "http": "Other requests", "pagerduty": "PagerDuty Events API",
}  # fmt: skip
#: doors of other vendors' webhooks, at /intake/<vendor>
WEBHOOKS = {
    "alertmanager_webhook": "Alertmanager", "azure": "Azure Monitor", "checkmk": "Checkmk", "cloudevents": "CloudEvents",
    "cloudwatch": "CloudWatch", "datadog": "Datadog", "google_cloud": "Google Cloud Monitoring", "grafana": "Grafana",
    "custom": "Any JSON", "icinga": "Icinga", "new_relic": "New Relic", "sentry": "Sentry", "uptime_kuma": "Uptime Kuma",
    "zabbix": "Zabbix",
}  # fmt: skip
NAMES |= {door: f"{vendor} webhook" for door, vendor in WEBHOOKS.items()}
PATHS = {
    "alertmanager": ("/api/v2/alerts",), "remote_write": ("/api/v1/write",),
    "otlp": ("/v1/metrics", "/v1/logs", "/v1/traces"), "pagerduty": ("/v2/enqueue", "/v2/change/enqueue"),
    **{door: (f"/intake/{door.removesuffix('_webhook')}",) for door in WEBHOOKS},
}  # fmt: skip
#: what is declared for a door: where, and what it is called
RECORDS = {
    "snmp": (("/snmp-users/", "SNMPv3 users"),), "mqtt": (("/mqtt-subscriptions/", "Subscriptions"),),
    "scrape": (("/scrape-jobs/", "Scrape jobs"),), "probe": (("/probes/", "Probes"),),
}  # fmt: skip
#: by door, the last two looks that lie far enough apart: when, and rows until then
_looks: dict[str, list[tuple[float, int]]] = {}


@require_GET
@signed_in(Scope.READ)
def doors(request: HttpRequest) -> HttpResponse:
    """The page; its table fetches itself every few seconds."""
    part = "parts/doors.html" if request.headers.get("HX-Target") == "doors" else "doors.html"
    rows = _doors(request)
    idle = [row for row in rows if row["door"] in WEBHOOKS and not row["requests"] and not row["rejected"]]
    used = [row for row in rows if row not in idle]
    return page(request, part, title="Doors", doors=used, idle=idle, journal=_journal(),
                heartbeats=_heartbeats(request))  # fmt: skip


def _doors(request: HttpRequest) -> list[dict[str, Any]]:
    rows, base = [], request.build_absolute_uri("/").rstrip("/")
    host = urlsplit(base).hostname or ""
    for name, s in sorted(ports.doors().items()):
        rejected = {reason: n for reason, n in s.get("rejected", {}).items() if reason not in LOST}
        if name == "http" and not rejected and not s.get("requests"):
            continue
        last = s.get("last_seen_ms") or 0
        rows.append({
            "name": NAMES.get(name, name), "door": name, "rows": s.get("rows", 0), "requests": s.get("requests", 0),
            "bytes": s.get("bytes", 0), "rate": _rate(name, s.get("rows", 0)), "rejected": sum(rejected.values()),
            "addresses": [*(f"{base}{path}" for path in PATHS.get(name, ())),
                          *(door_words.reached(a, host) for a in s.get("addresses", ()))],
            "reasons": sorted(rejected.items(), key=lambda x: -x[1]),
            "arrives": door_words.arrives(s.get("ages") or {}), "lost": door_words.lost(s.get("hour") or {}),
            "away": door_words.away(s.get("away") or {}),
            "troubles": sorted((s.get("troubles") or {}).items()), "records": RECORDS.get(name, ()),
            "last": dt.datetime.fromtimestamp(last / 1000, dt.UTC) if last else None,
        })  # fmt: skip
    return rows


def _rate(door: str, rows: int) -> str:
    """Rows a second between this look and one some seconds ago; nothing at the first look."""
    now, seen = time.monotonic(), _looks.setdefault(door, [])
    if not seen or now - seen[-1][0] >= 4 or rows < seen[-1][1]:
        seen.append((now, rows))
        del seen[:-2]
    then, before = seen[0]
    if now - then < 1 or rows < before:
        return "–"
    rate = (rows - before) / (now - then)
    return f"{rate:.0f}" if rate >= 10 or rate == 0 else f"{rate:.1f}"


def _journal() -> dict[str, Any]:
    journal = ports.the_journal()
    end = journal.end()
    behind, worst = progress.behind(), progress.worst()
    readers = {
        name: {
            "entries": max(0, end - offset),
            "behind": door_words.behind(behind.get(name)),
            "worst": door_words.behind(worst.get(name)),
        }
        for name, offset in (("analysis", analysis_offset()), ("telemetry", journal.committed("telemetry")))
    }
    return {"end": end, "bytes": journal.size(), **readers}


def _heartbeats(request: HttpRequest) -> list[Heartbeat] | None:
    """Those that are on; None for who may not read them."""
    actor = actor_of(request)
    if not may(actor, "read", registry["heartbeats"]):
        return None
    return list(visible(actor, "heartbeats", Heartbeat.objects.filter(enabled=True)))


@require_GET
@signed_in(Scope.WRITE)
def dead_letters(request: HttpRequest) -> HttpResponse:
    """What could not be parsed, newest first."""
    door, reason = request.GET.get("door", ""), request.GET.get("reason", "")
    try:
        store = ports.the_telemetry()
        counts = letters.counts(store)
        rows = letters.newest(store, door=door, reason=reason, limit=PAGE)
        trouble = ""
    except WatchkeeperError as error:
        counts, rows, trouble = [], [], error.detail
    return page(
        request, "dead_letters.html", title="Dead letters", counts=counts, rows=rows, door=door, reason=reason,
        trouble=trouble, names=NAMES, back=reverse("console:doors"),
    )  # fmt: skip
