"""A preview says how many groups other parameters would have made, and which would be one or several."""

from __future__ import annotations

from tests.analysis.alerts_told import NOW, topology
from watchkeeper.analysis.correlators.arrival import Arrival
from watchkeeper.analysis.correlators.previewing import preview
from watchkeeper.api.jobs import in_words
from watchkeeper.model.correlation import Parameters

GRAPH = topology()


def told(n: int, item: str, at_ms: int) -> Arrival:
    return Arrival(f"a{n}", at_ms, item, f"Alert{n}", n)


ALERTS = [
    told(1, "front", NOW),
    told(2, "cart", NOW + 1000),
    told(3, "front", NOW + 300_000),
    told(4, "mail", NOW + 1000),
]


def test_a_shorter_pause_takes_apart_and_a_longer_one_together() -> None:
    used, short = Parameters(), Parameters(pause_ms=60_000)
    apart = preview(ALERTS, GRAPH, used, short)
    assert (apart.now, apart.then, apart.together) == (2, 3, [])
    [one] = apart.apart
    assert one.whole == {"a1", "a2", "a3"} and set(one.parts) == {frozenset({"a1", "a2"}), frozenset({"a3"})}
    together = preview(ALERTS, GRAPH, short, used)
    assert (together.now, together.then, together.apart) == (3, 2, [])
    assert together.together == [one]


def test_it_is_told_in_words() -> None:
    made = preview(ALERTS, GRAPH, Parameters(), Parameters(pause_ms=60_000))
    said = in_words(made, {a.id: a for a in ALERTS}, 7)
    assert said["summary"] == "4 alerts of these 7 days would have given 3 situations instead of 2."
    [one] = said["differences"]
    assert (one["at"][:16], one["said"], one["rest"]) == (
        "2023-11-14T22:13",
        "2 situations would come of one",
        0,
    )
    assert one["groups"] == [
        {"alert": "a1", "name": "Alert1", "others": 1},
        {"alert": "a3", "name": "Alert3", "others": 0},
    ]
    assert said["more"] == []
    same = in_words(preview(ALERTS, GRAPH, Parameters(), Parameters()), {a.id: a for a in ALERTS}, 1)
    assert same["more"] == ["Nothing would be grouped otherwise."]
