"""The picture of a drift in the documentation is what the detectors give today."""

from __future__ import annotations

from pathlib import Path

from tools.draw_drift import draw

PICTURE = Path(__file__).resolve().parents[2] / "docs/images/drift.svg"


def test_the_picture_of_a_drift_is_what_the_detectors_give() -> None:
    assert PICTURE.read_text() == draw()
