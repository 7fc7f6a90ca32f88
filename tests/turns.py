"""Turns among processes that share the tests: a test that has to be alone runs while no other does. Files are locked, so
that a process that dies lets go. Whoever waits to be alone is next: nobody begins meanwhile."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def turn(*, alone: bool) -> Iterator[None]:
    """Hold a turn; without other processes there is nothing to wait for."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        yield
        return
    path = Path(tempfile.gettempdir()) / f"watchkeeper-turns-{run}"
    with path.with_suffix(".next").open("w") as gate, path.open("w") as running:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(running, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield
