"""`watchkeeper audit verify|checkpoint`: whether the audit trail is what was written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchkeeper.cli.django_ready import begin
from watchkeeper.cli.progress import bar

if TYPE_CHECKING:
    from watchkeeper.domains.audit import Checkpoints

commands = typer.Typer(help="Prove that the audit trail is whole.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@commands.command()
def verify(
    checkpoints: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="A copy of the checkpoints, instead of the file here."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Walk the whole chain and say what was changed, taken out, put in, moved or cut off. Status 1 if anything was."""
    begin()
    import msgspec
    from django.db import DatabaseError

    from watchkeeper.domains import audit

    file = audit.Checkpoints(checkpoints) if checkpoints else _file()
    try:
        with bar("Verifying", 1.0) as advance:
            verdict = audit.verify(file, told=lambda done, of: advance(done / max(done, of)))
    except (OSError, DatabaseError) as error:
        typer.echo(f"watchkeeper: the audit trail cannot be verified: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(
        msgspec.json.encode(verdict).decode() if as_json else "\n".join(audit.words(verdict, file.path))
    )
    raise typer.Exit(0 if verdict.whole else 1)


@commands.command()
def checkpoint(as_json: Json = False) -> None:
    """Seal what waits, append a checkpoint to the file outside the database, and print it."""
    begin()
    import msgspec
    from django.db import DatabaseError

    from watchkeeper.domains import audit

    file = _file()
    try:
        audit.seal_all()
        made = audit.checkpoint(file)
    except (OSError, DatabaseError, OverflowError) as error:
        typer.echo(f"watchkeeper: the checkpoint cannot be written: {error}", err=True)
        raise typer.Exit(1) from error
    if made is None:
        typer.echo("watchkeeper: the audit trail has no entry yet", err=True)
        raise typer.Exit(1)
    said = f"Number {made.number}, seal {made.seal}, written to {file.path}"
    typer.echo(msgspec.json.encode(made).decode() if as_json else said)


def _file() -> Checkpoints:
    from django.conf import settings

    from watchkeeper.domains.audit import Checkpoints

    return Checkpoints(settings.AUDIT_CHECKPOINTS)
