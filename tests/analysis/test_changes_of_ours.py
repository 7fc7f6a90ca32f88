"""A change that is planned here reaches analysis as a change of its very item, and is offered as the cause of what breaks
after it."""

from __future__ import annotations

from watchkeeper.analysis.causes.clue import Change, Clue
from watchkeeper.analysis.causes.ranking import Ranking
from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.stages.normalise import Normalise
from watchkeeper.domains.changes import telling
from watchkeeper.model.signals import Stream
from watchkeeper.model.topology import Item, Topology

NOW = 1_800_000_000_000


def test_its_event_is_about_the_item_and_the_cause_says_how_long_before() -> None:
    graph = Topology([Item("i1", "host", "db1"), Item("i2", "host", "db2")], [])
    told = {"change": 7, "name": "change CHG-7 Swap the fan began", "ms": NOW, "status": "in_progress",
            "items": ["i1", "gone"]}  # fmt: skip
    rows = telling.rows(told, "http://here/changes/7/")
    work = Work(1, 1, NOW, graph, [(1, Stream.EVENTS, rows)])
    Normalise().process(work)
    assert [(e.kind, e.item) for e in work.events] == [("change", "i1"), ("change", "")]
    event = work.events[0]
    change = Change(event.id, event.item, event.name, event.starts_ms)
    (cause,) = Ranking().rank([Clue("i1", "Down", NOW + 240_000, 3)], graph, {"i1": [change]})
    assert "db1 was changed 4 minutes before: change CHG-7 Swap the fan began." in [
        r.text for r in cause.because
    ]
    assert telling.changed_by(cause.change) == "7"
