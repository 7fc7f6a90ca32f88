"""Looks at everything with a limit once an hour, in a thread of the web process: foresees it, keeps what came out, and
tells of what is near. What is foreseen with is handed in."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

import msgspec
import numpy as np
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import Count, Max
from django.utils import timezone
from numpy.typing import NDArray

from watchkeeper.domains.capacity import ending, noting, pools, raising, rules
from watchkeeper.domains.capacity.measuring import HOUR_MS, Measure, measured, until
from watchkeeper.domains.capacity.models import CapacityRule, Forecast
from watchkeeper.domains.capacity.naming import Names
from watchkeeper.kernel.fields import moment
from watchkeeper.model.doors import Journal
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.outlook import Outlook
from watchkeeper.telemetry.store import Store

Foresee = Callable[[NDArray[np.float64], float, bool], Outlook]
_LOOK_EVERY = 2.0  # seconds, for rules that were changed
_FIRST = 60.0  # seconds after a start
_PACE = 2.0  # times as long as a series took, the others wait: others need the machine too
_KEPT = ("name", "item_id", "state", "because", "value", "limit", "unit", "grew", "expected_at", "earliest_at",
         "latest_at", "level", "error", "naive_error", "urgency", "alerting", "severity", "labels", "chart", "about",
         "looked_at", "measured_at", "since")  # fmt: skip
_log = logging.getLogger(__name__)


class Looking:
    """Inert until `run`, or `once` by `once`. `foreseeing` gives, for one round, what foresees: of hours, a limit, and
    whether they are shares, an outlook."""

    def __init__(
        self, store: Store, journal: Journal, foreseeing: Callable[[], AbstractContextManager[Foresee]],
        every: float = 3600.0,
    ) -> None:  # fmt: skip
        self._store, self._journal, self._foreseeing, self.every = store, journal, foreseeing, every

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set. Rules that somebody has changed do not wait for their turn."""
        due, seen = time.monotonic() + _FIRST, None
        try:
            while not stop.wait(_LOOK_EVERY):
                try:
                    close_old_connections()
                    newest = _newest()
                    if time.monotonic() >= due or (seen is not None and seen != newest):
                        due = time.monotonic() + self.every
                        self.once(timezone.now(), stop)
                    seen = newest
                except (DatabaseError, WatchkeeperError) as error:
                    _log.warning("what runs out is not known, trying again: %s", error)
        finally:
            connection.close()

    def once(self, now: dt.datetime, stop: threading.Event) -> None:
        """Note how full the address pools are, look at all rules, keep what is foreseen, and tell of what is near. Raises
        TelemetryError."""
        if filled := pools.samples(int(now.timestamp() * 1000)):
            self._journal.append(filled)
        known = {f.key: f for f in Forecast.objects.select_related("rule")}
        found: dict[str, Forecast] = {}
        with self._foreseeing() as foresee:
            for rule in CapacityRule.objects.filter(enabled=True):
                for f in self._of_rule(rule, known, now, stop, foresee):
                    found[f.key] = f
        if stop.is_set():
            return
        _name(found.values())
        told = raising.entries((f for f in found.values() if f.alerting), int(now.timestamp() * 1000))
        if told:
            self._journal.append(told)
        _keep(found, known)

    def _of_rule(
        self,
        rule: CapacityRule,
        known: dict[str, Forecast],
        now: dt.datetime,
        stop: threading.Event,
        foresee: Foresee,
    ) -> Iterator[Forecast]:
        if rule.measure == Measure.RECORDED:
            yield from ending.dated(rule, known, now)
        elif rule.measure == Measure.UNTIL:
            for s, ends in until(self._store, rule, int(now.timestamp() * 1000)):
                name = rules.title(s.labels, rule.name)
                stands = rules.of_end(left := ends - now.timestamp(), rule.lead_days)
                at = moment(int(ends * 1000))
                said = [rules.ends(name, left, f"{at:%Y-%m-%d}")]
                yield noting.ending(
                    rule, f"{rule.pk}:{s.id:x}", name, stands, said, known, now, at, dict(s.labels)
                )
        else:
            yield from self._measured(rule, known, now, stop, foresee)

    def _measured(
        self,
        rule: CapacityRule,
        known: dict[str, Forecast],
        now: dt.datetime,
        stop: threading.Event,
        foresee: Foresee,
    ) -> Iterator[Forecast]:
        for m in measured(self._store, rule, int(now.timestamp() * 1000)):
            began = time.monotonic()
            o = foresee(m.used, m.limit, rule.measure == Measure.SHARE)
            key = f"{rule.pk}:{m.series:x}"
            before = known.get(key)
            stands = rules.standing(o, rule.lead_days, before is not None and before.alerting)
            name = rules.title(m.labels, rule.name)
            said = [rules.sentence(name, o, m.unit), *rules.because(o, m.unit)]
            last = min(m.last_ms + HOUR_MS, int(now.timestamp() * 1000))
            at = {f"{k}_at": None if v is None else moment(last + int(v * 1000)) for k, v in
                  (("expected", o.median), ("earliest", o.earliest), ("latest", o.latest))}  # fmt: skip
            chart = {"past": msgspec.to_builtins(o.past), "ahead": msgspec.to_builtins(o.ahead), "end": last}
            yield noting.forecast(
                rule, key, name, stands, said, before, now, value=o.now, limit=o.limit, unit=m.unit, grew=o.grew,
                level=o.level, error=o.error, naive_error=o.naive_error, labels=dict(m.labels), chart=chart,
                measured_at=moment(last), **at,
            )  # fmt: skip
            if stop.wait((time.monotonic() - began) * _PACE):
                return


def _name(found: Iterable[Forecast]) -> None:
    """The items that they are about."""
    unnamed = [f for f in found if f.item_id is None]
    names = Names(f.labels for f in unnamed)
    for f in unnamed:
        f.item_id = names.item(f.labels)


def _keep(found: dict[str, Forecast], known: dict[str, Forecast]) -> None:
    """What is not there any more goes."""
    with transaction.atomic():
        Forecast.objects.filter(pk__in=[f.pk for k, f in known.items() if k not in found]).delete()
        Forecast.objects.bulk_update([f for f in found.values() if f.pk], _KEPT, batch_size=200)
        Forecast.objects.bulk_create([f for f in found.values() if not f.pk], batch_size=200)


def _newest() -> dict[str, object]:
    """Another value once a rule was made, changed or removed."""
    return CapacityRule.objects.aggregate(changed=Max("changed_at"), there=Count("pk"))
