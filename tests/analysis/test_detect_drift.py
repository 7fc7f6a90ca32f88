"""Drifts from outside: told once in words with units, over when they are, kept over restarts, held back if people say so."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from tests.analysis.test_detect_stage import TOPOLOGY, _alert, _samples
from watchkeeper.analysis.pipeline import SeriesInfo, Work
from watchkeeper.analysis.stages.detect import Detect
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.reason import ReasonKind
from watchkeeper.model.signals import Stream
from watchkeeper.model.topology import item_id
from watchkeeper.model.verdicts import Alert, Finding

HOST = item_id("host", "db-1")
BEGIN, STEP = 1_750_032_000_000, 1_200_000
PER_DAY = 72
MEMORY = SeriesInfo(1, "process.memory.usage", {"process": "api"}, "gauge", "By", "host", HOST)
DISK = SeriesInfo(2, "system.filesystem.utilization", {"device": "sda"}, "gauge", "1", "host", HOST)
REQUESTS = SeriesInfo(3, "http.requests_total", {}, "counter", "{request}", "host", HOST)
INFOS = {i.id: i for i in (MEMORY, DISK, REQUESTS)}


class Machine:
    """Three series of a host that have their days; `grows` adds that much a day from the day it is set."""

    def __init__(self) -> None:
        self.stage, self.random = Detect(), np.random.default_rng(1)
        self.infos, self.changed = INFOS, list[int]()
        self.k, self.findings, self.counted = 0, list[Finding](), 0.0
        self.grows: dict[int, tuple[float, float]] = {}  # series → a day, since which
        self.usual = {1: (2.4e9, 3e7), 2: (0.4, 0.004), 3: (50.0, 0.5)}

    def grow(self, **much: float) -> None:
        """A day's growth of `memory`, `disk` and `requests` from now on; what is left out grows no more."""
        for id_, (size, since) in self.grows.items():
            level, noise = self.usual[id_]
            self.usual[id_] = (level + size * (self.k / PER_DAY - since), noise)
        names = {"memory": 1, "disk": 2, "requests": 3}
        self.grows = {names[n]: (size, self.k / PER_DAY) for n, size in much.items()}

    def run(self, days: float, acts: tuple[Act, ...] = ()) -> list[Finding]:
        begin = len(self.findings)
        for _ in range(round(days * PER_DAY)):
            now = BEGIN + self.k * STEP
            day = self.k / PER_DAY
            sent = {}
            for id_, (level, noise) in self.usual.items():
                size, since = self.grows.get(id_, (0.0, 0.0))
                wave = 1 + 0.05 * np.sin(2 * np.pi * day)
                sent[id_] = level * wave + size * (day - since) + noise * float(self.random.standard_normal())
            self.counted += sent[3] * STEP / 1000
            sent[3] = self.counted
            work = Work(self.k, self.k, now, TOPOLOGY, series=self.infos, acts=list(acts))
            work.changed_series, self.changed = self.changed, []
            work.batches.append((self.k, Stream.SAMPLES, _samples(sent, now)))
            self.stage.process(work)
            self.findings += work.findings
            self.k, acts = self.k + 1, ()
        return self.findings[begin:]

    def restart(self, alerts: tuple[Alert, ...] = (), drop: str = "") -> None:
        state: Any = self.stage.snapshot()
        if drop:
            del state[drop]
        self.stage = Detect()
        self.stage.restore(state, list(alerts), [])


@pytest.fixture(scope="module")
def known() -> Machine:
    made = Machine()
    assert made.run(21) == []
    return made


@pytest.fixture
def machine(known: Machine) -> Machine:
    """That has been watched for three weeks."""
    made = Machine()
    made.random, made.k, made.counted = deepcopy(known.random), known.k, known.counted
    made.stage.restore(deepcopy(known.stage.snapshot()), [], [])
    return made


