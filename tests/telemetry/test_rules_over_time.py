"""Rule groups whose evaluator runs on, with a clock that is ours: what is recorded can be asked for when the clock was set
back, and when somebody has changed the group."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support import eventually
from tests.telemetry.signals import consuming
from watchkeeper.domains.alerting import Evaluator
from watchkeeper.domains.alerting.models import RuleGroup
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.signals import Stream
from watchkeeper.telemetry import promql
from watchkeeper.telemetry.promql.values import Vector
from watchkeeper.telemetry.store import Store

ONE = "- {record: one, expr: vector(1)}\n"
UP = "- {alert: Up, expr: one > 0, for: %s}\n"

pytestmark = pytest.mark.django_db(transaction=True)


class Running:
    """An evaluator in a thread, and what carries its samples into the store. `clock` may be set by a test."""

    def __init__(self, store: Store, journal: SqliteJournal) -> None:
        self.store, self.journal = store, journal
        self.clock: Callable[[], float] = time.time
        self.evaluator = Evaluator(store, journal, clock=lambda: self.clock())

    def recorded(self) -> list[int]:
        """The times of all samples, as they came."""
        read = [e.batch for e in self.journal.read(0) if e.stream is Stream.SAMPLES]
        return [int(row["time_ms"]) for b in read for row in b.to_pylist()]

    def carried(self) -> bool:
        """Whether the store has all of it."""
        return self.journal.committed("telemetry") >= self.journal.end()

    def asked(self, query: str, at_ms: int) -> list[dict[str, str]]:
        found = promql.query(self.store, query, at_ms)
        assert isinstance(found, Vector)
        return [dict(labels) for labels in found.labels]

    def state(self, group: RuleGroup) -> str:
        """Of the group's last rule."""
        watched = self.evaluator.group(str(group.pk))
        return watched.running.rules[-1].state.value if watched else ""

    def change(self, group: RuleGroup, rules: str) -> None:
        """Change the rules, and wait until the evaluator knows."""
        before = self.evaluator.group(str(group.pk))
        group.rules = rules
        group.save()
        self.evaluator.look_again()
        eventually(lambda: self.evaluator.group(str(group.pk)) is not before)


@pytest.fixture
def running(store: Store, journal: SqliteJournal) -> Iterator[Running]:
    made, stop = Running(store, journal), threading.Event()
    thread = threading.Thread(target=made.evaluator.run, args=(stop,))
    with consuming(journal, store):
        thread.start()
        try:
            yield made
        finally:
            stop.set()
            thread.join()


def test_rules_go_on_when_the_clock_is_set_back(running: Running) -> None:
    group = RuleGroup.objects.create(name="g", interval_seconds=1, rules=ONE + UP % "2s")
    eventually(lambda: running.state(group) == "pending")
    running.clock = lambda: time.time() - 3600
    eventually(lambda: any(t < time.time() * 1000 - 3_000_000 for t in running.recorded()))
    eventually(lambda: running.state(group) == "firing")
    running.clock, last = time.time, max(running.recorded())
    eventually(lambda: max(running.recorded()) > last)


def test_a_changed_group_goes_on_with_the_rules_that_are_as_before(running: Running) -> None:
    """The clock stands still, so that only the change can do something."""
    now = time.time()
    running.clock = lambda: now
    two, again = "- {record: two, expr: vector(2)}\n", "- {record: one, expr: vector(1), labels: {k: v}}\n"
    group = RuleGroup.objects.create(name="g", interval_seconds=60, rules=ONE + again + two + UP % "2m")
    at_ms = eventually(lambda: (w := running.evaluator.group(str(group.pk))) is not None and w.at_ms)
    eventually(running.carried)
    half = at_ms + 30_000
    assert len(running.asked("one", half)) == 2 and running.asked("two", half)
    for text in ("three", "four"):
        more = f"- {{record: {text}, expr: vector(3)}}\n"
        running.change(group, again + more + ONE + UP % "2m")
        eventually(lambda: running.carried() and not running.asked("two", half))
        assert len(running.asked("one", half)) == 2 and running.asked("ALERTS", half)
        assert running.state(group) == "pending"
    running.change(group, ONE.replace("1", "1 + 1") + UP % "2m")
    now += 60
    eventually(lambda: [set(labels) for labels in running.asked("one", at_ms + 90_000)] == [{"__name__"}])
    now += 120
    eventually(lambda: running.state(group) == "firing")
