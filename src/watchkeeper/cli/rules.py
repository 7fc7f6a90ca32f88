"""`watchkeeper rules check | test | import`: Prometheus' rule files, looked at, tested and taken over."""

from __future__ import annotations

import json
import secrets
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from watchkeeper.cli.kinds import Json, failed, records
from watchkeeper.model.errors import WatchkeeperError

commands = typer.Typer(help="Prometheus' rule files.", no_args_is_help=True)
Files = Annotated[list[Path], typer.Argument(metavar="FILE…")]


@commands.command()
def check(files: Files) -> None:
    """Say whether rule files can be evaluated here, as `promtool check rules` does."""
    from watchkeeper.telemetry.rulefiles import doubles, read_file

    wrong = False
    for file in files:
        try:
            groups = read_file(file.read_text())
        except (WatchkeeperError, OSError, UnicodeDecodeError) as error:
            typer.echo(f"{file}: {_said(error)}", err=True)
            wrong = True
            continue
        typer.echo(f"{file}: {sum(len(g.rules) for g in groups)} rules in {len(groups)} groups")
        for text in doubles(groups):
            typer.echo(f"{file}: {text}")
    if wrong:
        raise typer.Exit(1)


@commands.command()
def test(files: Files, as_json: Json = False) -> None:
    """Run files of tests that `promtool test rules` takes, in a time and a store of their own."""
    from watchkeeper.telemetry.endpoint import Endpoint
    from watchkeeper.telemetry.rulefiles import read_tests, run
    from watchkeeper.telemetry.store import Store

    found: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="watchkeeper-rules-") as folder:
        endpoint = Endpoint(Path(folder) / "telemetry", secrets.token_urlsafe(16))
        endpoint.start()
        store = Store(f"{endpoint.dsn.rpartition('/')[0]}/rules")
        try:
            for file in files:
                try:
                    found[str(file)] = run(read_tests(file), store)
                except (WatchkeeperError, OSError, UnicodeDecodeError) as error:
                    found[str(file)] = [_said(error)]
        finally:
            store.close()
            endpoint.stop()
    _tell(found, as_json)
    if any(found.values()):
        raise typer.Exit(1)


@commands.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A rule file of Prometheus.")],
    name: Annotated[str, typer.Option(help="The file's name in Watchkeeper; else its own.")] = "",
    as_json: Json = False,
) -> None:
    """Make rule groups of a file; those that it brought before are replaced."""
    with records("rule-groups") as (_, actor):
        from watchkeeper.domains.alerting import import_file

        try:
            text = file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise failed([f"{file}: {_said(error)}"]) from error
        done = asdict(import_file(actor, name or file.name, text))
        if as_json:
            typer.echo(json.dumps(done, ensure_ascii=False))
            return
        typer.echo(
            ", ".join(f"{what}: {len(done[what])}" for what in ("created", "changed", "removed", "same"))
        )
        for odd in done["odd"]:
            typer.echo(odd)


def _tell(found: dict[str, list[str]], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for file, wrong in found.items():
        typer.echo(f"{file}: {'as expected' if not wrong else ''}".rstrip())
        for text in wrong:
            typer.echo(f"  {text}", err=True)


def _said(error: Exception) -> str:
    match error:
        case WatchkeeperError():
            return error.detail
        case OSError():
            return error.strerror or str(error)
        case _:
            return "it is no text in UTF-8"
