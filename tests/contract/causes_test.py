"""What every cause finder must keep to, run on all that are found in the package."""

from __future__ import annotations

import pickle
import random

import msgspec
import pytest

from tests.contract.finding import classes
from watchkeeper.analysis import causes
from watchkeeper.analysis.causes.clue import CauseFinder, Clue
from watchkeeper.model.topology import Item, Relation, RelationKind, Topology

NOW = 1_700_000_000_000


every = pytest.mark.parametrize("kind", classes(causes, "rank", "learn", "version"), ids=lambda k: k.__name__)
chance = random.Random(3)
GRAPH = Topology(
    [Item(f"i{n}", "service", f"i{n}") for n in range(100)],
    [Relation(f"i{n}", f"i{chance.randrange(n)}", RelationKind.DEPENDS_ON) for n in range(1, 100)],
)
CLUES = [Clue(f"i{chance.randrange(120)}", f"name{n % 7}", NOW + n * 700, n % 4) for n in range(60)]


@every
def test_at_most_five_best_first_with_sentences(kind: type[CauseFinder]) -> None:
    said = kind().rank(CLUES, GRAPH)
    assert 0 < len(said) <= 5
    assert [c.score for c in said] == sorted((c.score for c in said), reverse=True)
    assert all(0 <= c.score <= 1 for c in said)
    assert len({c.item for c in said}) == len(said)
    for c in said:
        assert c.because
        assert all(r.text.endswith(".") and 0 <= r.weight <= 1 for r in c.because)


@every
def test_the_order_of_clues_does_not_matter(kind: type[CauseFinder]) -> None:
    mixed = random.Random(1).sample(CLUES, len(CLUES))
    assert kind().rank(mixed, GRAPH) == kind().rank(CLUES, GRAPH)


@every
def test_ranking_changes_nothing_and_a_pickled_finder_says_the_same(kind: type[CauseFinder]) -> None:
    finder = kind()
    finder.learn(CLUES[:20], GRAPH)
    first = finder.rank(CLUES, GRAPH)
    assert finder.rank(CLUES, GRAPH) == first
    assert pickle.loads(pickle.dumps(finder)).rank(CLUES, GRAPH) == first


@every
def test_what_was_learned_is_plain_data_and_anything_else_is_as_good_as_nothing(
    kind: type[CauseFinder],
) -> None:
    one, other = kind(), kind()
    for n in range(10):
        one.learn(CLUES[n : n + 20], GRAPH)
    plain = msgspec.msgpack.decode(msgspec.msgpack.encode(one.snapshot()))
    other.restore(plain)
    assert other.rank(CLUES, GRAPH) == one.rank(CLUES, GRAPH)
    for nothing in (None, {}, {"version": "another"}, []):
        kind().restore(nothing)


@every
def test_no_graph_no_item_and_hostile_words_are_survived(kind: type[CauseFinder]) -> None:
    finder = kind()
    assert finder.rank([], GRAPH) == []
    assert finder.rank([Clue("", "x", NOW)], GRAPH) == []
    for word in ("\x00", "a" * 100_000, "{}", "%s", "🜏"):
        finder.learn([Clue(word, word, NOW)] * 3, GRAPH)
        assert [c.item for c in finder.rank([Clue(word, word, NOW)], Topology())] == [word]


@every
def test_a_huge_situation_is_ranked_within_bounds(kind: type[CauseFinder]) -> None:
    clues = [Clue(f"i{n % 100}" if n % 2 else f"far{n}", f"n{n}", NOW + n) for n in range(20_000)]
    assert len(kind().rank(clues, GRAPH)) == 5
