"""`watchkeeper get|show|create|edit|delete|do KIND`: records of every declared kind, without code for any of them."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchkeeper.cli import files
from watchkeeper.cli.kinds import Csv, Filter, Json, Kind, Search, View, asked, failed, found, pairs, records

if TYPE_CHECKING:
    from watchkeeper.kernel.acting import Actor
    from watchkeeper.kernel.resource import Column, Resource

Values = Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE", help="Lists and the like as JSON.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="Its id, or its name where only one has it.")]
File = Annotated[str, typer.Option(help="Take them from this CSV, JSON or YAML file; - is standard input.")]


def get(
    kind: Kind,
    filters: Filter = None,
    search: Search = "",
    view: View = "",
    columns: Annotated[
        str, typer.Option(help="What the table shows: fields, and of what they refer to as rack__serial.")
    ] = "",
    order: Annotated[
        str, typer.Option(help="Fields, with commas between; - before one turns it round.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 50,
    every: Annotated[bool, typer.Option("--all", help="Every one.")] = False,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """List records, filtered and ordered as the API does it."""
    with records(kind) as (resource, actor):
        matching = asked(resource, actor, filters, search, order, view)
        wanted = matching if every else matching[:limit]
        if (view or columns) and not as_json and not as_csv:
            _print_chosen(resource, actor, view, columns, wanted)
        else:
            _print(resource, wanted, as_json, as_csv)
        if not every and not as_json and not as_csv and (count := matching.count()) > limit:
            typer.echo(f"{limit:,} of {count:,}; --all shows every one", err=True)


def show(kind: Kind, key: Id, as_json: Json = False, as_csv: Csv = False) -> None:
    """Show one record whole."""
    with records(kind) as (resource, _):
        _print_one(resource, found(resource, key).pk, as_json, as_csv)


def create(
    kind: Kind, values: Values = None, file: File = "", as_json: Json = False, as_csv: Csv = False
) -> None:
    """Make a record from name=value, or all those of a file."""
    with records(kind) as (resource, actor):
        from watchkeeper.exchange import planning
        from watchkeeper.kernel.problems import Invalid

        if bool(values) == bool(file):
            raise typer.BadParameter("write name=value, or --file FILE", param_hint="VALUES")
        key = planning.key_of(resource)
        rows, cells = files.read(file) if file else ([(1, dict(pairs(values or (), "VALUES")))], True)
        for number, row in rows:
            if row.get(key) not in (None, "") and key not in planning.inputs(resource):
                raise Invalid(
                    f"row {number}: {key}: a new record gets its own; `watchkeeper import` changes records"
                )
        made = _apply(resource, actor, rows, cells)
        for secret in made.once.values():
            for name, value in secret.items():
                typer.echo(f"watchkeeper: its {name}, shown this once: {value}", err=True)
        keys = list(made.made.values())
        if made.pending:
            typer.echo(f"watchkeeper: {resource.name} {keys[0]} is on its way", err=True)
        elif len(keys) == 1:
            _print_one(resource, keys[0], as_json, as_csv)
        else:
            _print(resource, resource.queryset().filter(pk__in=keys), as_json, as_csv)


def edit(kind: Kind, key: Id, values: Values = None, as_json: Json = False, as_csv: Csv = False) -> None:
    """Change a record: name=value for what shall be different."""
    with records(kind) as (resource, actor):
        from watchkeeper.exchange import planning

        if not values:
            raise typer.BadParameter("write name=value", param_hint="VALUES")
        record = found(resource, key)
        row = {**dict(pairs(values, "VALUES")), planning.key_of(resource): str(record.pk)}
        done = _apply(resource, actor, [(1, row)], True)
        if not done.changed:
            typer.echo("watchkeeper: it is so already", err=True)
        _print_one(resource, record.pk, as_json, as_csv)


def delete(
    kind: Kind,
    keys: Annotated[list[str], typer.Argument(help="Their ids or names.", metavar="ID …")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete records, all of them or none."""
    with records(kind) as (resource, actor):
        from django.db import transaction

        from watchkeeper.kernel import doing
        from watchkeeper.kernel.problems import Refused

        if "remove" not in resource.allow:
            raise Refused(f"{resource.plural} cannot be deleted")
        chosen = [found(resource, key) for key in dict.fromkeys(keys)]
        titles = ", ".join(resource.title(r) for r in chosen)
        if not yes and not typer.confirm(f"Delete {titles}?", err=True):
            raise typer.Exit(1)
        if doing.journaled(resource.remove):
            for record in chosen:
                doing.remove(resource, actor, record)
        else:
            with transaction.atomic():
                for record in chosen:
                    doing.remove(resource, actor, record)
        typer.echo(f"Deleted {titles}.", err=True)


