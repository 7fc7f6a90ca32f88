"""One running platform for the tests that do not break it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.platform import Platform


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    running = Platform(tmp_path_factory.mktemp("platform") / "var", {"WATCHKEEPER_SYSLOG": "127.0.0.1:0"})
    running.start()
    yield running
    assert running.stop() == 0
