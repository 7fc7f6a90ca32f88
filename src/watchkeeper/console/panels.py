"""Panels about the platform's own doors, journal and jobs, which belong to no domain."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from watchkeeper.console.views.doors import NAMES
from watchkeeper.domains import access
from watchkeeper.domains.audit import panels as of_audit  # noqa: F401  (it declares, and is no app of Django's)
from watchkeeper.domains.situations.active import analysis_offset
from watchkeeper.jobs.models import Job, JobState
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.panels import EVERYONE, Line, Panel, panels
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.ports import ports
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry.queries import dead_letters

QUIET = dt.timedelta(minutes=10)
BEHIND = 100  # entries of the journal


def _refusing(_: Actor) -> list[Line]:
    """Doors that refused something since they were opened, and those that have gone quiet."""
    out, now = [], dt.datetime.now(dt.UTC)
    for door, stats in sorted(ports.doors().items()):
        refused, last = sum(stats.get("rejected", {}).values()), stats.get("last_seen_ms") or 0
        seen = dt.datetime.fromtimestamp(last / 1000, dt.UTC) if last else None
        name = NAMES.get(door, door)
        if refused:
            out.append(Line(name, "/doors/", f"refused {refused}", "warning", seen))
        elif seen and now - seen > QUIET:
            out.append(Line(name, "/doors/", "has gone quiet", "", seen))
    return out


def _behind(_: Actor) -> list[Line]:
    """Readers of the journal that do not keep up."""
    if ports.journal is None:
        return [Line("The journal cannot be reached", "/doors/", mark="error")]
    end = ports.journal.end()
    lags = {"Analysis": end - analysis_offset(), "Telemetry": end - ports.journal.committed("telemetry")}
    return [Line(name, "/doors/", f"{n} batches behind", "warning") for name, n in lags.items() if n > BEHIND]


def _letters(_: Actor) -> list[Line]:
    """What could not be taken, by door and reason."""
    try:
        counts = dead_letters.counts(ports.the_telemetry())
    except WatchkeeperError as error:
        return [Line("They cannot be read now", "/doors/dead-letters/", error.detail, "warning")]
    return [
        Line(
            f"{NAMES.get(c.door, c.door)}: {c.reason.replace('_', ' ')}",
            "/doors/dead-letters/",
            "once" if c.count == 1 else f"{c.count} times",
        )
        for c in counts
    ]


def _jobs(actor: Actor) -> QuerySet[Any]:
    """What failed within a week, then what runs: this reader's own, and for administrators everybody's."""
    failed = Q(state=JobState.FAILED, finished_at__gte=timezone.now() - dt.timedelta(days=7))
    found = visible(actor, "jobs", Job.objects.filter(failed | Q(state=JobState.RUNNING)))
    if "administrator" not in access.roles_of(actor.person):
        found = found.filter(user=actor.person)
    return found.order_by("state", "-created_at")


def _job(job: Job) -> Line:
    said = job.error or job.message if job.state == JobState.FAILED else job.message
    return Line(job.label, f"/jobs/{job.pk}/", said[:150], job.state, job.finished_at or job.started_at)


panels.add(
    Panel("jobs", "Jobs that failed or run", {EVERYONE: 7}, _jobs, _job, "", "/jobs/?state__in=failed,running"),
    Panel(
        "journal", "Does everything keep up?", {"administrator": 5, "operations engineer": 55, "systems integrator": 0},
        _behind, lambda line: line, "Analysis and telemetry keep up with what comes in.", "/doors/", "platform",
    ),
    Panel(
        "doors", "Doors that refuse or have gone quiet", {"systems integrator": 10, "administrator": 35},
        _refusing, lambda line: line, "Every door takes what comes.", "/doors/", "platform",
    ),
    Panel(
        "dead-letters", "What could not be taken", {"systems integrator": 20, "administrator": 36},
        _letters, lambda line: line, "Everything that came could be taken.", "/doors/dead-letters/", "platform", "work",
    ),
)  # fmt: skip
