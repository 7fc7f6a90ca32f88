"""`watchkeeper search WORDS`: one ranked list over every kind of record."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from watchkeeper.cli.kinds import Json, failed, named


def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS …", help="Each has to occur.")],
    kind: Annotated[
        list[str] | None, typer.Option("--kind", "-k", help="Only this kind; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """Find records of every kind, the nearest match first, and say where it matched."""
    from watchkeeper.cli.django_ready import begin

    begin()
    from watchkeeper.domains.identity.keys import command_actor
    from watchkeeper.domains.search import find

    paths = [named(k).path for k in kind or ()]
    found = find(command_actor(), " ".join(words), kinds=paths, limit=limit)
    if as_json:
        rows = [
            {
                "kind": h.resource.path,
                "id": str(h.record.pk),
                "title": h.title,
                "field": h.field,
                "text": h.text,
            }
            for h in found.hits
        ]
        return typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
    if not found.hits:
        raise failed(["nothing was found"])
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("Kind", "Id", "Title", "Found in", "Text"):
        table.add_column(heading, overflow="fold")
    for h in found.hits:
        text = Text.assemble(*((part, "bold") if marked else part for part, marked in h.parts))
        table.add_row(h.resource.path, str(h.record.pk), h.title, h.field.replace("_", " "), text)
    Console(width=None if sys.stdout.isatty() else 10_000, markup=False, highlight=False).print(table)
    typer.echo(
        ", ".join(f"{c.count}{'+' if c.more else ''} {c.resource.plural}" for c in found.counts), err=True
    )
