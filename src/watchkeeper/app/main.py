"""The `watchkeeper` command: the commands of cli, and `serve`."""

from __future__ import annotations

import os
import sys

import typer


def serve() -> None:
    """Run the platform until Ctrl-C. Settings come from the environment (WATCHKEEPER_LISTEN, WATCHKEEPER_DATA, …)."""
    from watchkeeper.app.config import Config, ConfigError
    from watchkeeper.app.supervisor import Supervisor
    from watchkeeper.domains.embedding.encoder import missing

    try:
        config = Config.from_env()
        if config.embedding is not None and (why := missing(config.embedding)):
            raise ConfigError(f"WATCHKEEPER_EMBEDDING: {why}")
        raise typer.Exit(Supervisor(config).run())
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
