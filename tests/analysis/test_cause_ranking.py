"""Causes from alerts: what is unusual, what explains the others, what lies below, what was changed."""

from __future__ import annotations

from tests.analysis.alerts_told import NOW, Stages, event, topology
from watchkeeper.analysis.causes.clue import Change, Clue
from watchkeeper.analysis.causes.impact import Impact
from watchkeeper.analysis.causes.ranking import Ranking
from watchkeeper.analysis.stages.determine_cause import BUDGET
from watchkeeper.model.topology import Item, Relation, RelationKind, Topology

MANY = topology([(f"app{n}", f"db{n // 5}") for n in range(40)])


def clue(item: str, name: str = "Slow", at: int = 0, rank: int = 2) -> Clue:
    return Clue(item, name, NOW + at, rank)


def best(finder: Ranking, clues: list[Clue], graph: Topology = MANY) -> str:
    return finder.rank(clues, graph)[0].item


def test_what_all_sufferers_need_is_the_cause_though_it_says_nothing_itself() -> None:
    causes = Ranking().rank([clue("app0"), clue("app1", at=500), clue("app2", at=900)], MANY)
    assert causes[0].item == "db0"
    assert causes[0].because[0].text == "app0, app1, app2 need db0."
    assert 0 < causes[-1].score <= causes[0].score <= 1
    assert len(causes) <= 5


def test_one_that_suffers_alone_is_its_own_cause() -> None:
    assert best(Ranking(), [clue("app0"), clue("app0", "Errors")]) == "app0"


def test_most_alerts_do_not_win_over_the_one_that_is_needed() -> None:
    noisy = [clue("app1", f"Noise{n}", at=60_000) for n in range(3)]
    assert best(Ranking(), [clue("db0", "Down"), clue("app0", at=40_000), *noisy]) == "db0"


def test_the_earliest_alert_does_not_win_either() -> None:
    told = [clue("app0"), clue("app1", at=4000), clue("app2", at=5000), clue("db0", "Down", at=6000, rank=3)]
    assert best(Ranking(), told) == "db0"


def test_what_fires_in_every_situation_says_little() -> None:
    finder = Ranking()
    for n in range(30):
        habit = [clue("app7", "Threads"), clue("app8", "Threads"), clue(f"app{n % 5 + 10}", "Slow")]
        finder.learn(habit, MANY)
    told = [clue("app7", "Threads"), clue("app8", "Threads"), clue("app30", "Slow")]
    assert best(finder, told) == "app30"


def test_parts_struck_alike_point_at_their_whole_and_one_struck_alone_at_itself() -> None:
    items = [Item("svc", "service", "svc"), *(Item(f"pod{n}", "instance", f"pod{n}") for n in range(3))]
    graph = Topology(items, [Relation(f"pod{n}", "svc", RelationKind.MEMBER_OF) for n in range(3)])
    assert best(Ranking(), [clue(f"pod{n}", x) for n in range(3) for x in ("Cpu", "Memory")], graph) == "svc"
    assert best(Ranking(), [clue("pod1", x) for x in ("Cpu", "Memory", "Disk")], graph) == "pod1"


def test_a_change_shortly_before_is_named_with_the_item_and_an_old_one_is_not() -> None:
    told = [clue("app0", at=0), clue("app5", at=100)]
    fresh = {"app5": [Change("c1", "app5", "Deploy 42", NOW - 60_000)]}
    cause = Ranking().rank(told, MANY, fresh)[0]
    assert (cause.item, cause.change) == ("app5", "c1")
    assert "app5 was changed 1 minute before: Deploy 42." in [r.text for r in cause.because]
    old = {"app5": [Change("c1", "app5", "Deploy 42", NOW - 10_000_000)]}
    assert all(not c.change for c in Ranking().rank(told, MANY, old))


def test_trouble_goes_against_the_dependency_and_ends_after_three_steps() -> None:
    impact = Impact()
    impact.follow(topology([("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")]))
    assert list(impact.behind("a")) == ["a", "b", "c", "d"]
    assert list(impact.reached("e")) == ["e", "d", "c", "b"]


def test_clues_without_an_item_give_no_cause() -> None:
    assert Ranking().rank([clue("")], MANY) == []
    assert Ranking().rank([], MANY) == []


def test_the_work_of_one_read_is_bounded_and_what_waits_is_done_on_ticks() -> None:
    stages = Stages(MANY)
    count = BUDGET + 500
    stages.read([event("Down", f"far{n}", NOW + n) for n in range(count)], at_ms=NOW + count)
    assert len(stages.situations) == count
    waiting = [s for s in stages.situations.values() if not s.causes]
    assert len(waiting) == 500
    stages.read(at_ms=NOW + count + 1000)
    assert all(s.causes for s in stages.situations.values())


def test_a_change_told_as_an_event_reaches_the_situation() -> None:
    stages = Stages()
    stages.read([event("Deploy 7", "cart", NOW, kind="change")], at_ms=NOW)
    stages.read([event("Errors", "cart", NOW + 60_000)], at_ms=NOW + 60_000)
    (situation,) = stages.open()
    assert situation.causes[0].change == f"Deploy 7-cart-{NOW}"
    assert situation.version == "graph-time-2 ranking-1"


def test_a_candidate_says_what_it_explains_and_only_one_without_alerts_that_it_is_inferred() -> None:
    graph = topology((("front", "cart"), ("cart", "redis"), ("orders", "redis"), ("mail", "disk")))
    clues = [
        Clue("front", "Slow", NOW + 50),
        Clue("cart", "Slow", NOW),
        Clue("orders", "Slow", NOW + 9),
        Clue("mail", "Slow", NOW),
    ]
    causes = {c.item: [r.text for r in c.because] for c in Ranking().rank(clues, graph)}
    assert "redis has no alert of its own: it is inferred from what needs it." in causes["redis"]
    assert "It explains 3 of the 4 items in trouble, and not mail." in causes["redis"]
    assert not any("no alert of its own" in text for text in causes["cart"])


def test_a_change_that_is_told_after_what_it_broke_is_named_too() -> None:
    stages = Stages()
    stages.read([event("Slow", "front", NOW + 60_000), event("Full", "disk", NOW)], at_ms=NOW + 60_000)
    later = NOW + 65_000
    stages.read([event("Deploy 7", "cart", later, kind="change", starts_ms=NOW)], at_ms=later)
    changed = {c.item: c.change for s in stages.open() for c in s.causes if c.change}
    assert changed == {"cart": f"Deploy 7-cart-{later}"}
