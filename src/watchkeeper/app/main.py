"""The `watchkeeper` command: the commands of cli, and `serve`."""

from __future__ import annotations

import os
import sys

import typer


def serve() -> None:
    """Run the platform until Ctrl-C. Settings come from the environment (WATCHKEEPER_LISTEN, WATCHKEEPER_DATA, …)."""
    from watchkeeper.app.config import Config, ConfigError
    from watchkeeper.app.supervisor import Supervisor

    try:
        raise typer.Exit(Supervisor(Config.from_env()).run())
    except ConfigError as error:
        typer.echo(f"watchkeeper: {error}", err=True)
        raise typer.Exit(2) from error


def main() -> None:
    """Entry point of the console script."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchkeeper.app.settings")
    from watchkeeper import cli

    root = cli.build()
    root.command("serve")(serve)
    sys.exit(root())
