"""`watchkeeper retention`: how long signals are kept, what they take, and how to change it."""

from __future__ import annotations

from typing import Annotated

import typer

from watchkeeper.cli.jobs import until_over
from watchkeeper.cli.kinds import failed, pairs, recorded, running


def retention(
    days: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TABLE=DAYS]...", help="Keep a table's rows for so many days, 0 for ever."),
    ] = None,
) -> None:
    """Show for how long each table of signals is kept, its size and its oldest row; with TABLE=DAYS, change it first."""
    given = dict(pairs(days or (), "TABLE=DAYS"))
    with recorded("signals") as actor:
        from django.conf import settings

        from watchkeeper.jobs import port as jobs

        if not running(settings.CONFIG.data):
            raise failed(
                ["signals are reached through the running server; start it with `watchkeeper serve`"]
            )
        until_over(jobs.start("retention", given, actor))
