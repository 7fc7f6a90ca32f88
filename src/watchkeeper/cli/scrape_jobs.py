"""`watchkeeper scrape-jobs import FILE`: the scrape jobs of a prometheus.yml, taken over or only shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchkeeper.cli.kinds import failed, records

if TYPE_CHECKING:
    from watchkeeper.exchange.planning import Plan

commands = typer.Typer(help="Scrape jobs of another system.", no_args_is_help=True)


@commands.callback()
def _commands() -> None:
    """Scrape jobs of another system."""


@commands.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A prometheus.yml.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Make a scrape job of each of a prometheus.yml, all or none; one of the same name is changed. What cannot be taken
    over is left out and named, and the command ends with 1."""
    with records("scrape-jobs") as (resource, actor):
        from watchkeeper.domains.polling.prometheus import read
        from watchkeeper.exchange import applying, planning

        try:
            data = file.read_bytes()
        except OSError as error:
            raise failed([f"{file}: {error.strerror}"]) from error
        rows, left_out = read(data, str(file.resolve().parent))
        plan = planning.plan(resource, actor, list(enumerate(rows, 1)), match="name")
        _say(plan, left_out)
        if plan.wrong:
            raise failed(f"{rows[w.row - 1]['name']}: {w.field}: {w.detail}" for w in plan.wrong)
        if not dry_run:
            applying.apply(plan, actor)
        if left_out:
            raise typer.Exit(1)


def _say(plan: Plan, left_out: dict[str, str]) -> None:
    for word, steps in (("create", plan.creates), ("change", plan.changes)):
        for step in steps:
            typer.echo(f"{word:8} {step.title}")
            for name, (before, after) in step.values.items():
                if after not in ("", [], {}, None) and before != after:
                    typer.echo(f"    {name}: {json.dumps(after, ensure_ascii=False)}")
    for name, why in left_out.items():
        typer.echo(f"left out {name}: {why}")
    typer.echo(
        f"create: {len(plan.creates)}, change: {len(plan.changes)}, same: {plan.unchanged}, left out: {len(left_out)}"
    )
