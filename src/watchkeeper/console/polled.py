"""What the page of a scrape job or a probe shows of its targets: how each stands, its last answer, and when it is next."""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest

from watchkeeper.domains import polling
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import moment
from watchkeeper.kernel.resource import Resource
from watchkeeper.model.polled import PROBE, SCRAPE, Standing, TargetStanding

SHOWN = 100
_DOORS = {"scrape-jobs": SCRAPE, "probes": PROBE}


def targets(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """For the kinds that are polled: those that are wrong first."""
    door = _DOORS.get(resource.path)
    if door is None:
        return None
    found = polling.standing()
    going = found is not None and polling.is_fresh(found)
    rows = _rows(found, door, str(record.pk)) if found is not None and going and record.enabled else []
    return {
        "rows": [_row(t) for t in rows[:SHOWN]], "all": len(rows), "more": max(0, len(rows) - SHOWN),
        "wrong": sum(bool(t.last_ms and (not t.up or t.error)) for t in rows), "samples": door == SCRAPE,
        "trouble": found.troubles.get(f"{door} {record.pk}", "") if found else "",
        "left_out": found.left_out.get(str(record.pk), 0) if found is not None and going and door == SCRAPE else 0,
        "state": "" if rows else "off" if not record.enabled else "none" if going else "beginning",
    }  # fmt: skip


def _rows(found: Standing, door: str, key: str) -> list[TargetStanding]:
    mine = [t for t in found.targets if t.door == door and t.record == key]
    return sorted(mine, key=lambda t: (t.up or not t.last_ms, not t.error, t.target))


def _row(t: TargetStanding) -> dict[str, Any]:
    return {
        "target": t.target, "state": "waiting" if not t.last_ms else "up" if t.up else "down", "error": t.error,
        "last": moment(t.last_ms), "next": max(0, round(t.next_ms / 1000 - time.time())) if t.next_ms else None,
        "ms": round(t.seconds * 1000, 1 if t.seconds < 0.1 else None), "samples": t.samples, "skipped": t.skipped,
    }  # fmt: skip
