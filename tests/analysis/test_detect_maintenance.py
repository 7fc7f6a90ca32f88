"""The detectors in maintenance: they neither learn nor find while a window lasts, and go on afterwards as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from tests.analysis.test_detect_stage import HOSTS, START, STEP, TOPOLOGY, Estate, _logs, _samples
from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.stages.detect import Detect
from watchkeeper.analysis.stages.detect_resting import SETTLE_MS
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.signals import SCHEMAS, Stream

HOUR = 3_600_000 // STEP  # steps
SETTLE = SETTLE_MS // STEP


class Planned(Estate):
    """An estate whose stage hears of windows."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.acts: list[Act] = []
        self.version = 0

    def plan(self, steps: int, *, window: str = "1", **data: Any) -> None:
        """A window from now on."""
        self.version += 1
        schedule = {"starts_ms": self.now, "ends_ms": self.now + steps * STEP}
        told = {"version": self.version, "schedule": schedule, "items": [HOSTS[0]], "matchers": [], **data}
        self.acts.append(
            Act(
                id=f"a{self.version}",
                kind=ActKind.MAINTENANCE,
                target=window,
                actor="ann",
                time_ms=self.now,
                data=told,
            )
        )

    def step(
        self, change: dict[int, float | None] | None = None, logs: list[dict[str, Any]] | None = None
    ) -> None:
        values = self.values() | (change or {})
        self.send({i: v for i, v in values.items() if v is not None}, self.now, logs)
        self.now += STEP

    def send(self, values: dict[int, float], at: int, logs: list[dict[str, Any]] | None = None) -> None:
        """What comes now, of that time."""
        work = Work(self.offset, self.offset, self.now, TOPOLOGY, series=self.infos, acts=self.acts)
        self.acts = []
        if values:
            work.batches.append((self.offset, Stream.SAMPLES, _samples(values, at)))
        if logs:
            work.batches.append((self.offset + 1, Stream.LOGS, _logs(logs, self.now)))
        self.stage.process(work)
        self.findings += work.findings
        self.offset += 2

    def live(self, steps: int) -> None:
        """So much of its life passes in one read."""
        times = np.repeat(self.now + STEP * np.arange(steps), len(self.infos))
        values = 0.2 + 0.03 * self.random.standard_normal(len(times))
        columns = [pa.array(list(self.infos) * steps, pa.uint64()), pa.array(times), pa.array(values)]
        self.now += steps * STEP
        work = Work(self.offset, self.offset, self.now, TOPOLOGY, series=self.infos)
        work.batches = [
            (self.offset, Stream.SAMPLES, pa.RecordBatch.from_arrays(columns, schema=SCHEMAS[Stream.SAMPLES]))
        ]
        self.stage.process(work)
        self.findings += work.findings
        self.offset += 1

    def learned(self, series: int) -> bytes:
        """The bank's record of a series, but for the last raw value and what only fills the room between numbers."""
        record = self.stage.levels.last(series)
        return b"".join(_bytes(record[name]) for name in record.dtype.names if name != "rate")


def _bytes(value: Any) -> bytes:
    names = value.dtype.names
    return b"".join(_bytes(value[name]) for name in names) if names else value.tobytes()


def test_a_window_is_neither_learned_nor_told_and_what_comes_after_it_is() -> None:
    estate = Planned()
    estate.run(400)
    before, beside = estate.learned(1), estate.learned(5)
    estate.plan(HOUR)
    assert estate.run(HOUR, {1: 0.97}) == []
    assert estate.run(SETTLE, {1: 0.9}) == []
    assert estate.learned(1) == before
    assert estate.learned(5) != beside
    assert estate.run(HOUR) == []
    (found,) = estate.run(80, {1: 0.97})
    assert found.active and found.kind == "level"


def test_what_stays_as_it_was_in_the_window_is_told_after_it() -> None:
    """As after an update that went wrong: it is compared with what was usual before."""
    estate = Planned()
    estate.live(26 * HOUR)
    estate.plan(2 * HOUR)
    assert estate.run(2 * HOUR + SETTLE, {1: 0.97}) == []
    (found,) = estate.run(80, {1: 0.97})
    assert found.active and "it is usually" in found.summary