def test_drifts_are_told_once_in_words_with_their_units(machine: Machine) -> None:
    machine.grow(memory=0.1e9, disk=0.015, requests=2.5)
    told = {f.because[0].data["series"][-1]: f for f in machine.run(9)}
    assert len(machine.findings) == len(told) == 3
    memory, disk, requests = (told[k] for k in "123")
    assert {f.kind for f in told.values()} == {"drift"} and memory.item == HOST and memory.active
    assert memory.name == "Memory usage (api) slowly rises"
    assert memory.summary.startswith("Memory usage (api) of db-1 has risen by "), memory.summary
    assert " % a day for " in memory.summary and " GiB now against 2.2" in memory.summary
    assert memory.because[0].kind is ReasonKind.DRIFT and memory.because[0].text == memory.summary
    assert " has risen by 1." in disk.summary and " points a day for " in disk.summary, disk.summary
    assert " % now against 39." in disk.summary
    assert " requests/s now against 49.9 requests/s." in requests.summary, requests.summary


def test_a_drift_ends_when_it_goes_on_no_more_also_after_a_restart(machine: Machine) -> None:
    machine.grow(memory=0.1e9)
    (begun,) = machine.run(9)
    machine.restart()
    assert machine.run(2) == []
    machine.grow()
    (over,) = machine.run(9)
    assert (over.key, over.active) == (begun.key, False) and over.summary.endswith(". It goes on no more.")


def test_less_memory_and_small_changes_are_not_told(machine: Machine) -> None:
    machine.grow(memory=-0.1e9, requests=0.3)
    assert machine.run(10) == []


def test_what_a_living_alert_says_goes_on_when_all_that_was_learned_is_lost(machine: Machine) -> None:
    machine.grow(memory=0.1e9)
    (begun,) = machine.run(9)
    machine.restart((_alert(begun),), drop="drifts")
    assert machine.run(3) == []
    machine.grow()
    over = machine.run(16)
    assert [(f.key, f.active) for f in over] == [(begun.key, False)]


def test_an_upgrade_from_before_there_were_drifts_learns_them_in_quiet_and_finds_them(
    machine: Machine,
) -> None:
    machine.restart(drop="drifts")
    assert machine.run(14) == []
    machine.grow(requests=2.5)
    (found,) = machine.run(9)
    assert found.kind == "drift" and "requests/s" in found.summary


def test_a_series_that_ends_takes_its_drift_with_it(machine: Machine) -> None:
    machine.grow(memory=0.1e9)
    (begun,) = machine.run(9)
    del machine.usual[1], machine.grows[1]
    over = [f for f in machine.run(1) if f.kind == "drift"]
    assert [(f.key, f.active) for f in over] == [(begun.key, False)]
    assert over[0].summary.endswith("There are no more values.")


def test_a_drift_that_a_person_called_usual_is_over_and_not_told_again(machine: Machine) -> None:
    machine.grow(memory=0.1e9)
    (begun,) = machine.run(9)
    data = {
        "key": begun.key,
        "name": begun.name,
        "item": begun.item,
        "why": "the cache warms up",
        "text": begun.name,
    }
    data |= {"until_ms": 0, "period": 0, "begin": 0, "length": 0}
    act = Act(id="a1", kind=ActKind.USUAL, target="00", actor="ann", time_ms=BEGIN, data=data)
    (over,) = machine.run(2, (act,))
    assert (over.key, over.active) == (begun.key, False) and "the cache warms up" in over.summary
    machine.grow()
    assert machine.run(9) == []


def test_a_counter_that_is_declared_late_is_judged_by_its_rate() -> None:
    machine = Machine()
    machine.infos = INFOS | {3: SeriesInfo(3, REQUESTS.name[:-6], {}, "unknown", "{request}", "host", HOST)}
    assert machine.run(1) == []
    machine.infos, machine.changed = INFOS, [3]
    assert machine.run(14) == []  # it jumps from millions to 50 a second, which is no other level
    machine.grow(requests=2.5)
    machine.run(9)
    (found,) = (f for f in machine.findings if f.kind == "drift")
    assert found.active and " requests/s now against 49.8 requests/s." in found.summary
