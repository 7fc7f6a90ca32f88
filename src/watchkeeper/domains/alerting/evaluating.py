"""Evaluates the rule groups that are on, each at its own times, in the web process: there are the records and what the
pages and /api/v1/rules show of rules, and nearly all of the work is done by the store. Analysis is left alone."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b

from django.db import DatabaseError, close_old_connections, connection

from watchkeeper.domains.alerting.grouping import as_group
from watchkeeper.domains.alerting.models import RuleGroup
from watchkeeper.domains.alerting.raising import MOST_WAITING, Output, entries, settle
from watchkeeper.domains.alerting.recalling import recall
from watchkeeper.kernel.ports import Metric
from watchkeeper.model.doors import Journal
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry import promql
from watchkeeper.telemetry.promql import Beside, Limits
from watchkeeper.telemetry.promql.values import Labels
from watchkeeper.telemetry.rulefiles import BadRules, Group, Rule, Running, Standing
from watchkeeper.telemetry.store import Store

DELAY_MS = 5_000  # samples have that long to arrive: it is evaluated how things were so long ago
LOOK_AGAIN = 60.0  # seconds; changes are heard of at once
TOGETHER = 2  # groups at once
LIMITS = Limits(seconds=10.0, samples=2_000_000, cells=2_000_000)
KEPT_MS = 900_000  # what was recorded is in the store by then
_log = logging.getLogger(__name__)


@dataclass
class Watched:
    """A group under evaluation. `due_ms` is the time that is evaluated next, `missed` counts those that were not because
    one before took too long."""

    key: str
    source: str
    group: Group
    running: Running
    beside: Beside = field(default_factory=Beside, repr=False)
    output: Output = field(default_factory=Output, repr=False)
    due_ms: int = 0
    at_ms: int = 0
    seconds: float = 0.0
    missed: int = 0
    busy: bool = False


class Evaluator:
    """Inert until `run`. `groups` may be asked from any thread. `clock` is the time of day, which somebody may set."""

    def __init__(self, store: Store, journal: Journal, clock: Callable[[], float] = time.time) -> None:
        self._store, self._journal, self._clock = store, journal, clock
        self._watched: dict[str, Watched] = {}
        self._changed = threading.Event()
        self._looked = 0.0
        self._evaluations = self._failures = self._missed = 0

    def groups(self) -> list[Watched]:
        """Those that are on, in order of file and name."""
        return sorted(self._watched.values(), key=lambda w: (w.source, w.group.name))

    def group(self, key: str) -> Watched | None:
        """The one of this record."""
        return self._watched.get(key)

    def look_again(self) -> None:
        """Records of groups have changed."""
        self._changed.set()

    def run(self, stop: threading.Event) -> None:
        """Evaluate until `stop` is set."""
        with ThreadPoolExecutor(TOGETHER, "rules") as pool:
            while not stop.wait(0.5):
                try:
                    self._look()
                except DatabaseError as error:
                    _log.warning("rule groups cannot be read, trying again: %s", error)
                now_ms = self._now_ms()
                for one in (w for w in list(self._watched.values()) if not w.busy):
                    _set_back(one, now_ms - DELAY_MS)
                    if now_ms >= one.due_ms + DELAY_MS:
                        self._begin(one, now_ms, pool)

    def metrics(self) -> Iterable[Metric]:
        """For /metrics."""
        counts = (
            ("evaluations", "Evaluations of rules", self._evaluations),
            ("failures", "Evaluations of rules that failed", self._failures),
            ("missed", "Evaluations of rule groups that were left out, because one before took too long", self._missed),
        )  # fmt: skip
        for name, text, count in counts:
            yield Metric(f"watchkeeper_rules_{name}_total", "counter", text, [({}, float(count))])

    def _look(self) -> None:
        if not self._changed.is_set() and time.monotonic() - self._looked < LOOK_AGAIN and self._looked:
            return
        self._changed.clear()
        close_old_connections()
        try:
            found = {str(r.pk): r for r in RuleGroup.objects.filter(enabled=True)}
        finally:
            connection.close()
        self._looked = time.monotonic()
        for key, record in found.items():
            try:
                group = as_group(record)
            except BadRules as error:
                _log.error("rule group %s cannot be evaluated: %s", record, error.detail)
                continue
            self._watch(key, record.source, group)
        for key in [k for k in self._watched if k not in found]:
            if not self._watched[key].busy:
                self._end(self._watched.pop(key))
            else:
                self._changed.set()

    def _watch(self, key: str, source: str, group: Group) -> None:
        known = self._watched.get(key)
        if known is not None and (known.group, known.source) == (group, source):
            return
        if known is not None and known.busy:
            self._changed.set()  # once it is done
            return
        beside = known.beside if known else Beside()
        output = known.output if known else Output()
        output.source = source
        running = Running(group, self._ask(beside), partial(_keep, beside, output))
        made = Watched(key, source, group, running, beside, output)
        made.due_ms = _slot(made, self._now_ms() - DELAY_MS)
        if known is not None:
            _carry_over(known.running, running, known.at_ms + 1)
            self._submit(known)
            made.at_ms, made.seconds, made.missed = known.at_ms, known.seconds, known.missed
            made.due_ms = max(made.due_ms, _slot(made, known.at_ms + 1) + group.interval_ms)
        self._watched[key] = made

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    def _ask(self, beside: Beside) -> partial[promql.Value]:
        return partial(_asked, self._store, beside)

    def _begin(self, one: Watched, now_ms: int, pool: ThreadPoolExecutor) -> None:
        at_ms, latest = one.due_ms, _slot(one, now_ms - DELAY_MS)
        if latest > at_ms and one.at_ms:
            skipped = (latest - at_ms) // one.group.interval_ms
            one.missed += skipped
            self._missed += skipped
        at_ms = max(at_ms, latest)
        one.due_ms = at_ms + one.group.interval_ms
        one.busy = True
        pool.submit(self._evaluate, one, at_ms).add_done_callback(partial(self._done, one))

    def _evaluate(self, one: Watched, at_ms: int) -> None:
        began = time.monotonic()
        one.running.evaluate(
            at_ms, lambda rule, now: recall(self._store, one.output, rule, now, one.group.interval_ms)
        )
        wrong = sum(r.health == "err" for r in one.running.rules)
        one.output.failed = one.output.failed + 1 if wrong else 0
        self._evaluations += len(one.running.rules)
        self._failures += wrong
        self._submit(one)
        one.beside.forget(at_ms - KEPT_MS)
        one.at_ms, one.seconds = at_ms, time.monotonic() - began

    def _submit(self, one: Watched) -> None:
        """Into the journal; what it does not take now goes with the next evaluation."""
        now_ms = self._now_ms()
        if made := entries(one.output, one.running, now_ms):
            try:
                self._journal.append(made)
            except WatchkeeperError as error:
                _log.warning("what rule group %s came to waits: %s", one.group.name, error.detail)
                del one.output.samples[:-MOST_WAITING]
                return
        settle(one.output, one.running, now_ms)

    def _end(self, one: Watched) -> None:
        """The group is off or gone: its series end, and its alerts."""
        one.running.end(one.at_ms + 1)
        one.running.rules.clear()
        self._submit(one)

    def _done(self, one: Watched, done: Future[None]) -> None:
        one.busy = False
        if error := done.exception():
            _log.error("rule group %s failed", one.group.name, exc_info=error)


def _asked(store: Store, beside: Beside, text: str, now_ms: int) -> promql.Value:
    return promql.query(store, text, now_ms, limits=LIMITS, beside=beside)


def _keep(beside: Beside, output: Output, labels: Labels, time_ms: int, value: float) -> None:
    beside.put(labels, time_ms, value)
    output.put(labels, time_ms, value)


def _carry_over(old: Running, new: Running, ends_ms: int) -> None:
    """What is known of rules that go on: all of it, where only their texts have changed. One with the name and labels of
    another has its series, so that only those end that it does not come to any more. What is gone ends now."""
    met: set[int] = set()
    for same in (_unchanged, _named):
        waiting = defaultdict(list)
        for one in (n for n in new.rules if id(n) not in met):
            waiting[same(one.rule)].append(one)
        for before in (o for o in old.rules if id(o) not in met):
            if found := waiting[same(before.rule)]:
                met |= {id(before), id(found[0])}
                _go_on(found.pop(0), before)
    old.end(ends_ms)
    old.rules = [o for o in old.rules if id(o) in met]
    for one in new.rules:
        one.recalled |= id(one) not in met


def _go_on(one: Standing, before: Standing) -> None:
    one.seen, before.seen, one.recalled = before.seen, {}, True
    if _unchanged(one.rule) == _unchanged(before.rule):
        one.recalled, one.health, one.error = before.recalled, before.health, before.error
        one.at_ms, one.seconds = before.at_ms, before.seconds
        one.series, one.value = before.series, before.value
        if one.states is not None and before.states is not None:
            one.states.go_on_from(before.states)


def _named(rule: Rule) -> tuple[object, ...]:
    return type(rule), rule.name, frozenset(rule.labels.items())


def _unchanged(rule: Rule) -> tuple[object, ...]:
    return *_named(rule), rule.expr


def _set_back(one: Watched, now_ms: int) -> None:
    """When the clock was set back, go on from there: not once it is as late as it was."""
    if one.due_ms > now_ms + one.group.interval_ms:
        one.due_ms = _slot(one, now_ms)
        one.beside.forget(one.at_ms + 2)  # it is in order of time


def _slot(one: Watched, now_ms: int) -> int:
    """The last time at or before now at which the group is evaluated. Groups are spread over their interval."""
    name = f"{one.source};{one.group.name}".encode()
    every = one.group.interval_ms
    offset = int.from_bytes(blake2b(name, digest_size=8).digest(), "little") % every
    return (now_ms - offset) // every * every + offset
