"""`watchkeeper lab cause`: the probable cause from a file of metrics, with or without a graph, an onset and a
recording of normal times."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

if TYPE_CHECKING:
    from watchkeeper.analysis.causes.metrics import Key
    from watchkeeper.analysis.causes.onset import Array

_FILE = {"exists": True, "dir_okay": False}


class Relation(msgspec.Struct, frozen=True):
    """One edge of the graph file."""

    source: str
    target: str
    relation: str = "depends_on"


class Graph(msgspec.Struct, frozen=True):
    """The graph file, as `lab correlate` reads it; only its edges matter here."""

    edges: tuple[Relation, ...] = ()


def cause(
    metrics: Annotated[
        Path, typer.Argument(**_FILE, help="Wide CSV: timestamp, then entity|metric|statistic.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the causes go, JSON.")],
    graph: Annotated[Path | None, typer.Option(**_FILE, help="Who needs whom, JSON.")] = None,
    at: Annotated[str, typer.Option(help="Time from which on there is trouble; found when not given.")] = "",
    target: Annotated[str, typer.Option(help="The series that is in trouble: entity|metric|statistic.")] = "",
    normal: Annotated[
        Path | None, typer.Option(**_FILE, help="Normal times, wide CSV with the same columns.")
    ] = None,
) -> None:
    """Rank the entities that are probably behind the trouble; none when nothing needs a cause."""
    from watchkeeper.analysis.causes.metrics import causes_of_metrics, edges_of

    times, keys, values = read_wide(metrics)
    usual = _aligned(normal, keys) if normal else None
    row = None if not at else _row(times, seconds(at))
    edges = []
    if graph:
        try:
            read = msgspec.json.decode(graph.read_bytes(), type=Graph)
        except msgspec.DecodeError as error:
            raise typer.BadParameter(f"{graph}: {error}") from error
        edges = edges_of([msgspec.to_builtins(e) for e in read.edges])
    wanted = _key(target) if target else None
    found = causes_of_metrics(keys, values, at=row, normal=usual, edges=edges, target=wanted)
    result = {
        "onset": None
        if found.onset is None or not len(times)
        else float(times[min(found.onset, len(times) - 1)]),
        "causes": [c._asdict() for c in found.causes],
    }
    if not graph:
        result["note"] = (
            "Without a graph, what suffers cannot be told from what causes: only strength was compared."
        )
    out.write_text(json.dumps(result, indent=1) + "\n")


def read_wide(path: Path) -> tuple[Array, list[Key], Array]:
    """Times (seconds), keys and values (series × rows, NaN where blank) of a wide CSV.
    Raises typer.BadParameter with the line."""
    import numpy as np

    with path.open(newline="") as f:
        rows = csv.reader(f)
        head = next(rows, [])
        if not head or head[0] != "timestamp":
            raise typer.BadParameter(f"{path}: the first column is to be called timestamp")
        keys = [_key(x) for x in head[1:]]
        times: list[float] = []
        values: list[list[float]] = []
        for number, cells in enumerate(rows, 2):
            if not cells:
                continue
            if len(cells) != len(head):
                raise typer.BadParameter(f"{path}, line {number}: {len(cells)} cells, not {len(head)}")
            try:
                times.append(seconds(cells[0]))
                values.append([float(x) if x else np.nan for x in cells[1:]])
            except ValueError as error:
                raise typer.BadParameter(f"{path}, line {number}: {error}") from error
    table = np.array(values, float).reshape(len(times), len(keys)).T
    return np.array(times), keys, np.where(np.isfinite(table), table, np.nan)


def seconds(text: str) -> float:
    """A number, or RFC 3339 or zoneless (UTC) text, as Unix seconds. Raises ValueError.

    >>> seconds("1970-01-01T00:01:00Z"), seconds("60")
    (60.0, 60.0)
    """
    try:
        return float(text)
    except ValueError:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _row(times: Array, at: float) -> int:
    import numpy as np

    return int(np.searchsorted(times, at, side="left"))


def _key(name: str) -> Key:
    parts = name.rsplit("|", 2)
    if len(parts) != 3:
        raise typer.BadParameter(f"column {name!r} is not entity|metric|statistic")
    return parts[0], parts[1], parts[2]


def _aligned(path: Path, keys: list[Key]) -> Array:
    """The normal values in the order of `keys`; NaN for a series that is not there."""
    import numpy as np

    _, found, values = read_wide(path)
    place = {k: i for i, k in enumerate(found)}
    gap = np.full(values.shape[1], np.nan)
    return np.array([values[place[k]] if k in place else gap for k in keys]).reshape(len(keys), -1)
