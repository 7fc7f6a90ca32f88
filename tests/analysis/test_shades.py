"""Versions of detection and correlation in the shade: they are compared, they can take over, and nobody is told anything by
them."""

from __future__ import annotations

import itertools
from typing import Any

from tests.analysis.alerts_told import NOW, Stages, event
from tests.analysis.test_detect_stage import STEP, TOPOLOGY, Estate, _samples
from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.shade import Agreement, Compared
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.signals import Stream
from watchkeeper.model.topology import Item, Topology
from watchkeeper.model.verdicts import Finding

_ids = itertools.count()


def versions(part: str, decides: str, shade: str = "") -> Act:
    data = {"decides": decides, "shade": shade}
    return Act(id=f"v{next(_ids)}", kind=ActKind.VERSIONS, target=part, actor="ann", time_ms=NOW, data=data)


def last(compared: list[Compared]) -> list[Compared]:
    """Of each subject the last word, as the comparison counts them."""
    return list({c.subject: c for c in compared}.values())


class Watched(Estate):
    """An estate that takes acts and keeps what is compared."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.acts: list[Act] = []
        self.compared: list[Compared] = []

    def step(self, change: dict[int, float | None] | None = None, logs: object = None) -> None:
        assert logs is None
        sent = {i: v for i, v in (self.values() | (change or {})).items() if v is not None}
        work = Work(self.offset, self.offset, self.now, TOPOLOGY, series=self.infos)
        work.batches.append((self.offset, Stream.SAMPLES, _samples(sent, self.now)))
        work.acts, self.acts = self.acts, []
        self.stage.process(work)
        self.findings += work.findings
        self.compared += work.compared
        self.now += STEP
        self.offset += 2


def story(*acts: Act) -> tuple[list[Finding], list[Compared]]:
    """Two hours of calm, four minutes in which a series strays, calm, and twenty minutes in which another does."""
    estate = Watched()
    estate.run(480)
    estate.acts = list(acts)
    estate.run(1)
    estate.run(16, {1: 0.9})
    estate.run(60)
    estate.run(80, {2: 1.6})
    return estate.findings, estate.compared


def test_what_strays_is_compared_a_stray_at_a_time() -> None:
    alone, nothing = story()
    assert nothing == []
    told, compared = story(versions("levels", "standard", "eager"))
    assert told == alone, "the version in the shade tells nobody"
    short, long = last(compared)
    assert (short.name, short.agreement) == ("CPU utilization (m0) of db-1", Agreement.ONLY_SHADE)
    assert (long.name, long.deciding, long.agreement) == (
        "CPU utilization (m1) of db-1",
        "above",
        Agreement.SAME,
    )
    assert short.versions == ("standard", "eager")


def test_the_version_in_the_shade_takes_over() -> None:
    told, compared = story(versions("levels", "eager", "cautious"))
    assert [f.key.partition("|")[2] for f in told if f.active] == [f"{1:016x}", f"{2:016x}"]
    assert [c.agreement for c in last(compared)] == [Agreement.ONLY_DECIDING, Agreement.SAME]
    assert story(versions("levels", "eager", "cautious"), versions("levels", "standard"))[1] == []


LONELY = Topology([Item(id=name, kind="host", name=name) for name in ("lamp", "pump")])


def pair(stages: Stages, at: int, **labels: str) -> list[Compared]:
    """Two machines that have nothing to do with one another fail, five seconds apart; what was compared."""
    first = stages.read([event("Down", "lamp", at, **labels)], at_ms=at)
    second = stages.read([event("Dry", "pump", at + 5000, **labels)], at_ms=at + 5000)
    return first.compared + second.compared


def outages(stages: Stages, times: int) -> int:
    """So many times both fail, in the same rack as their alerts say; when the last one was over."""
    at = NOW
    for n in range(times):
        pair(stages, at, rack=f"r{n}")
        gone = [
            event(n_, i, at + 60_000, firing=False, rack=f"r{n}")
            for n_, i in (("Down", "lamp"), ("Dry", "pump"))
        ]
        stages.read(gone, at_ms=at + 60_000)
        for minute in range(2, 60):
            stages.read(at_ms=at + minute * 60_000)
        at += 6 * 3_600_000
    assert not stages.open()
    return at


def test_what_came_together_before_is_forgotten_in_the_shade() -> None:
    stages = Stages(LONELY)
    at = outages(stages, 12)
    assert stages.read(acts=[versions("correlation", "remembering", "forgetful")], at_ms=at).compared == []
    compared = pair(stages, at)
    (situation,) = stages.open()
    (word,) = last(compared)
    assert (word.subject, word.deciding) == (situation.id, "2 alerts")
    assert (word.shade, word.agreement) == ("2 situations, with 1, 1 of them", Agreement.DIFFERS)


def test_the_forgetful_version_decides() -> None:
    stages = Stages(LONELY)
    at = outages(stages, 12)
    stages.read(acts=[versions("correlation", "forgetful", "remembering")], at_ms=at)
    compared = last(pair(stages, at))
    assert [len(s.members) for s in stages.open()] == [1, 1]
    assert {c.agreement for c in compared} == {Agreement.SAME}, "the one in the shade has learned nothing yet"