def do(
    kind: Kind,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="Such as retry; a wrong one lists them.")],
    key: Id,
    values: Values = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Do something with a record besides changing it: `watchkeeper do jobs cancel ID`."""
    with records(kind) as (resource, actor):
        from watchkeeper.kernel import doing

        declared = resource.action(action)
        if declared is None:
            names = ", ".join(a.name for a in resource.actions) or "none"
            raise typer.BadParameter(
                f"{resource.plural} know no {action!r}; there are: {names}", param_hint="ACTION"
            )
        data: dict[str, Any] = {}
        if declared.fields is not None:
            given = declared.fields(data=dict(pairs(values or (), "VALUES")))
            given.is_valid(raise_exception=True)
            data = given.validated_data
        elif values:
            raise typer.BadParameter(f"{action} takes none", param_hint="VALUES")
        record = found(resource, key)
        done = doing.act(resource, declared, actor, record, data)
        if done.pending:
            return typer.echo("watchkeeper: it is on its way", err=True)
        for name, value in (done.body or {}).get("shown_once", {}).items():
            typer.echo(f"watchkeeper: its {name}, shown this once: {value}", err=True)
        _print_one(resource, record.pk, as_json, as_csv)


def _apply(resource: Resource, actor: Actor, rows: Sequence[Any], cells: bool) -> Any:
    """Plan and apply; what is wrong names the row only where there is more than one."""
    from watchkeeper.exchange import applying, planning

    plan = planning.plan(resource, actor, rows, cells=cells)
    for ignored in plan.ignored:
        plan.wrong.append(planning.Wrong(rows[0][0], ignored, "it follows from others and cannot be set"))
    if plan.wrong:
        raise failed(files.error(w, len(rows) > 1) for w in plan.wrong)
    return applying.apply(plan, actor)


def _print(resource: Resource, chosen: Any, as_json: bool, as_csv: bool) -> None:
    if as_json or as_csv:
        from watchkeeper.exchange.tables import Format

        files.write(resource, chosen, Format.JSON if as_json else Format.CSV, sys.stdout)
        return
    rows = ((r, [c.value(r) for c in resource.columns]) for r in chosen.iterator(chunk_size=500))
    _print_table(resource.columns, rows)


def _print_chosen(resource: Resource, actor: Actor, view: str, names: str, chosen: Any) -> None:
    """With the columns of these names, else with those of the view."""
    from watchkeeper.domains.lists import asking, columns

    if names:
        shown = columns.checked(resource, actor, [n.strip() for n in names.split(",") if n.strip()])
    else:
        shown = columns.kept(resource, actor, asking.view_of(resource, actor, view).columns)
    found = list(columns.joined(chosen, resource, shown))
    _print_table(shown, zip(found, columns.values(resource, actor, shown, found), strict=True))


def _print_table(columns: Sequence[Column], rows: Iterable[tuple[Any, list[Any]]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("Id", *(c.heading for c in columns)):
        table.add_column(heading, overflow="fold")
    for record, values in rows:
        table.add_row(str(record.pk), *(_text(v) for v in values))
    # A pipe is as wide as what goes through it.
    Console(width=None if sys.stdout.isatty() else 10_000, markup=False, highlight=False).print(table)


def _print_one(resource: Resource, key: Any, as_json: bool, as_csv: bool) -> None:
    from watchkeeper.exchange.applying import rows_of

    chosen = resource.queryset().filter(pk=key)
    if as_csv:
        return _print(resource, chosen, False, True)
    (row,) = islice(rows_of(resource, chosen), 1)
    if as_json:
        return typer.echo(json.dumps(row, indent=1, ensure_ascii=False))
    width = max(map(len, row))
    for name, value in row.items():
        typer.echo(f"{name:<{width}}  {_text(value)}")


def _text(value: Any) -> str:
    """For people: no braces, times to the second."""
    if value in (None, "", [], {}, ()):
        return "–"
    match value:
        case bool():
            return "yes" if value else "no"
        case dt.datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S UTC")
        case dict():
            return ", ".join(f"{k}={_text(v)}" for k, v in value.items())
        case list() | tuple():
            return "; ".join(map(_text, value))
    return str(value)
