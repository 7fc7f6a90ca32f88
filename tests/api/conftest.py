"""A web server, a journal and analysis, for tests of what people do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.platform_parts import Web, alone, analysing


@pytest.fixture
def web_alone(transactional_db: None, tmp_path: Path) -> Iterator[Web]:  # noqa: ARG001
    """The web process and the journal, while nothing analyses."""
    with alone(tmp_path) as running:
        yield running


@pytest.fixture
def web(web_alone: Web, tmp_path: Path) -> Iterator[Web]:
    """All of it."""
    with analysing(web_alone.journal, tmp_path):
        yield web_alone
