"""`watchkeeper lab detect`: a CSV file of series in, the same rows with anomaly scores out, by the bank of
the pipeline. One causal pass; memory does not grow with the file."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROWS = 8192


class _Unreadable(Exception):
    """The file is not what the command takes; the message says where and why."""


def detect(
    source: Annotated[
        Path,
        typer.Argument(metavar="IN.csv", help="timestamp and one or more value columns; blank is a gap."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.csv", help="The rows with anomaly_score.")],
    explain: Annotated[bool, typer.Option("--explain", help="Add a column that says why (slower).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary as JSON.")] = False,
) -> None:
    """Score every point of one or more series: 0 is usual, 0.9 comes by itself once in 10,000 points.

    `timestamp` is seconds, RFC 3339, or text without a zone (taken as UTC).
    """
    from watchkeeper.cli.progress import bar

    try:
        with (
            source.open(newline="", encoding="utf-8-sig") as rows,
            out.open("w", newline="", encoding="utf-8") as scored,
            bar("detect", source.stat().st_size) as advance,
        ):
            summary = _run(csv.reader(rows), csv.writer(scored, lineterminator="\n"), explain, advance)
    except (OSError, _Unreadable, UnicodeDecodeError, csv.Error) as error:
        typer.echo(f"watchkeeper lab detect: {source}: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        json.dump(summary, sys.stdout)
        sys.stdout.write("\n")


def _run(rows: Iterator[list[str]], scored: Any, explain: bool, advance: Any) -> dict[str, Any]:
    from watchkeeper.analysis.detectors.bank import Bank

    header = next(rows, [])
    if "timestamp" not in header or len(header) < 2:
        raise _Unreadable("the first line must name a column timestamp and at least one value column")
    at = header.index("timestamp")
    names = [name for i, name in enumerate(header) if i != at]
    bank = Bank()
    bank.grow(len(names))
    parts = [f"{name}_score" for name in names] if len(names) > 1 else []
    scored.writerow([*header, *parts, "anomaly_score", *(["because"] if explain else [])])
    line, highest = 1, 0.0
    while chunk := list(islice(rows, 1 if explain else _ROWS)):
        times, values = _numbers(chunk, at, len(header), line)
        scores = _scores(bank, times, values)
        joint = _joint(scores)
        for row, own, score in zip(chunk, scores, joint.tolist(), strict=True):
            more = [f"{x:.7f}" for x in own] if parts else []
            why = [_because(bank, own, names)] if explain else []
            scored.writerow([*row, *more, f"{score:.7f}", *why])
        line += len(chunk)
        highest = max(highest, float(joint.max()))
        advance(sum(map(len, chunk[0])) * len(chunk) + len(chunk[0]) * len(chunk))
    return {"rows": line - 1, "series": len(names), "highest": round(highest, 7)}


def _numbers(
    chunk: list[list[str]], at: int, width: int, line: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Milliseconds, a row each, and values of shape (rows, series), NaN for a gap."""
    import numpy as np

    times = np.empty(len(chunk), np.int64)
    values = np.empty((len(chunk), width - 1))
    for i, row in enumerate(chunk):
        if len(row) != width:
            raise _Unreadable(f"line {line + i + 1} has {len(row)} columns, the header {width}")
        try:
            times[i] = _milliseconds(row[at])
            values[i] = [float(x) if x.strip() else math.nan for k, x in enumerate(row) if k != at]
        except (ValueError, OverflowError) as error:
            raise _Unreadable(f"line {line + i + 1}: {error}") from error
    return times, values


def _milliseconds(text: str) -> int:
    try:
        return round(float(text) * 1000)
    except ValueError:
        time = datetime.fromisoformat(text.strip())
        return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def _scores(bank: Any, times: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    count, width = values.shape
    series = np.tile(np.arange(width), count)
    found: NDArray[np.float64] = bank.update(series, np.repeat(times, width), values.reshape(-1))
    return found.reshape(count, width)


def _joint(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """One score a row: the highest, less what the number of series makes likely (Bonferroni)."""
    import numpy as np

    chance = (1.0 - scores.max(axis=1)) ** 4 * scores.shape[1]
    return np.asarray(1.0 - np.minimum(chance, 1.0) ** 0.25)


def _because(bank: Any, own: NDArray[np.float64], names: list[str]) -> str:
    """The reasons of the series with the highest score, when it is anything to speak of."""
    slot = int(own.argmax())
    if own[slot] < 0.5:
        return ""
    text = " ".join(reason.text for reason in bank.explain(slot))
    return f"{names[slot]}: {text}" if len(names) > 1 else text
