"""What a person calls usual: it ends, its like is held back and counted, what goes further is told, and it is taken back."""

from __future__ import annotations

from typing import Any

from tests.analysis.test_detect_stage import HOSTS, STEP, TOPOLOGY, Estate, _alert, _samples, _usual_logs
from watchkeeper.analysis.pipeline import Event, Work
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.reason import ReasonKind
from watchkeeper.model.signals import Stream
from watchkeeper.model.verdicts import Finding


class Judged(Estate):
    """An estate whose people say what is usual."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        self.held: list[Any] = []
        self.said: dict[str, Act] = {}

    def values(self) -> dict[int, float]:
        return {i: 0.2 + 0.01 * float(self.random.standard_normal()) for i in self.infos}

    def tell(self, acts: list[Act] | None = None, events: list[Event] | None = None) -> list[Finding]:
        work = Work(
            self.offset,
            self.offset,
            self.now,
            TOPOLOGY,
            series=self.infos,
            acts=acts or [],
            events=events or [],
        )
        self.stage.process(work)
        self.said |= {a.id: a for a in work.acts}
        self.held += work.held
        self.findings += work.findings
        return work.findings

    def usual(self, found: Finding, name: str = "j1", **data: Any) -> list[Finding]:
        own = found.because[0].data
        given: dict[str, Any] = {
            "key": own["key"],
            "name": found.name,
            "item": found.item,
            "why": "a nightly job",
        }
        if "up" in own:
            given |= {
                "up": own["up"],
                "bound": own["value"],
                "edge": own["high"],
                "text": f"up to {own['now']}",
            }
        return self.tell(
            [Act(id=name, kind=ActKind.USUAL, target="00", actor="ann", time_ms=self.now, data=given | data)]
        )

    def back(self, name: str = "j1") -> list[Finding]:
        return self.tell(
            [Act(id=f"back-{name}", kind=ActKind.UNUSUAL, target=name, actor="bob", time_ms=self.now)]
        )

    def run(self, steps: int, change: dict[int, float | None] | None = None) -> list[Finding]:
        begin = len(self.findings)
        for _ in range(steps):
            values = {i: v for i, v in (self.values() | (change or {})).items() if v is not None}
            work = Work(self.offset, self.offset, self.now, TOPOLOGY, series=self.infos)
            work.batches.append((self.offset, Stream.SAMPLES, _samples(values, self.now)))
            self.stage.process(work)
            self.findings += work.findings
            self.held += work.held
            self.now += STEP
            self.offset += 2
        return self.findings[begin:]


def _told(findings: list[Finding]) -> list[tuple[str, bool]]:
    return [(f.kind, f.active) for f in findings]


def test_what_is_called_usual_ends_and_its_like_is_held_back_and_counted() -> None:
    estate = Judged()
    estate.run(400)
    (found,) = estate.run(40, {1: 0.7})
    (over,) = estate.usual(found)
    assert (over.key, over.active) == (
        found.key,
        False,
    ) and "ann called this usual: a nightly job" in over.summary
    assert estate.run(40, {1: 0.7}) + estate.run(400) + estate.run(60, {1: 0.72}) == []
    assert [h.judgement for h in estate.held] == ["j1"] and "is 72 %" in estate.held[0].text


def test_what_goes_further_is_told_all_the_same() -> None:
    estate = Judged()
    estate.run(400)
    (found,) = estate.run(40, {1: 0.7})
    estate.usual(found)
    estate.run(400)
    assert estate.run(40, {1: 0.7}) == []
    (worse,) = estate.run(40, {1: 0.98})
    assert worse.active and worse.key == found.key and "is 98 %" in worse.summary


def test_it_is_meant_as_far_as_it_has_gone_when_it_is_said() -> None:
    estate = Judged()
    estate.run(400)
    (found,) = estate.run(24, {1: 0.7})
    estate.run(10, {1: 0.9})
    assert _told(estate.usual(found)) == [("level", False)] and estate.run(20, {1: 0.9}) == []
    data = estate.said["j1"].data
    assert data["bound"] == 0.9 and data["text"] == "CPU utilization (m0) of db-1 up to 90 %"


def test_taken_back_it_is_told_again_while_it_lasts() -> None:
    estate = Judged()
    estate.run(400)
    (found,) = estate.run(40, {1: 0.7})
    estate.usual(found)
    estate.run(20, {1: 0.7})
    estate.back()
    (again,) = estate.run(30, {1: 0.7})
    assert again.active and again.key == found.key


def test_it_holds_at_its_time_of_day_only() -> None:
    estate = Judged()
    estate.run(400)
    (found,) = estate.run(40, {1: 0.7})
    minute = estate.now // 60_000 % 1440
    estate.usual(found, period=1440, begin=(minute - 60) % 1440, length=120)
    estate.run(400)
    assert _told(estate.run(40, {1: 0.7})) == [("level", True)]  # hours later


def test_it_survives_a_restart_with_and_without_what_was_learned() -> None:
    for lost in (False, True):
        estate = Judged()
        estate.run(400)
        (found,) = estate.run(40, {1: 0.7})
        estate.usual(found)
        estate.run(20, {1: 0.7})
        estate.restart(lost=lost)
        assert estate.tell(list(estate.said.values())) == []
        assert estate.run(100, {1: 0.7}) + estate.run(500) + estate.run(60, {1: 0.7}) == []
        assert {h.judgement for h in estate.held} == {"j1"}


def test_an_alert_that_was_told_before_a_restart_ends_when_it_is_called_usual_after_it() -> None:
    estate = Judged()
    estate.run(400)
    (found,) = estate.run(40, {1: 0.7})
    estate.restart([_alert(found)], lost=True)
    assert _told(estate.usual(found)) == [("level", False)]


def test_a_message_that_is_called_usual_is_not_told_again() -> None:
    estate = Judged(per_host=1)
    for k in range(300):
        estate.step(logs=_usual_logs(k))
    new = [{"body": f"could not write block {k}: No space left on device", "severity": 17} for k in range(3)]
    estate.step(logs=new)
    (found,) = [f for f in estate.findings if f.kind == "new_template"]
    assert _told(estate.usual(found)) == [("new_template", False)]
    estate.run(130)
    assert [f.active for f in estate.findings if f.kind == "new_template"] == [True, False]


def _deploy(estate: Judged, item: str) -> Event:
    return Event(
        "d1",
        "change",
        "firing",
        "deploy v42",
        "info",
        "",
        estate.now,
        0,
        estate.now,
        {},
        {},
        "",
        "test",
        item,
    )


def test_a_finding_names_the_change_it_began_after_and_its_level_is_usual_sooner() -> None:
    ends = []
    for changed in (False, True):
        estate = Judged()
        estate.run(400)
        if changed:
            estate.tell(events=[_deploy(estate, HOSTS[0])])
        estate.run(8)
        (found,) = estate.run(40, {1: 0.7})
        reasons = [r.text for r in found.because if r.kind is ReasonKind.CHANGE]
        assert reasons == (["It began 2 minutes after “deploy v42” of db-1."] if changed else [])
        over = estate.run(4 * 60 * 6, {1: 0.7})
        ends.append([f.summary.rpartition("%. ")[2] for f in over if not f.active])
    assert ends == [[], ["It has stayed for two hours since “deploy v42” of db-1 and is taken as usual now."]]
