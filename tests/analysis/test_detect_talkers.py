"""Who talks to whom for the first time, from flows: told after a day of learning, once, and bounded."""

from __future__ import annotations

from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.stages.detect import Detect
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.topology import Discovery, Item, Relation, RelationKind, Topology, item_id
from watchkeeper.model.verdicts import Finding

HOUR = 3_600_000
BEGIN = 1_750_000_000_000
NAMES = [f"host-{n}" for n in range(400)]
TOPOLOGY = Topology([Item(item_id("host", n), "host", n) for n in NAMES])


class Network:
    """Machines whose flows show who asks whom."""

    def __init__(self) -> None:
        self.stage, self.now = Detect(), BEGIN

    def talk(
        self, *pairs: tuple[int, int], hours: float = 1.0, acts: list[Act] | None = None
    ) -> list[Finding]:
        ends = [(item_id("host", NAMES[a]), item_id("host", NAMES[b])) for a, b in pairs]
        relations = tuple(Relation(a, b, RelationKind.DEPENDS_ON, "netflow") for a, b in ends)
        work = Work(
            1,
            1,
            self.now,
            TOPOLOGY,
            acts=acts or [],
            discoveries=[Discovery(self.now, "netflow", (), relations)],
        )
        self.stage.process(work)
        self.now += int(hours * HOUR)
        return work.findings

    def restart(self) -> None:
        state = self.stage.snapshot()
        self.stage = Detect()
        self.stage.restore(state, [], [])


def test_a_new_talker_is_told_once_after_a_day_and_is_over_after_an_hour() -> None:
    network = Network()
    assert network.talk((0, 1), (0, 2), hours=12) + network.talk((0, 3), hours=20) == []
    network.restart()
    (found,) = network.talk((0, 1), (0, 4), hours=0.5)
    assert (
        found.summary
        == "host-0 talks to host-4, which it had never done in the 32 hours that its flows are known."
    )
    assert (found.kind, found.item) == ("new_talker", item_id("host", "host-0"))
    assert network.talk((0, 4)) == []
    (over,) = network.talk()
    assert (over.key, over.active) == (found.key, False)
    assert network.talk((0, 4)) == []


def test_who_asks_anybody_is_no_news() -> None:
    network = Network()
    network.talk((0, 1), hours=30)
    told = [f for n in range(2, 300) for f in network.talk((0, n), hours=0.01) if f.active]
    assert len(told) == 3


def test_what_was_called_usual_is_not_told_again() -> None:
    network = Network()
    network.talk((0, 1), hours=30)
    (found,) = network.talk((0, 2), hours=0.1)
    data = {"key": found.because[0].data["key"], "name": found.name, "item": found.item, "why": "it moved"}
    said = Act(id="j", kind=ActKind.USUAL, target="x", actor="ann", time_ms=network.now, data=data)
    assert [f.active for f in network.talk(acts=[said])] == [False]
    assert network.talk(hours=3) == []
