"""Files that the commands on records read and write, and what they say is wrong in them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from watchkeeper.exchange.planning import Wrong
    from watchkeeper.exchange.tables import Format, Row
    from watchkeeper.kernel.resource import Resource


def read(name: str, written: str = "") -> tuple[list[Row], bool]:
    """The rows of a file, or of standard input for "-", and whether its values are text, as in CSV. Raises
    Malformed, or BadParameter when there is no such file or its format is not known."""
    from watchkeeper.exchange import tables

    form = format_of(name, written)
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{name}: {error.strerror}", param_hint="FILE") from error
    return tables.read(data, form), form is tables.Format.CSV


def format_of(name: str, written: str) -> Format:
    """The format that was named, or that the file's name tells; JSON on standard input. Raises BadParameter."""
    from watchkeeper.exchange.tables import Format

    if written in list(Format):
        return Format(written)
    if written:
        raise typer.BadParameter(f"{written!r}: write csv, json or yaml", param_hint="--format")
    form = Format.JSON if name == "-" else Format.of(name)
    if form is None:
        raise typer.BadParameter(f"{name}: say --format csv, json or yaml", param_hint="FILE")
    return form


def write(
    resource: Resource,
    chosen: Any,
    form: Format,
    to: IO[str],
    progress: Callable[[float], None] | None = None,
) -> int:
    """Write records as REST shows them; how many there were."""
    from watchkeeper.exchange import applying, tables

    count = 0

    def counted() -> Any:
        nonlocal count
        for row in applying.rows_of(resource, chosen):
            count += 1
            if progress:
                progress(1)
            yield row

    for piece in tables.write(counted(), form, applying.columns_of(resource)):
        to.write(piece)
    return count


def error(wrong: Wrong, numbered: bool = True) -> str:
    """One line that names the row and the field."""
    row = f"row {wrong.row}: " if numbered else ""
    return f"{row}{wrong.field}: {wrong.detail}" if wrong.field else f"{row}{wrong.detail}"
