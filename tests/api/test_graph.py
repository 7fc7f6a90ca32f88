"""Questions to the graph: impact by steps, redundancy, as it was at a time, and single points of failure beside
networkx as the oracle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import networkx
import pytest
import rustworkx as rx
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.domains.inventory import models
from watchkeeper.domains.inventory.impact import NEEDED_BY, reach
from watchkeeper.domains.inventory.weak_points import articulation
from watchkeeper.kernel.problems import MEDIA_TYPE

pytestmark = pytest.mark.django_db
THEN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def item(name: str, model: type[models.Item] = models.Item, **more: Any) -> Any:
    """An item that has been there since THEN."""
    more = {"kind": "service"} | more if model is models.Item else more
    return model.objects.create(id=name, name=name, first_seen_at=THEN, last_seen_at=THEN, **more)


def relate(
    source: str, kind: str, target: str, begin: dt.datetime = THEN, end: dt.datetime | None = None
) -> None:
    """A relation from then on."""
    models.Relation.objects.create(
        source_id=source, kind=kind, target_id=target, valid_from=begin, valid_to=end, last_seen_at=begin
    )


@pytest.fixture
def ask(api: Callable[..., Client]) -> Callable[..., Any]:
    """`ask("impact", item="a")` → the body."""
    client = api("read")

    def call(what: str, status: int = 200, **asked: str) -> Any:
        answer = client.get(f"/api/graph/{what}/", asked)
        assert answer.status_code == status, answer.content[:500]
        return answer.json()

    return call


def reached(body: Any) -> dict[str, int]:
    """Names and distances."""
    return {r["name"]: r["distance"] for r in body["results"]}


def test_impact_follows_what_suffers(ask: Callable[..., Any]) -> None:
    for name in ("shop", "cart", "redis", "host", "rack", "mail"):
        item(name)
    relate("shop", "depends_on", "cart")
    relate("cart", "depends_on", "redis")
    relate("redis", "runs_on", "host")
    relate("rack", "contains", "host")
    relate("mail", "runs_on", "host")
    assert reached(ask("impact", item="rack")) == {"host": 1, "redis": 2, "mail": 2, "cart": 3}
    whole = ask("impact", item="rack", hops="9")
    assert reached(whole)["shop"] == 4 and whole["count"] == 5 and not whole["more"]
    assert {"source": "cart", "target": "redis", "kind": "depends_on"} in whole["relations"]
    assert reached(ask("impact", item="shop", direction="needs", hops="9")) == {
        "cart": 1, "redis": 2, "host": 3, "rack": 4,
    }  # fmt: skip
    assert reached(ask("impact", item="mail")) == {}


def test_the_graph_as_it_was(ask: Callable[..., Any]) -> None:
    for name in ("a", "b", "c"):
        item(name)
    relate("a", "depends_on", "b", THEN, THEN + 2 * DAY)
    relate("a", "depends_on", "c", THEN + DAY)

    def needs(at: dt.datetime) -> set[str]:
        return set(reached(ask("impact", item="a", direction="needs", at=at.isoformat())))

    assert needs(THEN - DAY) == set() and needs(THEN) == {"b"}
    assert needs(THEN + DAY) == {"b", "c"} and needs(THEN + 2 * DAY) == {"c"}
    assert set(reached(ask("impact", item="a", direction="needs"))) == {"c"}


def test_a_redundancy_group_holds_while_enough_are_left(ask: Callable[..., Any]) -> None:
    group = item("pair", models.RedundancyGroup, needed=2)
    for name in ("n1", "n2", "n3", "power", "all-power", "app"):
        item(name)
    for name in ("n1", "n2", "n3"):
        models.GroupMember.objects.create(group=group, item_id=name)
        relate(name, "depends_on", "all-power")
    relate("app", "depends_on", "pair")
    relate("n1", "depends_on", "power")
    held = ask("impact", item="power")
    assert reached(held) == {"n1": 1} and held["spared"] == [{"id": "pair", "name": "pair", "left": 2}]
    fallen = ask("impact", item="all-power")
    assert reached(fallen) == {"n1": 1, "n2": 1, "n3": 1, "pair": 2, "app": 3} and fallen["spared"] == []


def test_circles_end_and_large_answers_are_cut(ask: Callable[..., Any]) -> None:
    for n in range(40):
        item(f"i{n}")
    for n in range(40):
        relate(f"i{n}", "depends_on", f"i{(n + 1) % 40}")
    assert ask("impact", item="i0", hops="20")["count"] == 20
    cut = reach("i0", NEEDED_BY, 20, most=5)
    assert len(cut.items) == 5 and cut.more


@pytest.mark.parametrize(
    ("asked", "named"),
    [({"item": "x", "hops": "0"}, "hops"), ({"item": "x", "hops": "many"}, "hops"), ({"item": "x", "at": "noon"}, "at"),
     ({"item": "x", "at": "2026-01-01T00:00:00"}, "at"), ({"item": "x", "direction": "up"}, "direction"),
     ({"item": "x", "depth": "3"}, "depth")],
)  # fmt: skip
def test_what_is_asked_wrongly_is_named(api: Callable[..., Client], asked: Any, named: str) -> None:
    item("x")
    answer = api("read").get("/api/graph/impact/", asked)
    assert answer.status_code == 400 and answer["Content-Type"] == MEDIA_TYPE
    assert answer.json()["parameter"] == named
    assert api("read").get("/api/graph/impact/", {"item": "nobody"}).status_code == 404
    assert api(None).get("/api/graph/impact/", {"item": "x"}).status_code == 401


def test_a_switch_that_everything_hangs_on(ask: Callable[..., Any]) -> None:
    for name in ("core", "a", "b", "c"):
        item(name, models.Device, kind="host")
        item(f"{name}-0", models.Interface, owner_id=name, label="0")
        relate(name, "contains", f"{name}-0")
    for name in ("a", "b", "c"):
        relate("core-0", "connects_to", f"{name}-0")
    assert ask("single-points-of-failure") == [{"id": "core", "name": "core", "kind": "host", "cut_off": 2}]


@given(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=40))
def test_articulation_points_agree_with_networkx(edges: list[tuple[int, int]]) -> None:
    ours: rx.PyGraph[str, None] = rx.PyGraph(multigraph=False)
    ours.add_nodes_from([f"{n:02}" for n in range(15)])
    ours.add_edges_from([(a, b, None) for a, b in edges if a != b])
    theirs = networkx.Graph()
    theirs.add_nodes_from(f"{n:02}" for n in range(15))
    theirs.add_edges_from((f"{a:02}", f"{b:02}") for a, b in edges if a != b)
    found = {p.id: p.cut_off for p in articulation(ours)}
    assert set(found) == set(networkx.articulation_points(theirs))
    for name, cut_off in found.items():
        part = networkx.node_connected_component(theirs, name) - {name}
        rest = theirs.subgraph(part)
        sizes = sorted(len(c) for c in networkx.connected_components(rest))
        assert cut_off == sum(sizes[:-1])
