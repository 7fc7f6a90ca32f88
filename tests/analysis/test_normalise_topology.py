"""The graph and the map it is kept in: grown in small steps it is the same as made at once, and whoever holds an older
version holds it unchanged."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.model.shared_map import SharedMap
from watchkeeper.model.topology import Discovery, Identifier, Item, Relation, RelationKind, Topology

ids = st.sampled_from("abcdef")
names = st.sampled_from(
    [Identifier("hostname", "db1"), Identifier("fqdn", "db1.example.org"), Identifier("fqdn", "db1.example.net"),
     Identifier("address", "10.0.0.1"), Identifier("service.name", "cart"), Identifier("service.name", "shop/cart"),
     Identifier("k8s.pod", "eu/shop/cart-1"), Identifier("k8s.pod", "shop/cart-1")]
)  # fmt: skip
items = st.builds(
    lambda i, n, kind: Item(i, kind, i, tuple(n)),
    ids,
    st.lists(names, unique=True, max_size=3),
    st.sampled_from(["host", "x"]),
)
relations = st.builds(Relation, ids, ids, st.sampled_from(list(RelationKind)), st.sampled_from(["", "host"]))
discoveries = st.builds(
    lambda i, r: Discovery(0, "x", tuple(i), tuple(r)),
    st.lists(items, max_size=4),
    st.lists(relations, max_size=4),
)


def everything(t: Topology) -> tuple[object, ...]:
    nodes = {*t.items, *(r.source for r in t.relations), *(r.target for r in t.relations)}
    return (
        dict(t.items), set(t.relations), dict(t.by_identifier),
        {n: (tuple(t.outgoing.get(n, ())), tuple(t.incoming.get(n, ())), t.needs(n), t.neighbours(n)) for n in nodes},
        {x: t.resolve([x]) for x in t.by_identifier},
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(discoveries, max_size=6), st.lists(relations, max_size=3))
def test_small_steps_come_to_the_same_as_one(steps: list[Discovery], gone: list[Relation]) -> None:
    versions, seen = [Topology()], []
    for d in steps:
        seen.append(everything(versions[-1]))
        versions.append(versions[-1].with_discovery(d))
    seen.append(everything(versions[-1]))
    assert [everything(v) for v in versions] == seen, "an older version has changed"
    last = versions[-1].without_relations(gone)
    kept = [r for r in versions[-1].relations if r not in gone]
    assert everything(last) == everything(Topology(last.items.values(), kept))
    assert last.relations == set(kept)
    for x, i in last.by_identifier.items():
        assert x in last.items[i].identifiers, "who lost a name does not bear it"


@given(discoveries)
def test_what_is_not_new_makes_no_new_version(d: Discovery) -> None:
    once = Topology().with_discovery(d)
    again = once.with_discovery(Discovery(1, "y", tuple(once.items.values()), tuple(once.relations)))
    assert again is once
    assert once.without_relations([Relation("never", "seen", RelationKind.RUNS_ON)]) is once


keys = st.text("ab", max_size=3)


@given(st.lists(st.tuples(st.dictionaries(keys, st.integers()), st.lists(keys)), max_size=8))
def test_the_map_is_a_dict_that_keeps_its_past(steps: list[tuple[dict[str, int], list[str]]]) -> None:
    shared: SharedMap[str, int] = SharedMap()
    plain: dict[str, int] = {}
    past = []
    for entries, gone in steps:
        past.append((shared, dict(plain)))
        shared = shared.updated(entries, gone)
        plain = {k: v for k, v in plain.items() if k not in gone} | entries
        assert dict(shared) == plain and len(shared) == len(plain) and shared == plain
        assert all(shared[k] == shared.get(k) == v and k in shared for k, v in plain.items())
        assert shared.get("none") is None and shared.get("none", 7) == 7
        assert shared == SharedMap(plain)
    assert all(dict(old) == was for old, was in past)


def test_names_that_stand_for_another() -> None:
    long = Item("a", "host", "a", (Identifier("fqdn", "db1.example.org"),))
    short = [Identifier("hostname", "db1")]
    t = Topology([long])
    assert t.resolve(short) is long
    other = Item("b", "host", "b", (Identifier("fqdn", "db1.example.net"),))
    assert Topology([long, other]).resolve(short) is None
    plain = Item("c", "host", "c", (Identifier("hostname", "db1"),))
    assert Topology([plain]).resolve(long.identifiers) is plain
    assert Topology([long, plain]).resolve(short) is plain, "its own name before another's short one"
    named = Item("c", "host", "c", (*short, Identifier("fqdn", "db1.example.com")))
    assert Topology([named]).resolve(long.identifiers) is None, "it has a long name, and that is another"
