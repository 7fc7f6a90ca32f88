"""Which sources do not tell what they should, and which items may be one; panels.py declares the panels."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from watchkeeper.domains.inventory import models as m
from watchkeeper.domains.inventory.connecting import JOB
from watchkeeper.jobs.models import Job, JobState
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.panels import Line
from watchkeeper.kernel.permissions import visible

SOURCES = 200
LONG_AGO = dt.timedelta(days=30)  # of what somebody takes over by hand
_BY_ITSELF = (m.Source.Type.PEOPLE, m.Source.Type.POLLER, m.Source.Type.SIGNALS)


@dataclass(frozen=True)
class Silent:
    """A source, and why it is shown."""

    source: m.Source
    said: str
    at: dt.datetime | None
    failed: bool = False

    @property
    def line(self) -> Line:
        """As the panel shows it."""
        return Line(
            self.source.name,
            f"/sources/{self.source.pk}/",
            self.said,
            "error" if self.failed else "",
            self.at,
        )


def silent(actor: Actor) -> list[Silent]:
    """Those whose last reading failed, and then those that were read long ago: twice as long as they should."""
    found = visible(
        actor, "sources", m.Source.objects.exclude(type__in=_BY_ITSELF).select_related("connection")
    )
    readings = Job.objects.filter(kind=JOB, state__in=(JobState.DONE, JobState.FAILED)).order_by("created_at")
    last = {
        a.get("source"): (state, at)
        for a, state, at in readings.values_list("arguments", "state", "finished_at")
    }
    out = []
    for source in found[:SOURCES]:
        state, at = last.get(source.pk, ("", None))
        if state == JobState.FAILED:
            out.append(Silent(source, "the last reading failed", at, failed=True))
        elif source.last_read_at and timezone.now() - source.last_read_at > _patience(source):
            out.append(Silent(source, "last read", source.last_read_at))
    return sorted(out, key=lambda s: not s.failed)


def _patience(source: m.Source) -> dt.timedelta:
    hours = source.connection.every_hours if hasattr(source, "connection") else 0
    return dt.timedelta(hours=2 * hours) if hours else LONG_AGO


def proposed(actor: Actor) -> QuerySet[Any]:
    """Pairs that nobody has decided about."""
    open_ = m.Duplicate.objects.filter(state=m.Duplicate.State.PROPOSED)
    return visible(actor, "duplicates", open_).select_related("first", "second")


def pair(d: m.Duplicate) -> Line:
    """As the panel shows it."""
    return Line(str(d), f"/duplicates/{d.pk}/", f"{d.score:.0%} likely".replace("%", " %"), at=d.found_at)
