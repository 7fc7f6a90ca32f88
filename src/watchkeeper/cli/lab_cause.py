"""`watchkeeper lab cause`: the probable cause from a file of metrics, with or without a graph, an onset and a
recording of normal times."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from watchkeeper.cli.lab_rows import seconds

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
    row = _row(times, at, normal is not None) if at else None
    edges = edges_of((e.source, e.target, e.relation) for e in read_graph(graph).edges) if graph else []
    wanted = _key(target) if target else None
    found = causes_of_metrics(keys, values, at=row, normal=usual, edges=edges, target=wanted)
    onset = None if found.onset is None or not len(times) else float(times[min(found.onset, len(times) - 1)])
    causes = [
        {"entity": c.entity, "metric": c.metric, "score": c.score, "because": [r.text for r in c.because]}
        for c in found.causes
    ]
    result: dict[str, object] = {"onset": onset, "causes": causes}
    entities = {k[0] for k in keys}
    lost = []
    if not any(a in entities and b in entities for a, b in edges):
        why = "The graph has no relation between the entities of the metrics" if graph else "Without a graph"
        lost.append(f"{why}: what suffers cannot be told from what causes, only strength was compared.")
    if wanted and wanted not in keys:
        lost.append(f"There is no series {target}: candidates could not be held against it.")
    if lost:
        result["note"] = " ".join(lost)
    out.write_text(json.dumps(result, indent=1) + "\n")


def read_graph(path: Path) -> Graph:
    """The graph file. Raises typer.BadParameter."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Graph)
    except msgspec.DecodeError as error:
        raise typer.BadParameter(f"{path}: {error}") from error


def read_wide(path: Path) -> tuple[Array, list[Key], Array]:
    """Times (seconds, rising), keys and values (series × rows, NaN where blank) of a wide CSV. Rows that step back in
    time are put where they belong. Raises typer.BadParameter with the line."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as f:
            return _read_rows(path, csv.reader(f))
    except (UnicodeDecodeError, csv.Error) as error:
        raise typer.BadParameter(f"{path} is not a CSV file in UTF-8: {error}") from error


def _read_rows(path: Path, rows: Iterator[list[str]]) -> tuple[Array, list[Key], Array]:
    import numpy as np

    head = next(rows, [])
    if not head or head[0] != "timestamp":
        raise typer.BadParameter(f"{path}: the first column is to be called timestamp")
    keys = [_key(x) for x in head[1:]]
    twice = (
        [head[1 + n] for n, k in enumerate(keys) if keys.index(k) != n] if len(set(keys)) < len(keys) else []
    )
    if twice:
        raise typer.BadParameter(f"{path}: the column {twice[0]!r} is there twice")
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
    order = np.argsort(times, kind="stable")
    table = np.where(np.isfinite(table), table, np.nan)[:, order]
    return np.array(times)[order], keys, table


def _row(times: Array, at: str, normal_given: bool) -> int:
    """The first row from this time on. Raises typer.BadParameter when nothing can be compared there."""
    import numpy as np

    try:
        row = int(np.searchsorted(times, seconds(at), side="left"))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--at") from error
    if row == len(times):
        raise typer.BadParameter(f"the metrics end before {at}", param_hint="--at")
    if row == 0 and not normal_given:
        raise typer.BadParameter(
            f"no row is before {at}: nothing says what is normal. Give --normal.", param_hint="--at"
        )
    return row


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
