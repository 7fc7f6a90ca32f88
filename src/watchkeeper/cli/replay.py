"""`watchkeeper replay FILE`: play a recording into the running platform."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

Speed = Annotated[float, typer.Option(help="1 plays as it was, 10 ten times as fast.", min=0.1, max=100)]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A recording.")],
    speed: Speed = 10.0,
    as_json: Json = False,
) -> None:
    """Play a recording: its signals arrive in the journal as they once did, with today's times."""
    from django.conf import settings
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from watchkeeper.cli import running
    from watchkeeper.journal import open_journal
    from watchkeeper.journal.playback import Playback
    from watchkeeper.model.errors import WatchkeeperError

    config = settings.CONFIG
    said = Console(stderr=True)
    address = running.address(config.data)
    if not (address or config.journal_url):  # it would be played to nobody
        said.print(
            f"watchkeeper: no platform runs on {config.data}; start one there (watchkeeper serve), or say with "
            "WATCHKEEPER_DATA in which folder it is",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        raise typer.Exit(1)
    try:
        journal = open_journal(config.journal_url, config.data)
        play = Playback(file, journal, speed, int(time.time() * 1000))
        said.print(f"[bold]{play.header.title}[/]\n{play.header.description}\n", highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        with Progress(*columns, TimeRemainingColumn(), console=said) as bar:
            task = bar.add_task(f"Playing at {speed:g}×", total=play.header.entries)
            for played in play.run(lambda: int(time.time() * 1000), time.sleep):
                bar.update(task, completed=played)
        journal.close()
    except WatchkeeperError as error:
        said.print(f"watchkeeper: {error}")
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        said.print("Broken off; the recorded series are marked as ended.")
        raise typer.Exit(130) from None
    result = {
        "title": play.header.title,
        "entries": play.played,
        "speed": speed,
        "seconds": round(play.seconds, 1),
    }
    if as_json:
        typer.echo(json.dumps(result))
    else:
        said.print(
            f"Played {play.played} entries. Look at {address or config.public_url}/situations/",
            highlight=False,
        )
