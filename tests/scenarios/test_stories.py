"""Every file in stories/ is a test: an incident, told line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.story import Story

STORIES = sorted((Path(__file__).parent / "stories").glob("*.story"))


@pytest.mark.parametrize("path", STORIES, ids=lambda p: p.stem)
def test_story(path: Path) -> None:
    Story(path).play()


def test_a_story_that_does_not_hold_fails_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.story"
    path.write_text("at 10:00 firing Down service.name=a\nat 10:01 expect A open: Down b\n")
    with pytest.raises(AssertionError, match=r"wrong.story:2: expect A open: Down b"):
        Story(path).play()
