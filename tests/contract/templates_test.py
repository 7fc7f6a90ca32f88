"""What every template miner must keep to, run on all that are found in the package."""

from __future__ import annotations

import pickle
import random

import msgspec
import numpy as np
import pytest

from tests.contract.finding import classes
from watchkeeper.analysis import templates
from watchkeeper.analysis.templates.miner import TemplateMiner

every = pytest.mark.parametrize("kind", classes(templates, "learn", "canonical", "text", "snapshot"))


def lines(count: int, seed: int = 1) -> list[str]:
    chance = random.Random(seed)
    formats = ("user {} logged in", "took {} ms", "", "no route to 10.0.0.{} via eth{}", "worker-{}: done")
    return [chance.choice(formats).format(chance.randrange(300), chance.randrange(9)) for _ in range(count)]


def words(miner: TemplateMiner, told: list[str]) -> list[str]:
    return [miner.text(i) for i in miner.canonical(miner.learn(told)).tolist()]


@every
def test_the_same_lines_give_the_same_ids_however_they_are_cut(kind: type[TemplateMiner]) -> None:
    told, whole = lines(1000), kind()
    ids = whole.canonical(whole.learn(told))
    for size in (1, 37, 999):
        other = kind()
        parts = [other.learn(told[i : i + size]) for i in range(0, len(told), size)]
        assert np.array_equal(other.canonical(np.concatenate(parts)), ids)


@every
def test_later_lines_change_no_earlier_id_but_by_a_merge_that_is_told(kind: type[TemplateMiner]) -> None:
    told, part, whole = lines(1000), kind(), kind()
    first = part.learn(told[:400])
    ids = whole.learn(told)
    assert np.array_equal(whole.canonical(first), whole.canonical(ids[:400]))


@every
def test_it_goes_on_after_pickling_and_after_a_restart(kind: type[TemplateMiner]) -> None:
    told, one = lines(1000), kind()
    one.learn(told[:500])
    pickled = pickle.loads(pickle.dumps(one))
    restored = kind()
    assert restored.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(one.snapshot())))
    wanted = words(one, told[500:])
    assert words(pickled, told[500:]) == wanted
    assert words(restored, told[500:]) == wanted


@every
def test_state_of_another_version_is_refused(kind: type[TemplateMiner]) -> None:
    one = kind()
    one.learn(lines(10))
    assert not kind().restore({**one.snapshot(), "version": "another"})
    assert not kind().restore(None)


@every
def test_an_empty_line_has_no_template_and_hostile_ones_are_only_lines(kind: type[TemplateMiner]) -> None:
    miner = kind()
    nasty = ["\x00", "\x1f\x1f", "<*>", "a" * 100_000, "(" * 5000, "\ud800", "🜏 1 🜏", "%s{}", " \t "]
    ids = miner.learn(["", *nasty])
    assert ids[0] == 0 and len(ids) == len(nasty) + 1
    assert kind().learn([]).shape == (0,)


@every
def test_random_lines_are_survived_within_bounds(kind: type[TemplateMiner]) -> None:
    chance, miner = random.Random(2), kind()
    for _ in range(20):
        miner.learn([f"{chance.getrandbits(64):x}z {chance.getrandbits(64):x}y q" for _ in range(2500)])
    assert len(pickle.dumps(miner.snapshot())) < 20_000_000
