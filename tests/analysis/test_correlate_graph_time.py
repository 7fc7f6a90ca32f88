"""The correlator: what order of delivery, hubs, storms, second blows and chance neighbours do to groups."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.alerts_told import NOW, topology
from watchkeeper.analysis.correlators.arrival import Arrival, Member
from watchkeeper.analysis.correlators.graph_time import BLOW, GraphTime
from watchkeeper.analysis.correlators.near import Near
from watchkeeper.analysis.correlators.settle import SETTLE_MS
from watchkeeper.model.topology import Item, Relation, RelationKind, Topology

GRAPH = topology(
    (
        ("a", "b"),
        ("b", "c"),
        ("c", "d"),
        ("x", "y"),
        ("y", "z"),
        ("p", "q"),
        ("q", "r"),
        ("r", "s"),
        ("s", "t"),
    )
)
ITEMS = (*sorted(GRAPH.items), "nowhere", "")


def arrival(number: int, item: str, at_ms: int, what: int | None = None) -> Arrival:
    labels = (f"team={number % 3}", f"zone={number % 2}")
    return Arrival(f"{number:04}", at_ms, item, f"name{number % 4}", number if what is None else what, labels)


def partition(correlator: GraphTime) -> set[frozenset[str]]:
    return {frozenset(g.members) for g in correlator.groups.all.values() if g.members}


streams = st.lists(
    st.tuples(st.sampled_from(ITEMS), st.integers(0, 8000), st.integers(0, 12)), min_size=1, max_size=40
)


def stream(found: list[tuple[str, int, int]]) -> list[Arrival]:
    at, out = NOW, []
    for number, (item, pause, what) in enumerate(found):
        at += pause
        out.append(arrival(number, item, at, what))
    return out


@settings(max_examples=80, deadline=None)
@given(streams, st.data())
def test_order_of_delivery_within_the_settling_delay_does_not_matter(
    found: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    """The stated rule: alerts that begin within SETTLE_MS of each other may come in any order and any batches."""
    arrivals = stream(found)
    delays = {a.id: data.draw(st.integers(0, SETTLE_MS - 1)) for a in arrivals}
    in_order, delayed = GraphTime(), GraphTime()
    in_order.place(arrivals, GRAPH)
    rest = sorted(arrivals, key=lambda a: (a.time_ms + delays[a.id], a.id))
    while rest:
        size = data.draw(st.integers(1, 5))
        delayed.place(rest[:size], GRAPH)
        rest = rest[size:]
    assert partition(delayed) == partition(in_order)


@settings(max_examples=40, deadline=None)
@given(streams)
def test_what_has_settled_stays(found: list[tuple[str, int, int]]) -> None:
    """Later alerts add to groups; they move only what began within the last 20 s (the span of a second blow)."""
    arrivals = stream(found)
    correlator = GraphTime()
    for n, a in enumerate(arrivals):
        before = dict(correlator.groups.of)
        correlator.place([a], GRAPH)
        old = {x.id for x in arrivals[:n] if x.time_ms < a.time_ms - 20_000}
        homes = {i: correlator.groups.of[i] for i in old}
        assert homes == {i: before[i] for i in old}


def estate(shops: int = 4) -> Topology:
    """Shops of eight services on a host each, behind one core switch."""
    items, relations = [Item("core", "network", "core")], []
    for n in range(shops):
        items.append(Item(f"host{n}", "host", f"host{n}"))
        relations.append(Relation(f"host{n}", "core", RelationKind.DEPENDS_ON))
        for m in range(8):
            items.append(Item(f"s{n}{m}", "service", f"s{n}{m}"))
            relations.append(Relation(f"s{n}{m}", f"host{n}", RelationKind.RUNS_ON))
    return Topology(items, relations)


def test_a_hub_is_seen_and_does_not_pass_nearness_on() -> None:
    near = Near()
    near.follow(estate())
    assert near.hubs == {"core"}
    around = [x for x, _ in near.around("s00")]
    assert {"s01", "host0"} <= set(around)
    assert not any(x.startswith("s1") for x in around)


def test_storms_on_both_sides_of_a_hub_stay_apart_also_when_the_hub_speaks() -> None:
    graph, correlator = estate(), GraphTime()
    told = [arrival(n, f"s{n % 4}{n // 4}", NOW + 40 * n) for n in range(32)]
    correlator.place([*told, arrival(99, "core", NOW + 50_000)], graph)
    for shop in range(4):
        assert len({correlator.where(f"{n:04}") for n in range(32) if n % 4 == shop}) == 1
    assert len({correlator.where(f"{n:04}") for n in range(32)}) == 4


def test_when_all_hosts_lose_the_switch_that_itself_is_down_it_is_one_group() -> None:
    graph, correlator = estate(), GraphTime()
    told = [arrival(0, "core", NOW), *(arrival(n + 1, f"host{n}", NOW + 500 * n + 500) for n in range(4))]
    correlator.place(told, graph)
    assert len(partition(correlator)) == 1


def test_a_long_chain_of_services_is_not_swallowed_by_chance() -> None:
    """Unrelated trouble in a large connected graph: few of all that is near is struck, so groups stay small."""
    names = [f"n{i:03}" for i in range(400)]
    graph = topology(pairwise(names))
    correlator = GraphTime()
    correlator.place([arrival(i, names[i * 20], NOW + 1000 * i) for i in range(20)], graph)
    assert max(map(len, partition(correlator))) == 1


def test_a_second_blow_begins_a_group_of_its_own() -> None:
    correlator = GraphTime()
    items = ["a", "b", "c", "d"] * 2
    first = [arrival(n, x, NOW + 100 * n, what=n) for n, x in enumerate(items)]
    later = [arrival(100 + n, x, NOW + 120_000 + 100 * n, what=n) for n, x in enumerate(items)]
    correlator.place(first, GRAPH)
    correlator.place(later[: BLOW - 1], GRAPH)
    assert len(partition(correlator)) == 1, "a few told anew are no second blow"
    correlator.place(later[BLOW - 1 :], GRAPH)
    assert partition(correlator) == {frozenset(a.id for a in first), frozenset(a.id for a in later)}


def test_what_has_no_place_in_the_graph_is_joined_by_rare_labels_not_by_common_ones() -> None:
    correlator = GraphTime()

    def told(n: int, *labels: str) -> Arrival:
        return Arrival(f"{n:04}", NOW + 1000 * n, "", "Job failed", n, labels)

    before = [told(n - 1000, "env=prod", f"pod=q{n}") for n in range(100)]
    correlator.place(before, GRAPH)
    same = [told(n, "batch=nightly-77", "job=etl", "env=prod", f"pod=b{n}") for n in (1, 2)]
    correlator.place(same, GRAPH)
    assert correlator.where("0001") == correlator.where("0002")
    assert len(partition(correlator)) == 101
    correlator.place(
        [told(100 + n, "env=prod", f"pod=p{n}", f"job=j{n}", f"node=n{n}") for n in range(100)], GRAPH
    )
    assert len(partition(correlator)) == 201


def test_items_in_trouble_together_again_and_again_are_known_by_it() -> None:
    correlator, at = GraphTime(), NOW
    for n in range(5):  # told in one round with a batch of the shop
        batch = [arrival(100 * n + i, x, at) for i, x in enumerate(("a", "b", "c", "nowhere"))]
        correlator.place(batch, GRAPH)
        at += 3_600_000
    correlator.place([arrival(900, "a", at), arrival(901, "nowhere", at + 4321)], GRAPH)
    assert correlator.where("0900") == correlator.where("0901")
    group = correlator.group(correlator.where("0901"))
    assert group is not None
    assert any("have had alerts together about" in r.text for r in group.members["0901"].because)


def test_whoever_tells_much_teaches_no_more_than_one_situation() -> None:
    """An item counts once in a situation, however often it alerts: nobody becomes a partner by shouting."""
    correlator, at = GraphTime(), NOW
    items = [f"loose{n}" for n in range(12)]
    told = [Arrival(f"x{n}", at + 10 * n, x, "Odd", n, ("ticket=4711",)) for n, x in enumerate(items)]
    correlator.adopt([], GRAPH, kept=False)
    number = correlator.adopt([Member(told[0], ())], GRAPH, kept=False)
    for a in told[1:]:
        correlator.add(number, Member(a, ()))
    for n in range(500):
        again = Arrival(f"y{n}", at + 5000 + n, items[-1], "Odd", 1000 + n, ("ticket=4711",))
        correlator.place([again], GRAPH)
    correlator.close(number)
    assert correlator.history.times(items[-1], items[0], at) <= 1.0


def test_two_troubles_in_one_place_are_told_apart_by_the_rounds_in_which_they_are_told() -> None:
    chance, correlator, at = random.Random(5), GraphTime(), NOW

    def trouble(mark: str, begin: int, count: int = 60) -> list[Arrival]:
        times = sorted(
            begin + 15_000 * int(chance.expovariate(0.2)) + chance.randrange(100) for _ in range(count)
        )
        return [Arrival(f"{mark}{n}", t, chance.choice("abcd"), "Slow", n) for n, t in enumerate(times)]

    for n in range(12):  # one after another: the length of the rounds is learned
        correlator.place(trouble(f"before{n}-", at), GRAPH)
        at += 3_600_000
    assert correlator.rounds.period("Slow") == 15_000
    one, two = trouble("one-", at), trouble("two-", at + 67_000)
    correlator.place([*one, *two], GRAPH)
    groups = [g for g in partition(correlator) if any(a.startswith("two-") for a in g)]
    largest = max(groups, key=len)
    assert sum(a.startswith("two-") for a in largest) >= 0.85 * len(largest)
    assert len(largest) >= 0.85 * len(two)


def test_a_few_new_relations_in_a_large_graph_are_patched_in() -> None:
    pairs = [(f"n{i}-{j}", f"n{i}-{j + 1}") for i in range(1000) for j in range(5)]
    near, graph = Near(), topology(pairs)
    near.follow(graph)
    near.around("n1-0")
    grown = Topology(
        graph.items.values(), [*graph.relations, Relation("n1-0", "n2-0", RelationKind.DEPENDS_ON)]
    )
    near.follow(grown)
    assert "n2-0" in dict(near.around("n1-0"))
    assert "n1-1" in dict(near.around("n2-0"))
