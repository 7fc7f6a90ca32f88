"""What every correlator must keep to, run on all that are found in the package."""

from __future__ import annotations

import pickle
import random

import msgspec
import pytest

from tests.contract.finding import classes
from watchkeeper.analysis import correlators
from watchkeeper.analysis.correlators.arrival import Arrival, Correlator, Member
from watchkeeper.model.topology import Item, Relation, RelationKind, Topology

NOW = 1_700_000_000_000


every = pytest.mark.parametrize(
    "kind", classes(correlators, "place", "release", "version"), ids=lambda k: k.__name__
)
GRAPH = Topology(
    [Item(f"i{n}", "service", f"i{n}") for n in range(60)],
    [Relation(f"i{n}", f"i{n + 1}", RelationKind.DEPENDS_ON) for n in range(59) if n % 6 != 5],
)


def alerts(count: int, seed: int = 1) -> list[Arrival]:
    chance, at, out = random.Random(seed), NOW, []
    for n in range(count):
        at += chance.choice((0, 10, 1000, 60_000))
        item = f"i{chance.randrange(70)}"
        out.append(Arrival(f"a{n}", at, item, f"name{n % 5}", n, (f"item={item}",)))
    return out


def groups(correlator: Correlator, told: list[Arrival]) -> set[frozenset[str]]:
    numbers = {correlator.where(a.id) for a in told}
    return {frozenset(g.members) for n in numbers if (g := correlator.group(n)) is not None}


@every
def test_the_same_alerts_give_the_same_groups(kind: type[Correlator]) -> None:
    told = alerts(300)
    a, b = kind(), kind()
    a.place(told, GRAPH)
    b.place(told, GRAPH)
    assert groups(a, told) == groups(b, told)


@every
def test_every_alert_is_in_just_one_group_with_reasons(kind: type[Correlator]) -> None:
    told, correlator = alerts(300), kind()
    correlator.place(told, GRAPH)
    assert sorted(x for g in groups(correlator, told) for x in g) == sorted(a.id for a in told)
    for a in told:
        group = correlator.group(correlator.where(a.id))
        assert group is not None
        because = group.members[a.id].because
        assert because
        assert all(r.text.endswith(".") and 0 <= r.weight <= 1 for r in because)


@every
def test_a_later_alert_does_not_change_what_was_settled_half_an_hour_ago(kind: type[Correlator]) -> None:
    told = alerts(400)
    part, whole = kind(), kind()
    part.place(told[:240], GRAPH)
    whole.place(told, GRAPH)
    settled = {a.id for a in told[:240] if a.time_ms < told[239].time_ms - 1_800_000}
    assert settled
    cut = {g & settled for g in groups(part, told[:240])}
    assert cut - {frozenset()} == {g & settled for g in groups(whole, told)} - {frozenset()}


@every
def test_it_goes_on_after_pickling(kind: type[Correlator]) -> None:
    told = alerts(200)
    one, other = kind(), kind()
    one.place(told, GRAPH)
    other.place(told[:100], GRAPH)
    other = pickle.loads(pickle.dumps(other))
    other.place(told[100:], GRAPH)
    assert groups(one, told) == groups(other, told)


@every
def test_what_was_learned_is_plain_data_and_anything_else_is_as_good_as_nothing(
    kind: type[Correlator],
) -> None:
    one, other = kind(), kind()
    one.place(alerts(300), GRAPH)
    plain = msgspec.msgpack.decode(msgspec.msgpack.encode(one.snapshot()))
    other.restore(plain)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(other.snapshot())) == plain
    for nothing in (None, {}, {"version": "another"}, []):
        kind().restore(nothing)


@every
def test_people_regroup_and_arrivals_respect_it(kind: type[Correlator]) -> None:
    told, correlator = alerts(50), kind()
    correlator.place(told, GRAPH)
    group = correlator.group(correlator.where("a0"))
    other = correlator.group(correlator.where("a49"))
    assert group is not None and other is not None
    members: list[Member] = [group.members["a0"], other.members["a49"]]
    number = correlator.adopt(members, GRAPH, kept=True)
    correlator.place([a._replace(id=f"again-{a.id}", time_ms=told[-1].time_ms + 1) for a in told], GRAPH)
    assert correlator.where("a0") == correlator.where("a49") == number
    correlator.close(number)
    assert number not in correlator.place(
        [told[-1]._replace(id="later", time_ms=told[-1].time_ms + 2)], GRAPH
    )
    correlator.forget(number)
    assert correlator.where("a0") == 0


@every
def test_hostile_words_are_only_words(kind: type[Correlator]) -> None:
    nasty = ["", "\x00", "a" * 100_000, "\ud800", "{}", "%s", "'; drop", "🜏"]
    told = [Arrival(f"n{i}", NOW + i, w, w, i, (w, f"{w}={w}")) for i, w in enumerate(nasty)]
    told.append(Arrival("past", -(2**40), "i1", "x", 1))
    told.append(Arrival("future", 2**50, "i1", "x", 2))
    correlator = kind()
    correlator.place(told, GRAPH)
    assert all(correlator.where(a.id) for a in told)
