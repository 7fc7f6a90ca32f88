"""Causes from alerts and metrics together: what is asked, what the answer says, and how both become one list."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from watchkeeper.analysis.causes.question import MOST_SERIES, STEP_MS, Question
from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.shade import Compared
from watchkeeper.analysis.stages.correlate import Correlate
from watchkeeper.analysis.stages.deduplicate import Deduplicate
from watchkeeper.analysis.stages.determine_cause import DetermineCause
from watchkeeper.analysis.stages.normalise import Normalise
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.signals import Stream, batch
from watchkeeper.model.topology import Identifier, Item, Relation, RelationKind, Topology
from watchkeeper.model.verdicts import Situation

NOW = 1_700_000_000_000
NAMES = ("shop", "cart", "db", "mail")
GRAPH = Topology(
    [Item(n, "service", n.title(), (Identifier("service.name", n),)) for n in NAMES],
    [Relation(a, b, RelationKind.DEPENDS_ON) for a, b in (("shop", "cart"), ("cart", "db"), ("mail", "db"))],
)


class Platform:
    """All stages that matter here, fed with rows as the journal gives them."""

    def __init__(self, series_each: int = 1) -> None:
        self.normalise, self.deduplicate = Normalise(), Deduplicate()
        self.correlate = Correlate(self.deduplicate.living)
        self.causes = DetermineCause(self.deduplicate.living, self.correlate.situations)
        self.situations: dict[str, Situation] = {}
        self.questions: list[Question] = []
        self.compared: list[Compared] = []
        self._topology, self._offset = GRAPH, 0
        rows = [
            {"id": 100 * n + k, "name": "latency", "labels": f'{{"service.name":"{name}","node":"{k}"}}',
             "kind": "gauge", "unit": "s", "door": "test"}
            for n, name in enumerate(NAMES, 1) for k in range(series_each)
        ]  # fmt: skip
        self.tell([(Stream.SERIES, batch(Stream.SERIES, rows))], NOW)

    def tell(self, batches: list[tuple[Stream, pa.RecordBatch]], now_ms: int) -> Work:
        self._offset += 1
        work = Work(self._offset, self._offset, now_ms, self._topology)
        work.batches = [(self._offset, stream, rows) for stream, rows in batches]
        for stage in (self.normalise, self.deduplicate, self.correlate, self.causes):
            stage.process(work)
        self._topology = work.topology
        self.situations |= work.situations
        self.questions += work.questions
        self.compared += work.compared
        return work

    def alert(self, service: str, at_ms: int) -> None:
        row = {
            "id": f"{service}{at_ms}", "kind": "alert", "status": "firing", "name": "Slow", "severity": "critical",
            "summary": "", "starts_ms": at_ms, "ends_ms": 0, "received_ms": at_ms, "url": "", "door": "test",
            "labels": f'{{"alertname":"Slow","service.name":"{service}"}}', "annotations": "{}",
        }  # fmt: skip
        self.tell([(Stream.EVENTS, batch(Stream.EVENTS, [row]))], at_ms)

    def measured(self, question: Question, struck: tuple[str, ...], now_ms: int) -> None:
        """Telemetry's answer, in which these services are slow from a minute before the first alert."""
        begin, end = question.window
        times = np.arange(begin, end, STEP_MS)
        noise = np.random.default_rng(1)
        points = {
            s.id: list(zip(times.tolist(), (noise.normal(1, 0.05, len(times))
                       + 3.0 * (s.item in struck) * (times >= question.onset_ms - 60_000)).tolist(), strict=True))
            for s in question.series
        }  # fmt: skip
        act = Act(id="m", kind=ActKind.MEASURED, target=question.situation, actor="analysis", time_ms=now_ms,
                  data={"causes": msgspec.to_builtins(question.answered(points))})  # fmt: skip
        row = {"time_ms": now_ms, "document": msgspec.json.encode(act)}
        self.tell([(Stream.ACTS, batch(Stream.ACTS, [row]))], now_ms)


@pytest.fixture
def platform() -> Platform:
    made = Platform()
    made.alert("shop", NOW)
    return made


def test_a_minute_after_a_situation_opened_its_items_and_what_they_need_are_asked_about(
    platform: Platform,
) -> None:
    assert platform.tell([], NOW + 30_000).questions == []
    (question,) = platform.tell([], NOW + 61_000).questions
    assert [s.item for s in question.series] == ["shop", "cart", "db"]
    assert set(question.edges) == {("shop", "cart"), ("cart", "db")}
    assert question.onset_ms == NOW
    assert platform.tell([], NOW + 300_000).questions == [], "once is enough while it stays as it is"


def test_what_metrics_say_joins_what_alerts_say(platform: Platform) -> None:
    (alone,) = platform.situations.values()
    assert alone.causes[0].item != "db", "the one alert is the shop's"
    (question,) = platform.tell([], NOW + 240_000).questions
    platform.measured(question, ("shop", "cart", "db"), NOW + 241_000)
    (situation,) = platform.situations.values()
    assert situation.causes[0].item == "db"
    assert situation.version.endswith("metrics-1")
    said = [r.text for r in situation.causes[0].because]
    assert any("Shop" in t and "need Db" in t for t in said)
    level = next(r for r in situation.causes[0].because if r.kind == "level")
    assert int(level.data["series"], 16) == 300 and level.data["metric"] == "latency"
    assert 0.99 < sum(c.score for c in situation.causes) < 1.01


def test_a_situation_that_grows_is_asked_about_again_but_not_for_ever(platform: Platform) -> None:
    at = NOW
    for n in range(40):
        for name in ("cart", "db", "mail", "shop"):
            platform.alert(name, at := at + 200_000)
        platform.tell([], at := at + 200_000)
        assert len(platform.questions) <= 5, n
    assert len(platform.questions) >= 2


def test_metrics_that_show_nothing_leave_the_causes_as_they_were(platform: Platform) -> None:
    before = next(iter(platform.situations.values())).causes
    (question,) = platform.tell([], NOW + 240_000).questions
    platform.measured(question, (), NOW + 241_000)
    assert next(iter(platform.situations.values())).causes == before


def test_a_restart_keeps_what_was_measured(platform: Platform) -> None:
    (question,) = platform.tell([], NOW + 240_000).questions
    platform.measured(question, ("shop", "cart", "db"), NOW + 241_000)
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(platform.causes.snapshot()))
    fresh = DetermineCause(platform.deduplicate.living, platform.correlate.situations)
    fresh.restore(state, [], list(platform.situations.values()))
    assert fresh.snapshot() == platform.causes.snapshot()


def test_a_question_is_bounded() -> None:
    many = Platform(series_each=5000)
    many.alert("shop", NOW)
    (question,) = many.tell([], NOW + 61_000).questions
    assert len(question.series) <= MOST_SERIES
    assert {s.item for s in question.series} == {"shop", "cart", "db"}
