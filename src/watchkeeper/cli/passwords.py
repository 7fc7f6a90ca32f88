"""`watchkeeper passwords import|status`: passwords that are known from breaches, which nobody may choose here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from watchkeeper.cli import progress
from watchkeeper.cli.django_ready import show

commands = typer.Typer(
    help="Passwords known from breaches: refused, without asking anybody.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@commands.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="The list of Have I Been Pwned: SHA-1, ordered by hash.")],
    at_least: Annotated[int, typer.Option(help="Leave out what was seen fewer times.", min=1)] = 1,
    rate: Annotated[float, typer.Option(help="How many good passwords in one may be refused.")] = 0.001,
    as_json: Json = False,
) -> None:
    """Make the compact list in the data folder that passwords are checked against from then on. It has 2 bytes a
    password, and is not loaded but mapped; each server of an installation needs it."""
    from watchkeeper.domains.loading import load

    load()
    from django.conf import settings

    from watchkeeper.domains.identity.breaches import build
    from watchkeeper.kernel.problems import Invalid

    if not 1e-6 <= rate <= 0.1:
        raise typer.BadParameter("--rate: between 0.000001 and 0.1")
    try:
        expected = _lines(file, at_least)
        with progress.bar("Reading", expected) as done, file.open("rb", 1 << 20) as lines:
            count = build(
                _told(lines, done), settings.BREACHED_PASSWORDS, expected, rate=rate, at_least=at_least
            )
    except (Invalid, OSError) as error:
        typer.echo(f"watchkeeper: {getattr(error, 'detail', error)}", err=True)
        raise typer.Exit(1) from error
    size = settings.BREACHED_PASSWORDS.stat().st_size
    show(
        {"passwords": count, "bytes": size},
        as_json,
        f"{count:,} passwords in {size / 1e6:,.1f} MB; nobody may choose them.",
    )


@commands.command()
def status(as_json: Json = False) -> None:
    """What the list in the data folder holds."""
    from watchkeeper.domains.loading import load

    load()
    from django.conf import settings

    from watchkeeper.domains.identity.breaches import Filter
    from watchkeeper.kernel.problems import Invalid

    try:
        count = Filter.open(settings.BREACHED_PASSWORDS).passwords
    except FileNotFoundError:
        show(
            {"passwords": 0},
            as_json,
            "No list is imported: only the 20,000 most common passwords are refused.",
        )
        return
    except (Invalid, OSError) as error:
        typer.echo(
            json.dumps({"trouble": str(error)}) if as_json else f"watchkeeper: {error}", err=not as_json
        )
        raise typer.Exit(1) from error
    show({"passwords": count}, as_json, f"{count:,} passwords are refused, besides the 20,000 most common.")


def _lines(file: Path, at_least: int) -> int:
    """How many hashes will go in: counted when some are left out, else told from the size."""
    with file.open("rb") as f:
        start = f.read(1 << 16)
        if at_least == 1 or not start:
            return max(1, round(file.stat().st_size / max(1.0, len(start) / max(1, start.count(b"\n")))))
        f.seek(0)
        return max(1, sum(int(line.rpartition(b":")[2] or 1) >= at_least for line in f if line.strip()))


def _told(lines: Iterator[bytes], done: Callable[[float], None]) -> Iterator[bytes]:
    for number, line in enumerate(lines, 1):
        if number % 100_000 == 0:
            done(100_000)
        yield line
