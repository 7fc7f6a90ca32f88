"""Commands that work on the records begin here."""

from __future__ import annotations

import json
from typing import Any

import typer


def begin() -> None:
    """Make the records usable in this process; leave with a clear word when they have never been prepared."""
    from watchkeeper.domains.loading import load

    load()
    from django.db import OperationalError

    from watchkeeper.domains import backups
    from watchkeeper.model.errors import WatchkeeperError

    try:
        backups.bring_up_to_date()
    except WatchkeeperError as error:
        typer.echo(f"watchkeeper: {error.detail}", err=True)
        raise typer.Exit(1) from error
    except OperationalError as error:
        typer.echo(f"watchkeeper: the records cannot be reached: {error}", err=True)
        raise typer.Exit(1) from error


def show(value: Any, as_json: bool, text: str) -> None:
    """Print as JSON, or the text."""
    typer.echo(json.dumps(value, indent=1, default=str) if as_json else text)
