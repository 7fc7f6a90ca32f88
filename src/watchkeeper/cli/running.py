"""The platform that runs on this data folder: whether there is one, and where this machine reaches it, whatever settings
the command was called without."""

from __future__ import annotations

import fcntl
from pathlib import Path


def address(data: Path) -> str:
    """`http://host:port` of the platform that holds this folder; "" when none does."""
    try:
        with (data / "lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return lock.read().strip()
    except FileNotFoundError:
        pass
    return ""
