"""`watchkeeper follow ID`: how far a job is, until it is over. Jobs are listed, shown and acted on like any record."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from watchkeeper.cli.kinds import failed, found, records
from watchkeeper.cli.progress import bar

LOOK_EVERY = 0.5  # seconds


def follow(key: Annotated[str, typer.Argument(metavar="ID", help="The id of the job.")]) -> None:
    """Say what a job says until it is over. Status 1 when it failed or was cancelled."""
    with records("jobs") as (resource, _):
        until_over(found(resource, key))


def until_over(job: Any) -> None:
    """Say what a job says until it is over. Raises typer.Exit with status 1 when it did not come to its end."""
    said, shown = 0, 0.0
    with bar(job.label, 1.0) as advance:
        while True:
            for at, line in job.log[said:]:
                typer.echo(f"{at}  {line}", err=True)
            said = len(job.log)
            advance((job.percent or 0) / 100 - shown)
            shown = (job.percent or 0) / 100
            if job.finished:
                break
            time.sleep(LOOK_EVERY)
            job.refresh_from_db()
    if job.state != "done":
        raise failed([f"{job.label}: {job.state}{f': {job.error}' if job.error else ''}"])
    result = job.result if isinstance(job.result, dict) else {}
    typer.echo(result.get("summary") or f"{job.label}: done")
