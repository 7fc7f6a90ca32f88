"""What /metrics tells of the platform itself: doors, journal, analysis, records. Read when asked for."""

from __future__ import annotations

import datetime as dt
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Count
from django.utils import timezone

from watchkeeper.app import process
from watchkeeper.domains.identity.models import ApiToken
from watchkeeper.domains.situations import analysis_offset
from watchkeeper.domains.situations.models import Alert, Situation
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.ports import Metric
from watchkeeper.model.doors import Journal

INNER_HEADER = "X-Watchkeeper-Inner"


def all_of(journal: Journal) -> list[Callable[[], Iterable[Metric]]]:
    """Every collector, ready to be called."""
    return [_doors, lambda: _journal(journal), _records, _tokens]


def door_stats() -> dict[str, dict[str, Any]]:
    """The receive process's counters by door; empty while it does not answer."""
    address = os.environ.get("WATCHKEEPER_LISTEN", "")
    host, port = process.host_port(address)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    request = urllib.request.Request(
        f"http://{where}/-/receive/stats", headers={INNER_HEADER: process.inner_secret()}
    )
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:
            found: dict[str, dict[str, Any]] = json.load(answer)
            return found
    except (urllib.error.URLError, OSError, ValueError):
        return {}


def _doors() -> Iterable[Metric]:
    stats = door_stats()
    for key, text in (
        ("requests", "Requests, lines or datagrams taken"),
        ("rows", "Rows taken"),
        ("bytes", "Bytes taken"),
    ):
        samples = [({"door": door}, float(s.get(key, 0))) for door, s in stats.items()]
        yield Metric(f"watchkeeper_door_{key}_total", "counter", text, samples)
    refused = [
        ({"door": d, "reason": r}, float(n))
        for d, s in stats.items()
        for r, n in s.get("rejected", {}).items()
    ]
    yield Metric("watchkeeper_door_rejected_total", "counter", "What was refused, by reason", refused)
    broken = [({"door": d}, float(len(s.get("troubles", {})))) for d, s in stats.items()]
    yield Metric("watchkeeper_door_troubles", "gauge", "Subscriptions of a door that do not work", broken)


def _journal(journal: Journal) -> Iterable[Metric]:
    end = journal.end()
    lag = [({"consumer": "analysis"}, float(end - analysis_offset())),
           ({"consumer": "telemetry"}, float(end - journal.committed("telemetry")))]  # fmt: skip
    yield Metric(
        "watchkeeper_journal_offset", "counter", "The last offset of the journal", [({}, float(end))]
    )
    yield Metric("watchkeeper_journal_lag_entries", "gauge", "Entries that a consumer has not passed", lag)
    yield Metric(
        "watchkeeper_journal_bytes",
        "gauge",
        "Bytes that not every consumer has passed",
        [({}, float(journal.size()))],
    )


def _records() -> Iterable[Metric]:
    firing = Alert.objects.filter(status="firing").count()
    open_ = Situation.objects.exclude(state="resolved").count()
    outbox = OutboxRow.objects.values_list("state").annotate(Count("pk"))
    yield Metric("watchkeeper_alerts_firing", "gauge", "Alerts that fire", [({}, float(firing))])
    yield Metric(
        "watchkeeper_situations_open", "gauge", "Situations that are not resolved", [({}, float(open_))]
    )
    yield Metric(
        "watchkeeper_outbox_rows", "gauge", "Effects by state", [({"state": s}, float(n)) for s, n in outbox]
    )


def _tokens() -> Iterable[Metric]:
    """Those that end within two weeks, while somebody can still replace them."""
    now = timezone.now()
    found = ApiToken.objects.filter(
        revoked_at=None, expires_at__gt=now, expires_at__lt=now + dt.timedelta(days=14)
    )
    yield Metric(
        "watchkeeper_tokens_expiring",
        "gauge",
        "API tokens that end within 14 days",
        [({}, float(found.count()))],
    )
