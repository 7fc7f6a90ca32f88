"""What has to be done for the inventory from time to time: sources are read; what they do not name any more goes stale,
orphans get what their source's rule says, duplicates are looked for. The last three are an effect of the outbox that puts
the next one there."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.inventory import connecting, duplicates, staleness
from watchkeeper.domains.inventory.applying import apply
from watchkeeper.domains.inventory.asking import askers
from watchkeeper.domains.inventory.drafts import Act, Step
from watchkeeper.domains.inventory.models import Connection
from watchkeeper.domains.inventory.planning import plan
from watchkeeper.jobs.port import Run, job
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.outbox import handler
from watchkeeper.kernel.problems import Refused

KIND = "inventory.tend"
EVERY = dt.timedelta(hours=1)


def tend() -> dict[str, int]:
    """Do it now; how much of each was done."""
    now = timezone.now()
    return {
        "stale": staleness.expire(SYSTEM, now),
        **staleness.orphans(SYSTEM, now),
        **duplicates.find(SYSTEM),
    }


@handler(KIND)
def _tend(row: OutboxRow) -> str:  # noqa: ARG001
    try:
        return json.dumps(tend())
    finally:
        _next(timezone.now() + EVERY)


def _next(at: dt.datetime) -> None:
    """One an hour, however often it is asked for."""
    with transaction.atomic():
        OutboxRow.objects.get_or_create(
            id=f"{KIND}:{at:%Y-%m-%dT%H}",
            defaults={
                "kind": KIND,
                "subject": "the inventory",
                "payload": {},
                "created_at": timezone.now(),
                "due_at": at,
            },
        )


# --- sources that are asked ---------------------------------------------------------------------------------------
TOLD = 200  # steps that the job's page shows


@job(connecting.JOB, "Read a source", fields=connecting.ReadFields, needs=("import", "sources"))
def read_source(run: Run) -> dict[str, Any]:
    """Ask it, compare what it says with the inventory, and take that over."""
    asked = run.arguments
    found = Connection.objects.select_related("source").filter(source=asked["source"]).first()
    if found is None:
        raise Refused("nothing says where the source is any more")
    if asked["scheduled"]:
        if not found.every_hours:
            return {"summary": "It is not to be read by itself any more."}
        connecting.schedule(found, dt.timedelta(hours=found.every_hours))
    run.say(f"Asking {found.address}")
    result: dict[str, Any] = run.step("read", lambda: _read(run, found))
    return result


def _read(run: Run, connection: Connection) -> dict[str, Any]:
    described = list(askers()[connection.source.type](connecting.access_to(connection)))
    total, seen = len(described), 0

    def told(more: int) -> None:
        nonlocal seen
        seen += more
        run.progress(seen, total, "things")

    run.say(
        f"It names {total:,} things: comparing them with the inventory", done=0, total=total, unit="things"
    )
    made = plan(connection.source, described, progress=told)
    if run.arguments["dry_run"]:
        return {"summary": _summary("would be", made.counts), "more": _lines(made.steps, made.doubt)}
    seen = 0
    run.say("Taking over", done=0, total=total, unit="things")
    done = apply(made, run.actor, confirmed=run.arguments["confirmed"], progress=told)
    return {"summary": _summary("were", done.counts), "more": _lines([*done.conflicts, *done.meanwhile])}


def _summary(were: str, counts: Any) -> str:
    words = {"create": "made", "change": "changed", "close": "closed, as it names them no more"}
    said = [f"{counts[act]:,} {were} {word}" for act, word in words.items()]
    return f"{', '.join(said)}; {counts['conflict']:,} cannot be taken over; {counts['same']:,} are the same."


def _lines(steps: list[Step], doubt: str = "") -> list[str]:
    """What is done with each thing and why, in a line."""
    told = [s for s in steps if s.act is not Act.SAME]
    lines = [
        f"{s.act.value} {s.kind} {s.name}: {'; '.join(s.because) or ', '.join(s.values) or 'as it is described'}"
        for s in told[:TOLD]
    ]
    more = [f"and {len(told) - TOLD:,} more"] if len(told) > TOLD else []
    return [*([doubt] if doubt else []), *lines, *more]
