"""What /metrics tells of the platform itself: doors, journal, analysis, records. Read when asked for."""

from __future__ import annotations

import datetime as dt
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from django.db.models import Count
from django.utils import timezone

from watchkeeper.app import process
from watchkeeper.domains import polling
from watchkeeper.domains.identity.models import ApiToken
from watchkeeper.domains.situations import analysis_offset
from watchkeeper.domains.situations.models import Alert, Situation
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.ports import Metric
from watchkeeper.model.doors import Journal
from watchkeeper.receivers.door_lag import LOST

INNER_HEADER = "X-Watchkeeper-Inner"


def all_of(journal: Journal) -> list[Callable[[], Iterable[Metric]]]:
    """Every collector, ready to be called."""
    return [_doors, lambda: _journal(journal), _records, _tokens]


def door_stats(key: str = "") -> dict[str, dict[str, Any]]:
    """The counters by door, of the receive process and of the one that polls; without those of one that is not there.
    With the id of an intake key, what this key has sent by door (receivers.senders)."""
    if key:
        return _received(f"?key={quote(key)}")
    polled = polling.standing()
    return {**_received(), **(polled.doors if polled is not None and polling.is_fresh(polled) else {})}


def _received(query: str = "") -> dict[str, dict[str, Any]]:
    request = urllib.request.Request(
        process.front_url(f"/-/receive/stats{query}"), headers={INNER_HEADER: process.inner_secret()}
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
        ("dead_letters", "What could not be parsed and was kept"),
        ("dead_letters_dropped", "What was neither parsed nor kept"),
    ):
        samples = [({"door": door}, float(s.get(key, 0))) for door, s in stats.items()]
        yield Metric(f"watchkeeper_door_{key}_total", "counter", text, samples)
    refused = [
        ({"door": d, "reason": r}, float(n))
        for d, s in stats.items()
        for r, n in s.get("rejected", {}).items()
    ]
    yield Metric("watchkeeper_door_rejected_total", "counter", "What was refused, by reason", refused)
    lost = [(labels, n) for labels, n in refused if labels["reason"] in LOST]
    yield Metric("watchkeeper_door_lost_total", "counter", "What never got as far as being refused", lost)
    broken = [({"door": d}, float(len(s.get("troubles", {})))) for d, s in stats.items()]
    yield Metric("watchkeeper_door_troubles", "gauge", "Subscriptions of a door that do not work", broken)

    yield from _ages(stats)


def _ages(stats: Mapping[str, Mapping[str, Any]]) -> Iterable[Metric]:
    """How old signals are on arrival, of doors whose signals tell a time, and how long doors were cut off."""
    ages = {door: s["ages"] for door, s in stats.items() if s.get("ages", {}).get("count")}
    age = [
        ({"door": door, "quantile": quantile}, a[key] / 1000)
        for door, a in ages.items()
        for quantile, key in (("0.5", "p50_ms"), ("0.95", "p95_ms"))
    ]
    yield Metric("watchkeeper_door_age_seconds", "gauge", "Age of signals on arrival, over five minutes", age)
    ahead = [({"door": door}, a["ahead_ms"] / 1000) for door, a in ages.items()]
    yield Metric("watchkeeper_door_clock_ahead_seconds", "gauge",
                 "By how much the clock of a sender is ahead of ours, at most, over five minutes", ahead)  # fmt: skip
    away = [
        ({"door": door}, float(s.get("away_seconds", 0)))
        for door, s in stats.items()
        if s.get("away_seconds")
    ]
    yield Metric("watchkeeper_door_disconnected_seconds_total", "counter",
                 "Seconds that subscriptions of a door were not connected", away)  # fmt: skip


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
