"""What the web process last knew of lag and loss, in a file of the data folder: commands of this machine read it there,
also while no process answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

KEPT = "vitals.json"


class Kept(msgspec.Struct):
    """`doors` as receivers.door_stats tells them."""

    at: float  # Unix seconds
    behind: dict[str, float]  # reader of the journal → seconds
    worst: dict[str, float]  # the same, the most of five minutes
    doors: dict[str, dict[str, Any]]


def read(data: Path) -> Kept | None:
    """What was kept last; None where nothing was, or nothing that can be read."""
    try:
        return msgspec.json.decode((data / KEPT).read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError):
        return None
