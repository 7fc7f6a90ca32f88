"""Reads calendars from their addresses, and tells teams of what is not covered; both every hour."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from watchkeeper.domains.timetables import covering
from watchkeeper.domains.timetables.fetching import fetch
from watchkeeper.domains.timetables.models import Import
from watchkeeper.jobs.port import Run, job


@job("calendar-imports", "Read calendars of others", needs=("change", "calendar-imports"), every="7 * * * *",
     offered_on="calendar-imports")  # fmt: skip
def read_all(run: Run) -> dict[str, Any]:
    """Each that is on and has an address. One that cannot be read holds up no other."""
    told = []
    for source in Import.objects.filter(enabled=True).exclude(url="").select_related("schedule", "calendar"):
        words = run.step(
            f"import-{source.pk}", lambda source=source: fetch(run.actor, source, timezone.now())
        )
        told.append(f"{source.name}: {words}")
        run.say(told[-1].replace("\n", "; "))
    return {"summary": "\n".join(told) or "There is none with an address."}


@job(
    "coverage",
    "Tell where nobody is on call",
    needs=("change", "schedules"),
    every="17 * * * *",
    offered_on="schedules",
)
def tell_gaps(run: Run) -> dict[str, Any]:
    """The teams of schedules hear of what is not covered in the next seven days, each gap once."""
    told = run.step("tell", lambda: covering.tell(timezone.now()))
    return {"summary": f"{told} notes", "notes": told}
