"""What was learned, over an upgrade: what another version has learned is kept where it can be read; what cannot is learned
again in quiet, and nobody is told a storm."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analysis.test_detect_stage import Estate, _alert, _usual_logs
from watchkeeper.analysis.stages.detect import Detect
from watchkeeper.model.verdicts import Alert


def _as_if_older(state: dict[str, Any], part: str) -> dict[str, Any]:
    """A snapshot of which one part was made by another version."""
    if part == "bank":
        state["levels"]["bank"]["version"] = "season-blocks-tails-1"
    elif part == "joint":
        state["together"]["joint"]["version"] = "mahalanobis-0"
    elif part == "before there were these":
        del state["together"], state["telling"], state["talkers"], state["stuck"], state["drifts"]
    elif part == "drift":
        state["drifts"]["drift"]["version"] = "blocks-line-0"
    else:
        state["version"] = "detect-0"
    return state


def _upgrade(estate: Estate, part: str, alerts: list[Alert] | None = None) -> None:
    state = _as_if_older(estate.stage.snapshot(), part)
    estate.stage = Detect()
    estate.stage.restore(state, alerts or [], [])


@pytest.mark.parametrize("part", ["bank", "joint", "drift", "before there were these", "all"])
def test_an_upgrade_is_no_storm(part: str) -> None:
    estate = Estate()
    estate.run(600)
    _upgrade(estate, part)
    assert estate.run(700) == []


def test_series_and_their_silence_are_known_after_the_bank_is_another() -> None:
    estate = Estate()
    estate.run(300)
    _upgrade(estate, "bank")
    estate.run(20)
    (found,) = estate.run(40, dict.fromkeys(range(5, 9)))
    assert found.kind == "silence" and found.summary.startswith("Nothing has come from web-1 for ")


def test_after_an_hour_of_learning_trouble_is_told_again_and_old_trouble_ends() -> None:
    estate = Estate()
    estate.run(400)
    (found,) = estate.run(40, {1: 0.97})
    _upgrade(estate, "bank", [_alert(found)])
    assert [(f.key, f.active) for f in estate.run(60)] == [(found.key, False)]
    assert estate.run(100, {2: 0.97}) + estate.run(200) == []  # in the shade
    assert [f.active for f in estate.run(80, {3: 0.97})] == [True]


def test_messages_are_known_after_the_bank_is_another() -> None:
    estate = Estate(per_host=1)
    for k in range(300):
        estate.step(logs=_usual_logs(k))
    state = estate.stage.snapshot()
    state["logs"]["rates"]["bank"]["version"] = state["levels"]["bank"]["version"] = "older"
    estate.stage = Detect()
    estate.stage.restore(state, [], [])
    for k in range(20):
        estate.step(logs=_usual_logs(k))
    estate.step(logs=[{"body": "could not write block 7: No space left on device", "severity": 17}])
    assert [f.kind for f in estate.findings] == ["new_template"]
