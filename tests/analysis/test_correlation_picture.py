"""The picture in the documentation is what the lab gives today."""

from __future__ import annotations

from pathlib import Path

from tools.correlation_picture import draw

PICTURE = Path(__file__).resolve().parents[2] / "docs/images/correlation.svg"


def test_the_picture_of_correlation_is_what_the_lab_gives() -> None:
    assert PICTURE.read_text() == draw()