def test_a_host_that_is_off_in_a_window_is_missed_only_after_it() -> None:
    estate = Planned()
    estate.run(1700)
    estate.plan(HOUR)
    off: dict[int, float | None] = dict.fromkeys(range(1, 5))
    assert estate.run(HOUR + SETTLE, off) == []
    (found,) = estate.run(40, off)
    assert found.kind == "silence" and found.item == HOSTS[0]
    (back,) = estate.run(20)
    assert not back.active


def test_it_is_off_for_the_window_alone() -> None:
    estate = Planned()
    estate.run(1700)
    estate.plan(HOUR)
    assert estate.run(HOUR + 4, dict.fromkeys(range(1, 5))) == []
    assert estate.run(HOUR) == []


def test_what_was_told_before_ends_in_a_window() -> None:
    estate = Planned()
    estate.run(400)
    (told,) = estate.run(80, {1: 0.97})
    estate.plan(HOUR)
    assert estate.run(20, {1: 0.96}) == []
    (over,) = estate.run(60)
    assert not over.active and over.key == told.key


def test_what_was_about_to_be_told_is_not_told_in_it_nor_right_after_it() -> None:
    estate = Planned()
    estate.run(400)
    estate.run(10, {1: 0.97})
    estate.plan(HOUR)
    assert estate.run(HOUR + SETTLE, {1: 0.97}) == []
    assert estate.run(HOUR) == []


def test_a_restart_in_the_middle_changes_nothing() -> None:
    """From the snapshot; the windows come again as acts."""
    stayed, restarted = Planned(), Planned()
    for estate in (stayed, restarted):
        estate.run(400)
        estate.plan(HOUR)
    planned = restarted.acts[-1]
    stayed.run(HOUR, {1: 0.97})
    restarted.run(HOUR // 2, {1: 0.97})
    restarted.restart()
    restarted.acts.append(planned)
    restarted.run(HOUR // 2, {1: 0.97})
    for estate in (stayed, restarted):
        assert estate.run(SETTLE + 40) == []
    assert stayed.learned(1) == restarted.learned(1)
    assert [f.key for f in stayed.run(60, {2: 0.97})] == [f.key for f in restarted.run(60, {2: 0.97})] != []


def test_a_backlog_that_is_read_after_a_window_is_of_its_own_time() -> None:
    """We were down while the window ended: what came in it rests, what came after it is judged, as if we had been there."""
    live, late = Planned(), Planned()
    for estate in (live, late):
        estate.run(400)
        estate.plan(HOUR)
    live.run(HOUR + SETTLE + 10, {1: 0.97})
    begin, late.now = late.now, late.now + (HOUR + SETTLE + 10) * STEP
    late.send({}, begin)
    for n in range(HOUR + SETTLE + 10):
        late.send({**late.values(), 1: 0.97}, begin + n * STEP)
    assert live.learned(1) == late.learned(1)


def test_reach_labels_and_an_early_end() -> None:
    """A window by labels goes by those of the series; one that ends early settles from then."""
    estate = Planned()
    estate.run(400)
    estate.plan(HOUR, items=[], matchers=[{"name": "cpu.mode", "value": "m1"}])
    before = estate.learned(2), estate.learned(1)
    estate.run(20, {2: 0.97})
    assert estate.learned(2) == before[0] and estate.learned(1) != before[1]
    estate.plan(0, schedule={"starts_ms": START, "ends_ms": estate.now}, items=[],
                matchers=[{"name": "cpu.mode", "value": "m1"}])  # fmt: skip
    estate.run(SETTLE)
    assert estate.learned(2) == before[0]
    estate.step()
    assert estate.learned(2) != before[0]


def test_without_windows_nothing_is_asked_of_series() -> None:
    stage = Detect()
    stage.process(Work(1, 1, START, TOPOLOGY))
    assert stage.resting.spans == () and stage.resting.version == 0
