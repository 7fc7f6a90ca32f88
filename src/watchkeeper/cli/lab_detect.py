"""`watchkeeper lab detect`: a CSV file of series in, the same rows with anomaly scores out, by the bank of
the pipeline. One causal pass; memory does not grow with the file."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice, repeat
from pathlib import Path
from typing import Annotated, Any

import typer

from watchkeeper.cli.lab_rows import Unreadable, columns, numbers

_ROWS = 8192


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
    except (OSError, Unreadable, UnicodeDecodeError, csv.Error) as error:
        typer.echo(f"watchkeeper lab detect: {source}: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        json.dump(summary, sys.stdout)
        sys.stdout.write("\n")


def _run(rows: Iterator[list[str]], scored: Any, explain: bool, advance: Any) -> dict[str, Any]:
    import numpy as np

    from watchkeeper.analysis.detectors.bank import Bank
    from watchkeeper.cli.lab_detect_drift import Drifts
    from watchkeeper.cli.lab_detect_several import Several

    header, at = columns(rows)
    names = [name for i, name in enumerate(header) if i != at]
    bank = Bank()
    bank.grow(len(names))
    several = Several(bank, names) if len(names) > 1 else None
    drifts = Drifts(names) if explain else None
    parts = [f"{name}_score" for name in names] if several else []
    scored.writerow([*header, *parts, "anomaly_score", *(["because"] if explain else [])])
    line, highest = 1, 0.0
    while chunk := list(islice(rows, 1 if explain else _ROWS)):
        times, values = numbers(chunk, at, len(header), line)
        if several:
            own, score = several.scores(times, values)
        else:
            own = bank.update(np.zeros(len(times), np.int64), times, values[:, 0])[:, None]
            score = own[:, 0]
        because: Iterable[list[str]] = repeat([])
        if drifts:
            said = several.because(own[0]) if several else _because(bank, score[0])
            because = [[" ".join(filter(None, (said, drifts.because(int(times[0]), values[0]))))]]
        for row, each, joint, why in zip(chunk, own.tolist(), score.tolist(), because, strict=False):
            more = [f"{x:.7f}" for x in each] if parts else []
            scored.writerow([*row, *more, f"{joint:.7f}", *why])
        line += len(chunk)
        highest = max(highest, float(score.max()))
        advance(sum(map(len, chunk[0])) * len(chunk) + len(chunk[0]) * len(chunk))
    return {"rows": line - 1, "series": len(names), "highest": round(highest, 7)}


def _because(bank: Any, score: float) -> str:
    """The reasons of the last point, when it is anything to speak of."""
    return " ".join(reason.text for reason in bank.explain(0)) if score >= 0.5 else ""
