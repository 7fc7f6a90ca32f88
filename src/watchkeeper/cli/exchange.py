"""`watchkeeper import KIND FILE` and `watchkeeper export KIND`: many records at once, from and to files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from watchkeeper.cli import files
from watchkeeper.cli.kinds import Filter, Json, Kind, Search, View, asked, failed, recorded, records
from watchkeeper.cli.progress import bar

if TYPE_CHECKING:
    from watchkeeper.exchange.planning import Plan
    from watchkeeper.kernel.acting import Actor
    from watchkeeper.kernel.resource import Resource

SHOWN = 50  # lines of a plan, or of what is wrong with it
Written = Annotated[str, typer.Option("--format", help="csv, json or yaml; else as the file's name says.")]


def import_(
    kind: Kind,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A CSV, JSON or YAML file; - is standard input.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    match: Annotated[str, typer.Option(help="Find records by this field instead of their id.")] = "",
    written: Written = "",
    as_json: Json = False,
) -> None:
    """Make and change records from a file, all of it or nothing: a row with an id changes that record, one without
    makes a new one."""
    with records(kind) as (resource, actor):
        from watchkeeper.exchange import applying, planning

        rows, cells = files.read(file, written)
        with bar("Checking", len(rows)) as step:
            plan = planning.plan(resource, actor, rows, match=match, cells=cells, progress=step)
        once: dict[str, Any] = {}
        if not plan.wrong and not dry_run:
            with bar("Importing", len(plan.creates) + len(plan.changes)) as step:
                once = applying.apply(plan, actor, step).once
        if as_json:
            typer.echo(json.dumps(_told(plan, dry_run, once), ensure_ascii=False))
        else:
            _say(plan, dry_run, once)
        if plan.wrong:
            shown = [files.error(w) for w in plan.wrong[:SHOWN]]
            more = len(plan.wrong) - len(shown)
            raise failed([*shown, *([f"and {more:,} more"] if more else []), "nothing was imported"])


def export(
    kind: Kind,
    filters: Filter = None,
    search: Search = "",
    view: View = "",
    written: Written = "",
    template: Annotated[str, typer.Option(help="As this export template says, not as a table.")] = "",
    as_code: Annotated[
        bool, typer.Option("--as-code", help="As documents for `watchkeeper apply`; KIND may be `all`.")
    ] = False,
    output: Annotated[str, typer.Option("--output", "-o", help="The file; - is standard output.")] = "-",
) -> None:
    """Write records to a file that `watchkeeper import` takes back unchanged, or as an export template says."""
    if as_code and kind == "all":
        with recorded() as actor:
            _write_code(None, actor, None, output)
        return
    with records(kind) as (resource, actor):
        from watchkeeper.exchange.tables import Format

        chosen = asked(resource, actor, filters, search, view=view)
        if as_code:
            _write_code(resource, actor, chosen, output)
            return
        if template:
            _write_template(resource, actor, template, chosen, output)
            return
        form = files.format_of(output, written) if written or output != "-" else Format.CSV
        if output == "-":
            files.write(resource, chosen, form, sys.stdout)
            return
        with bar("Exporting", chosen.count()) as step, _whole(output) as to:
            count = files.write(resource, chosen, form, to, step)
        typer.echo(f"{resource.plural} in {output}: {count:,}", err=True)


def _write_code(resource: Resource | None, actor: Actor, chosen: Any, output: str) -> None:
    """The records as documents; of no kind: every record that can be declared."""
    from watchkeeper.domains.configuration import exporting
    from watchkeeper.kernel.permissions import visible

    wanted = [(resource, chosen)] if resource else [(r, visible(actor, r)) for r in exporting.kinds()]
    with nullcontext(sys.stdout) if output == "-" else _whole(output) as to:
        for kind, found in wanted:
            for text in exporting.documents(kind, found, actor):
                to.write(text)


def _write_template(resource: Resource, actor: Actor, name: str, chosen: Any, output: str) -> None:
    """The records as an export template says."""
    from watchkeeper.domains.lists import templates

    text = templates.written(templates.template_of(resource, actor, name), resource, chosen).decode()
    if output == "-":
        sys.stdout.write(text)
        return
    with _whole(output) as to:
        to.write(text)
    typer.echo(f"{resource.plural} in {output}", err=True)


@contextmanager
def _whole(output: str) -> Iterator[TextIO]:
    """A file that is there is whole: it gets its name at the end."""
    part = Path(f"{output}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as to:
            yield to
            to.flush()
            os.fsync(to.fileno())
        part.replace(output)
    except OSError as error:
        raise failed([f"{output}: {error.strerror}"]) from error
    finally:
        part.unlink(missing_ok=True)


def _say(plan: Plan, dry_run: bool, once: dict[str, Any]) -> None:
    created, changed = ("To create", "to change") if dry_run or plan.wrong else ("Created", "changed")
    typer.echo(
        f"{created}: {len(plan.creates):,}; {changed}: {len(plan.changes):,}; unchanged: {plan.unchanged:,}."
    )
    if plan.ignored:
        typer.echo(f"Not read, because they follow from others: {', '.join(plan.ignored)}.")
    if dry_run:
        for step in islice((*plan.changes, *plan.creates), SHOWN):
            typer.echo(f"row {step.row}: {'create' if step.key is None else 'change'} {step.title}")
            for name, (before, after) in step.values.items():
                was = "" if step.key is None else f"{_short(before)} → "
                typer.echo(f"    {name}: {was}{_short(after)}")
        if (more := len(plan.changes) + len(plan.creates) - SHOWN) > 0:
            typer.echo(f"and {more:,} more; --json has them all")
    for title, secret in once.items():
        typer.echo(f"{title}, shown this once: " + ", ".join(f"{k} {v}" for k, v in secret.items()))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:119] + "…"


def _told(plan: Plan, dry_run: bool, once: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {
        "applied": not dry_run and not plan.wrong,
        "created": len(plan.creates),
        "changed": len(plan.changes),
        "unchanged": plan.unchanged,
        "ignored": plan.ignored,
        "errors": [{"row": w.row, "field": w.field, "detail": w.detail} for w in plan.wrong],
    }
    if dry_run:
        out["records"] = [
            {"row": s.row, "id": s.key, "title": s.title,
             "values": {n: {"before": b, "after": a} for n, (b, a) in s.values.items()}}
            for s in (*plan.changes, *plan.creates)
        ]  # fmt: skip
    if once:
        out["shown_once"] = once
    return out
