"""`watchkeeper backup` and `watchkeeper restore`: everything that an installation knows, into a folder and out of one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchkeeper.cli.jobs import until_over
from watchkeeper.cli.kinds import failed, records, running
from watchkeeper.cli.progress import bar


def backup(
    name: Annotated[str, typer.Option(help="What its folder is called; the time, when not given.")] = "",
    keep: Annotated[int, typer.Option(min=0, help="Keep so many backups, the newest; 0 keeps all.")] = 0,
) -> None:
    """Copy everything that this installation knows into a new folder, while it runs. Prints where it is."""
    with records("jobs") as (_, actor):
        from django.conf import settings

        from watchkeeper.jobs import port as jobs
        from watchkeeper.model.errors import WatchkeeperError

        data = settings.CONFIG.data
        if not running(data):
            raise failed(
                [
                    f"Watchkeeper does not run with {data}: while it does not, a copy of that folder is a backup"
                ]
            )
        try:
            job = jobs.start("backup", {"name": name, "keep": keep}, actor)
        except WatchkeeperError as error:
            raise failed([error.detail]) from error
        until_over(job)


def restore(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="A folder that `backup` made.")
    ],
) -> None:
    """Make the installation that a backup is of, in a data folder (WATCHKEEPER_DATA) that is empty or not there yet."""
    from watchkeeper.domains.loading import load

    load()
    from django.conf import settings

    from watchkeeper.domains import backups
    from watchkeeper.model.errors import WatchkeeperError

    try:
        with bar("Holding every file against the manifest", 1.0) as advance:
            seen = 0.0

            def told(done: int, of: int) -> None:
                nonlocal seen
                advance(done / max(of, 1) - seen)
                seen = done / max(of, 1)

            manifest = backups.restore(folder, told)
    except (OSError, WatchkeeperError) as error:
        raise failed([getattr(error, "detail", "") or str(error)]) from error
    for other in manifest.elsewhere:
        typer.echo(f"Not in this backup: {other}", err=True)
    typer.echo(f"{settings.CONFIG.data} is what it was at {manifest.taken_at}. Start it: watchkeeper serve")
