"""What people say of templates, from outside the miner: it holds, lives through a restart, and can be taken back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from watchkeeper.analysis.templates import TemplateMiner
from watchkeeper.model.log_corrections import TemplateCorrection

QUEUES = [f"queue {word} is full again" for word in ("red", "blue", "green", "black", "white", "grey")]


def _ids(miner: TemplateMiner, lines: list[str]) -> list[int]:
    found: list[int] = miner.canonical(miner.learn(lines)).tolist()
    return found


def test_two_are_one_until_it_is_taken_back() -> None:
    miner = TemplateMiner()
    up, down = _ids(miner, ["link 3 is up", "link 4 is down"])
    assert up != down
    miner.correct("a", TemplateCorrection(up, other=down))
    assert _ids(miner, ["link 5 is down", "link 5 is up"]) == [up, up]
    assert miner.canonical(np.array([down], np.uint64)).tolist() == [up]
    assert miner.text(up) == miner.text(down) == "link <*> is <*>"
    assert (down, "link <*> is <*>", up) in miner.reworded()
    miner.correct("a", None)
    assert _ids(miner, ["link 5 is down", "link 5 is up"]) == [down, up]
    assert (down, "link <*> is down", 0) in miner.reworded()


def test_one_is_several_by_a_word_until_it_is_taken_back() -> None:
    miner = TemplateMiner()
    (whole,) = set(_ids(miner, QUEUES * 2))
    miner.correct("s", TemplateCorrection(whole, place=1))
    parts = _ids(miner, QUEUES)
    assert len(set(parts)) == len(QUEUES) and whole not in parts
    assert miner.text(parts[0]) == "queue red is full again"
    assert _ids(miner, [*QUEUES, "queue pink is full again"])[:6] == parts
    miner.correct("s", None)
    assert set(_ids(miner, QUEUES)) == {whole}
    assert set(miner.canonical(np.array(parts, np.uint64)).tolist()) == {whole}


def test_corrections_and_the_ids_of_parts_live_through_a_restart() -> None:
    miner, again = TemplateMiner(), TemplateMiner()
    (whole,) = set(_ids(miner, QUEUES * 2))
    up, down = _ids(miner, ["link 3 is up", "link 4 is down"])
    miner.correct("m", TemplateCorrection(up, other=down))
    miner.correct("s", TemplateCorrection(whole, place=1))
    parts = _ids(miner, QUEUES)
    assert again.restore(json.loads(json.dumps(miner.snapshot())))
    again.correct("s", TemplateCorrection(whole, place=1))  # told once more at every start
    assert _ids(again, [*QUEUES, "link 9 is down"]) == [*parts, up]


def test_a_correction_that_comes_before_its_templates_holds_when_they_come() -> None:
    """After a restart without a snapshot, records are told first and lines come after."""
    known = TemplateMiner()
    up, down = _ids(known, ["link 3 is up", "link 4 is down"])
    miner = TemplateMiner()
    miner.correct("m", TemplateCorrection(up, other=down))
    assert _ids(miner, ["link 4 is down", "link 3 is up"]) == [up, up]


@pytest.mark.parametrize("place", [2, 99])
def test_a_value_that_is_no_word_or_not_there_tells_nothing_apart(place: int) -> None:
    miner = TemplateMiner()
    lines = [f"queue {w} holds {n} entries" for n, w in enumerate(("red", "blue", "green", "black", "white"))]
    (whole,) = set(_ids(miner, lines))
    miner.correct("s", TemplateCorrection(whole, place=place))
    assert len(set(_ids(miner, lines))) == 1


def test_merges_that_point_at_each_other_end() -> None:
    miner = TemplateMiner()
    a, b, c = _ids(miner, ["one 1", "two 2", "three 3"])
    for name, (to, other) in {"x": (a, b), "y": (b, c), "z": (c, a)}.items():
        miner.correct(name, TemplateCorrection(to, other=other))
    assert len(set(_ids(miner, ["one 1", "two 2", "three 3"]))) == 1


def test_ids_stay_when_a_release_reads_lines_otherwise() -> None:
    """A snapshot of the release before: its templates keep their ids under the rules of now."""
    key = ["took", " ", "\x01", ".", "\x01", " ", "ms"]
    state = {
        "version": "shape-words-1", "lines": 3, "aliases": {}, "masked": [],
        "groups": [[4711, 0, "\x1f".join(key), "\x1f".join(key), 3, 3]],
    }  # fmt: skip
    miner = TemplateMiner()
    assert miner.restore(json.loads(json.dumps(state)))
    assert _ids(miner, ["took 1.5 ms"]) == [4711] and miner.text(4711) == "took <*> ms"
