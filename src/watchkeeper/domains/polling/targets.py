"""How the targets stand: what the polling process has left in the data folder, and whether it has anything to do."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
from django.conf import settings

from watchkeeper.domains.polling.models import Probe, ScrapeJob
from watchkeeper.model.polled import Standing

FRESH_MS = 15_000  # older than this, nobody polls


def standing_file() -> Path:
    """Where it is."""
    found: Path = settings.POLL_STANDING
    return found


def standing() -> Standing | None:
    """As of some seconds ago; None when nothing was ever polled, or what is there cannot be read."""
    try:
        return msgspec.json.decode(standing_file().read_bytes(), type=Standing)
    except (OSError, msgspec.MsgspecError):
        return None


def is_fresh(found: Standing) -> bool:
    """Whether somebody polls."""
    return time.time() * 1000 - found.written_ms < FRESH_MS


def is_wanted() -> bool:
    """Whether something is on, or alerts of what no longer is have still to end."""
    if ScrapeJob.objects.filter(enabled=True).exists() or Probe.objects.filter(enabled=True).exists():
        return True
    found = standing()
    return found is not None and bool(found.firing)
