"""Evaluates objectives, each when a slot of it has ended, in a thread of the web process: measures what is new, keeps how
it stands, tells of budgets that burn, and foresees once an hour when they are spent."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol

import numpy as np
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.utils import timezone
from numpy.typing import NDArray

from watchkeeper.domains.maintenance.planned import Planned
from watchkeeper.domains.objectives import DOOR, SERIES, foreseen, measuring, raising, rules, slots, standing
from watchkeeper.domains.objectives.models import ServiceLevelObjective, Standing
from watchkeeper.domains.objectives.rules import Counted
from watchkeeper.domains.objectives.slots import DAY_MS
from watchkeeper.kernel.fields import milliseconds, moment
from watchkeeper.model.doors import Journal
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.measured import measured
from watchkeeper.model.outlook import Outlook
from watchkeeper.model.series import NAME
from watchkeeper.telemetry.store import Store

DELAY_MS = 20_000  # samples have that long to arrive
AGAIN = 2  # slots that are measured once more, for what came late
SECONDS = 3.0  # that one objective measures of its past in one round: others wait
_LOOK_EVERY = 5.0  # seconds
_LONGEST_MS = 4 * DAY_MS  # of a window of an alert, which is kept beyond short windows
_KEPT_MS = 100 * DAY_MS  # for reports of the last months
_FORESEE_EVERY = dt.timedelta(hours=1)
_log = logging.getLogger(__name__)


class Foresees(Protocol):
    """What foresees when a budget is spent: see analysis.forecasts.spending."""

    def spending(self, errors: NDArray[np.float64], objective: float, window: int, horizon: int) -> Outlook:
        """Of hours of errors."""
        ...


class Evaluation:
    """Inert until `run`, or `once` by `once`. `foreseeing` gives, for one round, what foresees."""

    def __init__(
        self, store: Store, journal: Journal, foreseeing: Callable[[], AbstractContextManager[Foresees]]
    ) -> None:
        self._store, self._journal, self._foreseeing = store, journal, foreseeing

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        try:
            while not stop.wait(_LOOK_EVERY):
                try:
                    close_old_connections()
                    self.once(timezone.now(), stop)
                except (DatabaseError, WatchkeeperError) as error:
                    _log.warning("how objectives stand is not known, trying again: %s", error)
        finally:
            connection.close()

    def once(self, now: dt.datetime, stop: threading.Event) -> int:
        """Evaluate those that are due and tell of all that burn; return how many there were."""
        now_ms = milliseconds(now)
        found = ServiceLevelObjective.objects.filter(enabled=True).select_related("service", "standing")
        every = found.defer("standing__chart")  # it is large, and needed of those that are due
        due = [o for o in every if _is_due(o, now_ms)]
        if not due:
            return 0
        planned = Planned(_since(due, now_ms))
        told: list[tuple[dict[str, str], str, float]] = []
        with self._foreseeing() as foresee:
            for objective in due:
                if stop.is_set():
                    return 0
                told += self._told(objective, now, planned, foresee)
        if burns := raising.entries(now_ms):
            self._journal.append(burns)
        if told:
            self._journal.append(measured(told, now_ms, DOOR))
        return len(due)

    def _told(
        self, of: ServiceLevelObjective, now: dt.datetime, planned: Planned, foresee: Foresees
    ) -> Iterable[tuple[dict[str, str], str, float]]:
        """Evaluate one; what it says as series. One that cannot be reckoned keeps none of the others waiting."""
        try:
            return _values(of, self._evaluate(of, now, planned, foresee))
        except (ArithmeticError, ValueError) as error:
            _log.exception("how %s stands cannot be reckoned", of.name)
            wrong = {
                "error": f"It cannot be reckoned: {error}",
                "evaluated_at": now,
                "measured_as": of.measured_as,
            }
            Standing.objects.update_or_create(wrong, objective=of)
            return []

    def _evaluate(
        self, of: ServiceLevelObjective, now: dt.datetime, planned: Planned, foresee: Foresees
    ) -> Standing:
        now_ms = milliseconds(now)
        kept = of.standing_or_none() or Standing(objective=of)
        if kept.measured_as != of.measured_as:
            of.days.all().delete()
            kept = Standing(objective=of, measured_as=of.measured_as)
        until = _ended(of, now_ms)
        kept.error = self._measure(of, kept, now_ms, until)
        found = standing.stand(of, kept, until, planned)
        if kept.foreseen_at is None or not dt.timedelta(0) <= now - kept.foreseen_at < _FORESEE_EVERY:
            _foresee(of, kept, found, now, foresee)
        kept.evaluated_at = now
        with transaction.atomic():
            if ServiceLevelObjective.objects.filter(pk=of.pk).exists():
                kept.save()
        return kept

    def _measure(self, of: ServiceLevelObjective, kept: Standing, now_ms: int, until: int) -> str:
        """Measure what is new and keep it; what went wrong, in words. What was not measured is, when it can be again."""
        step = of.step_s * 1000
        oldest = _oldest(of, now_ms)
        if milliseconds(kept.measured_until) > until:  # the clock was set back
            kept.measured_until = moment(until)
        # A question is about a day. Of one that is new the last comes first. How far back an older version measured is
        # not known.
        since = milliseconds(kept.measured_until) - AGAIN * step if kept.measured_until else until - DAY_MS
        since, stop = max(oldest, since // step * step), time.monotonic() + SECONDS
        try:
            while since < until and (since + DAY_MS >= until or time.monotonic() < stop):
                self._slots(of, kept, since, min(until, since + DAY_MS))
                since += DAY_MS
            while (first := milliseconds(kept.measured_from) or since) > oldest and time.monotonic() < stop:
                self._slots(of, kept, max(oldest, first - DAY_MS), first)
        except WatchkeeperError as error:
            return f"A query has no answer: {error.detail[:500]}"
        limit = min(oldest, now_ms - _KEPT_MS)
        slots.forget(of, limit)
        kept.measured_from = max(filter(None, (kept.measured_from, moment(limit))))
        return ""

    def _slots(self, of: ServiceLevelObjective, kept: Standing, start: int, end: int) -> None:
        """Measure these slots, and keep them."""
        good, total = measuring.measure(self._store, of, start, end)
        with transaction.atomic():
            slots.write(of, start, good, total)
        kept.measured_from = min(filter(None, (kept.measured_from, moment(start))))
        kept.measured_until = max(filter(None, (kept.measured_until, moment(end))))


def _is_due(of: ServiceLevelObjective, now_ms: int) -> bool:
    """Whether a slot has ended since it was evaluated, it is measured otherwise now, or its past is not yet measured; or
    the clock was set back."""
    kept = of.standing_or_none()
    if kept is None or kept.evaluated_at is None or kept.measured_as != of.measured_as:
        return True
    return _ended(of, now_ms) != _ended(of, milliseconds(kept.evaluated_at)) or _is_behind(of, kept, now_ms)


def _is_behind(of: ServiceLevelObjective, kept: Standing, now_ms: int) -> bool:
    """Whether there is more to measure than one round had time for, or its window reaches further back than before. What
    cannot be measured is tried again when the next slot has ended."""
    if kept.error or kept.measured_from is None or kept.measured_until is None:
        return False
    begins, ends = milliseconds(kept.measured_from), milliseconds(kept.measured_until)
    return _oldest(of, now_ms) < begins or ends < _ended(of, milliseconds(kept.evaluated_at))


def _oldest(of: ServiceLevelObjective, now_ms: int) -> int:
    """The first slot that counts in its window or for its alerts."""
    step = of.step_s * 1000
    return min(of.window.period(now_ms)[0], now_ms - _LONGEST_MS) // step * step


def _since(due: Iterable[ServiceLevelObjective], now_ms: int) -> int:
    """The first slot that counts for any of these; some may be such that it cannot be reckoned."""
    found = []
    for one in due:
        with suppress(ArithmeticError, ValueError):
            found.append(_oldest(one, now_ms))
    return min(found, default=now_ms)


def _ended(of: ServiceLevelObjective, now_ms: int) -> int:
    """The end of the last slot whose samples have arrived."""
    step = of.step_s * 1000
    return (now_ms - DELAY_MS) // step * step


def _foresee(
    of: ServiceLevelObjective, kept: Standing, found: Counted, now: dt.datetime, foresee: Foresees
) -> None:
    kept.foreseen_at = now
    per_hour = 3600 // of.step_s
    begins, ends = milliseconds(kept.begins_at), milliseconds(kept.ends_at)
    hours = (ends - begins) // 3_600_000
    ahead = (ends - milliseconds(now)) // 3_600_000 if of.aligned else 0
    errors = rules.hourly_errors(found, per_hour)
    outlook = None
    if kept.left is not None and kept.left > 0 and np.nansum(errors) > 0:
        outlook = foresee.spending(errors, of.share, hours, ahead)
    foreseen.keep(kept, outlook, now)


def _values(of: ServiceLevelObjective, kept: Standing) -> Iterable[tuple[dict[str, str], str, float]]:
    """As series of their own, for queries, rules and dashboards."""
    labels: dict[str, Any] = {"objective": of.name, "service": of.service.name if of.service else ""}
    own = {k: v for k, v in labels.items() if v}
    if kept.left is not None and kept.attained is not None:
        yield {NAME: SERIES[0], **own}, "gauge", kept.left / 100
        yield {NAME: SERIES[1], **own}, "gauge", kept.attained / 100
