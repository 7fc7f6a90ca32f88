"""`watchkeeper inventory import FORMAT FILE`: what another system says there is, taken over or only compared."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchkeeper.cli.kinds import Json, failed, records
from watchkeeper.cli.progress import bar

if TYPE_CHECKING:
    from watchkeeper.domains.inventory.applying import Applied
    from watchkeeper.domains.inventory.drafts import Step
    from watchkeeper.domains.inventory.models import Source
    from watchkeeper.domains.inventory.planning import Plan

commands = typer.Typer(help="Where the inventory's facts come from.", no_args_is_help=True)
SHOWN = 50


@commands.command("import")
def import_(
    written: Annotated[
        str, typer.Argument(metavar="FORMAT", help="An importer; `watchkeeper inventory formats`.")
    ],
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file; - is standard input.")],
    source: Annotated[str, typer.Option(help="The source it is of; else the format's name.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    part: Annotated[bool, typer.Option("--part", help="What it does not name is not gone.")] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Also when it names far less than before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare what a file describes with the inventory, and take it over: the same again changes nothing."""
    with records("sources") as (_, actor):
        from watchkeeper.domains.inventory.applying import apply
        from watchkeeper.domains.inventory.sources import planned, told

        data = _data(file)
        of = _source(source or written, written, dry_run)
        with bar("Comparing", 1) as step:
            plan = planned(of, written, data, False if part else None)
            step(1)
        done = None
        if not dry_run:
            with bar("Taking over", len(plan.described)) as step:
                done = apply(plan, actor, confirmed=confirm, progress=step)
        typer.echo(json.dumps(told(plan, done), ensure_ascii=False)) if as_json else _say(plan, done)
        if (done.conflicts if done else plan.counts["conflict"]) and not as_json:
            raise typer.Exit(1)


@commands.command()
def formats() -> None:
    """The importers that there are."""
    from watchkeeper.domains.inventory.importers import importers

    for one in importers().values():
        typer.echo(f"{one.name:12} {one.label}")


@commands.command()
def tend(as_json: Json = False) -> None:
    """Look for duplicates and for what no source names any more; the server does it every hour by itself."""
    with records("sources"):
        from watchkeeper.domains.inventory.jobs import tend as do

        done = do()
        typer.echo(json.dumps(done) if as_json else ", ".join(f"{what}: {n:,}" for what, n in done.items()))


def _data(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise failed([f"{file}: {error.strerror}"]) from error


def _source(name: str, written: str, dry_run: bool) -> Source:
    """The source of this name; a new one, of the type that the format usually comes from, when there is none."""
    from watchkeeper.domains.inventory.importers import importers
    from watchkeeper.domains.inventory.models import Source

    found = Source.objects.filter(name=name).first()
    if found is None:
        kind = importers()[written].type if written in importers() else "file"
        found = Source(name=name, type=kind)
        if not dry_run and written in importers():
            found.save()
    return found


def _say(plan: Plan, done: Applied | None) -> None:
    counts = done.counts if done else plan.counts
    typer.echo(
        ", ".join(f"{act}: {counts[act]:,}" for act in ("create", "change", "close", "conflict", "same"))
    )
    if plan.doubt:
        typer.echo(plan.doubt)
    steps = (done.conflicts + done.meanwhile) if done else [s for s in plan.steps if s.act != "same"]
    for s in steps[:SHOWN]:
        _say_step(s)
    if len(steps) > SHOWN:
        typer.echo(f"and {len(steps) - SHOWN:,} more; --json has the first 1,000")


def _say_step(s: Step) -> None:
    typer.echo(f"{s.act.value:8} {s.kind} {s.name} ({s.key})")
    for name, (before, after) in s.values.items():
        was = "" if before is None else f"{json.dumps(before, ensure_ascii=False)} → "
        typer.echo(f"    {name}: {was}{json.dumps(after, ensure_ascii=False)}")
    for reason in s.because:
        typer.echo(f"    {reason}")
