"""Looks at every indicator once a minute, in a thread of the web process; keeps how each service is, and tells it as a
series of its own, `service_health_score`, so that queries, rules and dashboards see it."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Iterable
from itertools import groupby

import msgspec
import numpy as np
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import Count, Max
from django.utils import timezone

from watchkeeper.domains.health import SERIES
from watchkeeper.domains.health.models import ServiceHealth, ServiceIndicator
from watchkeeper.domains.health.rules import Judged, Score, State, judge, score, state_of_alerts
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.situations.models import Alert
from watchkeeper.kernel import events
from watchkeeper.model.doors import Journal
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.measured import measured
from watchkeeper.model.series import NAME
from watchkeeper.telemetry import promql
from watchkeeper.telemetry.promql.values import Scalar, Vector
from watchkeeper.telemetry.store import Store

DOOR, KIND = "health", "service-health"
_LIMITS = promql.Limits(seconds=5.0, series=2_000, samples=500_000, cells=100_000)
_LOOK_EVERY = 2.0  # seconds, for indicators that were changed
_log = logging.getLogger(__name__)


class Evaluation:
    """Inert until `run`, or `once` by `once`."""

    def __init__(self, store: Store, journal: Journal, every: float = 60.0) -> None:
        self._store, self._journal, self.every = store, journal, every  # seconds

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set. Indicators that somebody has changed do not wait for their turn."""
        due, seen = time.monotonic() + self.every, _newest()
        try:
            while not stop.wait(_LOOK_EVERY):
                try:
                    close_old_connections()
                    if time.monotonic() >= due or seen != _newest():
                        due, seen = time.monotonic() + self.every, _newest()
                        self.once(timezone.now())
                except (DatabaseError, WatchkeeperError) as error:
                    _log.warning("how services are is not known, trying again: %s", error)
        finally:
            connection.close()

    def once(self, now: dt.datetime) -> None:
        """Judge every service, keep it, and tell it."""
        indicators = ServiceIndicator.objects.select_related("item", "other").order_by("item_id", "id")
        known = dict(ServiceHealth.objects.values_list("item_id", "state"))
        found = {
            item: score([self._judged(i, known, now) for i in own])
            for item, own in groupby(indicators, lambda i: i.item)
        }
        _keep(found, now)
        if found:
            self._journal.append(measured(_told(found), int(now.timestamp() * 1000), DOOR))

    def _judged(self, indicator: ServiceIndicator, known: dict[str, str], now: dt.datetime) -> Judged:
        match indicator.source:
            case ServiceIndicator.Source.QUERY:
                state, said = self._asked(indicator, now)
            case ServiceIndicator.Source.HEALTH:
                state = State(known.get(str(indicator.other_id), State.UNKNOWN))
                said = f"{indicator.other} is {state}"
            case _:
                state, said = _alerts(indicator.item_id)
        return Judged(indicator.name, state, indicator.importance, said)

    def _asked(self, indicator: ServiceIndicator, now: dt.datetime) -> tuple[State, str]:
        above = indicator.worse == ServiceIndicator.Worse.ABOVE
        try:
            at_ms = int(now.timestamp() * 1000)
            values = _numbers(promql.query(self._store, indicator.query, at_ms, limits=_LIMITS))
        except WatchkeeperError as error:
            return State.UNKNOWN, f"The query has no answer: {error.detail[:200]}"
        if not values:
            return State.UNKNOWN, "There are no values."
        worst = max(values) if above else min(values)
        return judge(values, indicator.thresholds, above=above), f"{worst:.4g} {indicator.unit}".strip()


def _newest() -> dict[str, object]:
    """Another value once an indicator was made, changed or removed."""
    return ServiceIndicator.objects.aggregate(changed=Max("changed_at"), there=Count("pk"))


def _numbers(value: object) -> list[float]:
    """The values of an answer at one time; none where it is text or samples."""
    if isinstance(value, Scalar | Vector):
        return [v for v in np.ravel(value.values).tolist() if not np.isnan(v)]
    return []


def _alerts(item: str) -> tuple[State, str]:
    firing = Alert.objects.filter(item=item, status="firing", suppressed_by="")
    worst = list(firing.order_by("-severity").values_list("severity", "name")[:100])
    if not worst:
        return State.NORMAL, "No alert fires."
    more = f" and {len(worst) - 1} more" if len(worst) > 1 else ""
    return state_of_alerts(str(s) for s, _ in worst), f"{worst[0][1]}{more}"


def _keep(found: dict[Item, Score], now: dt.datetime) -> None:
    """Services without indicators have no health any more."""
    with transaction.atomic():
        before = {h.item_id: h for h in ServiceHealth.objects.all()}
        ServiceHealth.objects.exclude(item__in=list(found)).delete()
        told = bool(found) and bool(events.wanted({KIND}))
        for item, judged in found.items():
            last = before.get(item.pk)
            same = last is not None and last.state == judged.state
            if told and not same:
                events.tell([_event(item, last.state if last else "", judged, now)])
            ServiceHealth.objects.update_or_create(
                item=item,
                defaults={
                    "score": judged.value, "state": judged.state.value, "at": now,
                    "since": last.since if last is not None and same else now,
                    "parts": msgspec.to_builtins(judged.parts),
                },
            )  # fmt: skip


def _event(item: Item, before: str, judged: Score, now: dt.datetime) -> events.Event:
    """A service is in another state."""
    at, state = events.text(now), judged.state.value
    record = {"item": item.pk, "state": state, "score": judged.value}
    return events.Event(
        f"health:{item.pk}:{at}", KIND, "change", str(item.pk), item.name, at, record=record,
        before={"state": before}, after={"state": state},
    )  # fmt: skip


def _told(found: dict[Item, Score]) -> Iterable[tuple[dict[str, str], str, float]]:
    """The scores that there are, as labels, kind and value."""
    for item, s in found.items():
        if s.value is not None:
            yield {NAME: SERIES, "service": item.name, "item": item.pk}, "gauge", s.value
