"""Rule groups whose evaluator runs on, with a clock that is ours: what is recorded can be asked for when the clock was set
back, and when somebody has changed the group."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

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
    """An evaluator in a thread, and what carries its samples into the store. `ahead` is what its clock is ahead of ours,
    in seconds."""

    def __init__(self, store: Store, journal: SqliteJournal) -> None:
        self.store, self.journal, self.ahead = store, journal, 0.0
        self.evaluator = Evaluator(store, journal, clock=lambda: time.time() + self.ahead)

    def now_ms(self) -> int:
        return int((time.time() + self.ahead) * 1000)

    def recorded(self) -> list[int]:
        """The times of all samples, as they came."""
        read = [e.batch for e in self.journal.read(0) if e.stream is Stream.SAMPLES]
        return [t for b in read for t in b["time_ms"].to_pylist()]

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
    running.ahead = -3600.0
    eventually(lambda: any(t < time.time() * 1000 - 3_000_000 for t in running.recorded()))
    eventually(lambda: running.state(group) == "firing")
    running.ahead, last = 0.0, max(running.recorded())
    eventually(lambda: max(running.recorded()) > last)
