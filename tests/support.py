"""What tests share: saying that a server is needed, waiting for something to become true, finding a free port, reading
a journal."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from watchkeeper.model.doors import Journal
from watchkeeper.model.signals import Stream

T = TypeVar("T")

#: how many times longer than usual a test waits before it fails; where processes share two cores, all of them are slow
PATIENCE = float(os.environ.get("WATCHKEEPER_PATIENCE", "1"))


def require(condition: object, reason: str) -> None:
    """Skip with the reason unless the condition holds; fail instead where CI requires the services."""
    if condition:
        return
    if os.environ.get("WATCHKEEPER_TEST_REQUIRE") == "1":
        pytest.fail(f"required here, but: {reason}")
    pytest.skip(reason)


def eventually(probe: Callable[[], T], timeout: float = 20.0, every: float = 0.05) -> T:
    """Call `probe` until it gives something true, and return that; fail with the last value otherwise. Where more patience
    is asked for, it waits so much longer."""
    timeout *= PATIENCE
    end = time.monotonic() + timeout
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"still {value!r} after {timeout} s")
        time.sleep(every)


def free_port() -> int:
    """A TCP port on loopback that nothing listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def rows_of(journal: Journal, stream: Stream) -> list[dict[str, Any]]:
    """Every row of a stream that is in a journal."""
    out: list[dict[str, Any]] = []
    after = 0
    while entries := journal.read(after):
        after = entries[-1].offset
        out += [row for entry in entries if entry.stream is stream for row in entry.batch.to_pylist()]
    return out
