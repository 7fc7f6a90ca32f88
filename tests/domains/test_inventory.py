"""The inventory: what was discovered is what is loaded; identifiers move; relations end; people have the last word."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.domains.analysis_structs import NOW, plain, text, word
from watchkeeper.domains.inventory import close_stale, load_topology, models, names_of, write_discoveries
from watchkeeper.model.topology import Discovery, Identifier, Item, Relation, RelationKind, Topology, item_id

pytestmark = pytest.mark.django_db
_HOUR = 3_600_000


def host(name: str, *addresses: str, **changes: Any) -> Item:
    """A host that goes by its name and these addresses."""
    names = (Identifier("hostname", name), *(Identifier("address", a) for a in addresses))
    return Item(item_id("host", name), "host", name, names, **changes)


def write(*found: Discovery, at_ms: int = NOW) -> None:
    """In a transaction, as the writer does."""
    with transaction.atomic():
        write_discoveries(found, at_ms)


@st.composite
def graphs(draw: Any) -> tuple[list[Item], list[Relation]]:
    """Items that share no identifier, and relations among them."""
    items = [
        Item(
            item_id("thing", str(n)),
            draw(word),
            draw(text),
            tuple(
                Identifier(s, f"{n}-{v}")
                for s, v in draw(st.lists(st.tuples(word, word), max_size=3, unique=True))
            ),
            draw(st.booleans()),
            draw(word),
            draw(st.dictionaries(word, plain, max_size=2)),
        )
        for n in range(draw(st.integers(0, 4)))
    ]
    ends = st.sampled_from([i.id for i in items]) if items else st.nothing()
    edges = st.builds(Relation, source=ends, target=ends, kind=st.sampled_from(RelationKind), origin=word)
    return items, draw(st.lists(edges, max_size=6)) if items else []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=graphs())
def test_what_is_loaded_is_what_was_discovered(graph: tuple[list[Item], list[Relation]]) -> None:
    """Also when it is told twice."""
    models.Item.objects.all().delete()
    items, relations = graph
    for _ in range(2):
        write(Discovery(NOW, "t", tuple(items), tuple(relations)))
    loaded, said = load_topology(), Topology(items, relations)
    assert loaded.items == said.items
    assert loaded.relations == said.relations
    assert loaded.by_identifier == said.by_identifier


def test_an_address_moves_to_another_host() -> None:
    """It resolves to the new one, and the records say until when it was the old one's."""
    write(Discovery(NOW, "t", (host("a", "10.0.0.1"), host("b", "10.0.0.2"))))
    write(Discovery(NOW, "t", (host("b", "10.0.0.2", "10.0.0.1"),)), at_ms=NOW + _HOUR)
    topology = load_topology()
    moved = topology.resolve([Identifier("address", "10.0.0.1")])
    assert moved is not None and moved.name == "b"
    assert topology.items[item_id("host", "a")].identifiers == (Identifier("hostname", "a"),)
    past = models.Identifier.objects.exclude(valid_to=None).get()
    assert (past.item.name, past.value) == ("a", "10.0.0.1")


def test_relations_end_when_nothing_shows_them() -> None:
    """Unless a person has said so; shown again, they begin again."""
    a, b = host("a"), host("b")
    edge = Relation(a.id, b.id, RelationKind.DEPENDS_ON, "sockets")
    write(Discovery(NOW, "t", (a, b), (edge,)))
    times = {"valid_from": "2020-01-01T00:00:00Z", "last_seen_at": "2020-01-01T00:00:00Z"}
    models.Relation.objects.create(source_id=b.id, target_id=a.id, kind="runs_on", observed=False, **times)
    assert close_stale(NOW + _HOUR, 2 * _HOUR) == 0
    write(Discovery(NOW, "t", (), (edge,)), at_ms=NOW + 2 * _HOUR)
    assert close_stale(NOW + 3 * _HOUR, 2 * _HOUR) == 0
    assert close_stale(NOW + 5 * _HOUR, 2 * _HOUR) == 1
    assert load_topology().relations == {Relation(b.id, a.id, RelationKind.RUNS_ON, "")}
    write(Discovery(NOW, "t", (), (edge,)), at_ms=NOW + 6 * _HOUR)
    assert edge in load_topology().relations
    assert models.Relation.objects.filter(origin="sockets").count() == 2


def test_relations_to_nothing_are_left_out() -> None:
    """And stop nothing else."""
    a = host("a")
    write(Discovery(NOW, "t", (a,), (Relation(a.id, item_id("host", "ghost"), RelationKind.RUNS_ON, "t"),)))
    assert load_topology().relations == frozenset()
    assert names_of([a.id, "ghost"]) == {a.id: "a"}


def test_what_is_known_is_added_to() -> None:
    """Two origins that know different things; a confirmed item stays so."""
    write(Discovery(NOW, "poller", (host("a", "10.0.0.1", discovered=False, attributes={"os": "linux"}),)))
    write(Discovery(NOW, "spans", (host("a", attributes={"zone": "eu"}),)))
    found = load_topology().items[item_id("host", "a")]
    assert found.attributes == {"os": "linux", "zone": "eu"}
    assert found.discovered is False
    assert len(found.identifiers) == 2
