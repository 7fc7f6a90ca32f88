"""`watchkeeper lab forecast`: what series of a CSV file will be, with bands; when they cross a limit, when an error budget
is spent, and how good such forecasts would have been. By the forecasters of the platform; memory does not grow with the
file: the last rows count."""

from __future__ import annotations

import csv
import json
import math
import re
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from watchkeeper.cli.lab_rows import Unreadable, columns, numbers

if TYPE_CHECKING:
    from watchkeeper.cli.lab_forecast_series import Asked

_ROWS = 8192
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def forecast(
    source: Annotated[
        Path,
        typer.Argument(metavar="IN.csv", help="timestamp and one or more value columns; blank is a gap."),
    ],
    horizon: Annotated[str, typer.Option(help="How far: 24h, 7d, 90m; or a number of rows.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.csv", help="timestamp,median,lower,upper.")],
    level: Annotated[
        float, typer.Option(min=0.01, max=0.99, help="Probability that a value lies between lower and upper.")
    ] = 0.9,
    quantiles: Annotated[bool, typer.Option("--quantiles", help="Also q05, q10, q25, q75, q90, q95.")] = False,
    threshold: Annotated[
        list[str] | None,
        typer.Option(metavar="[NAME=]VALUE", help="Say when it is crossed. May be given several times."),
    ] = None,
    share: Annotated[bool, typer.Option("--share", help="Values are shares: they stay between 0 and 1.")] = False,
    budget: Annotated[
        float | None,
        typer.Option(metavar="OBJECTIVE", help="Values are error ratios; say when the budget of 0.999 is spent."),
    ] = None,
    window: Annotated[str, typer.Option(help="Of the objective.")] = "30d",
    backtest: Annotated[
        bool, typer.Option("--backtest", help="Say how good it would have been, beside the seasonal naive forecast.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:  # fmt: skip
    """Foresee one or more series: the median and a band for every row to come.

    Seasons, trend, jumps and gaps are found in the data. `timestamp` is seconds, RFC 3339, or text without a zone (UTC).
    """
    from watchkeeper.cli.lab_forecast_series import Asked
    from watchkeeper.cli.progress import bar

    if budget is not None and not 0 < budget < 1:
        raise typer.BadParameter(f"--budget {budget:g}: an objective lies between 0 and 1, such as 0.999")
    try:
        asked = Asked(
            level, quantiles, share, budget, _duration(window), backtest, *_thresholds(threshold or [])
        )
        with (
            source.open(newline="", encoding="utf-8-sig") as rows,
            bar("forecast", source.stat().st_size) as advance,
        ):
            read = _Read(csv.reader(rows), advance)
        steps = _steps(horizon, read.step)
        with out.open("w", newline="", encoding="utf-8") as file:
            summary = _write(csv.writer(file, lineterminator="\n"), read, steps, asked)
    except (OSError, Unreadable, UnicodeDecodeError, csv.Error) as error:
        typer.echo(f"watchkeeper lab forecast: {source}: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        json.dump(summary, sys.stdout)
        sys.stdout.write("\n")
    else:
        for one in summary["series"]:
            sys.stdout.writelines(f"{one['name']}: {said}\n" for said in one["said"])


class _Read:
    """The last rows of a file: names, times in seconds, values (rows, series), and how times are written."""

    def __init__(self, rows: Iterator[list[str]], advance: Any) -> None:
        import numpy as np

        from watchkeeper.analysis.forecasts.grid import MOST, distance

        header, at = columns(rows)
        self.names = [name for i, name in enumerate(header) if i != at]
        times, values = np.empty(0, np.int64), np.empty((0, len(self.names)))
        line, self.example = 1, ""
        while chunk := list(islice(rows, _ROWS)):
            more, numbers_ = numbers(chunk, at, len(header), line)
            times, values = np.r_[times, more][-MOST:], np.r_[values, numbers_][-MOST:]
            line += len(chunk)
            self.example = chunk[-1][at].strip()
            advance(sum(map(len, chunk[0])) * len(chunk) + len(chunk[0]) * len(chunk))
        if not len(times):
            raise Unreadable("there are no rows")
        self.times, self.values = times / 1000.0, values
        self.step = distance(self.times)

    def written(self, seconds: float) -> str:
        """A time in the way of the file."""
        from datetime import UTC, datetime

        try:
            float(self.example)
        except ValueError:
            like = datetime.fromisoformat(self.example)
            when = datetime.fromtimestamp(seconds, UTC)
            apart = "T" if "T" in self.example else " "
            when = when.astimezone(like.tzinfo) if like.tzinfo else when.replace(tzinfo=None)
            text = when.isoformat(apart)
            return text.replace("+00:00", "Z") if self.example.endswith("Z") else text
        return f"{seconds:.3f}".rstrip("0").rstrip(".")


def _write(out: Any, read: _Read, steps: int, asked: Asked) -> dict[str, Any]:
    """Rows of all series, and what is said of them."""
    import numpy as np

    from watchkeeper.cli.lab_forecast_series import foreseen

    single = len(read.names) == 1
    end = float(read.times.max())
    found = [foreseen(name, read.times, read.values[:, i], end, read.step, steps, asked)
             for i, name in enumerate(read.names)]  # fmt: skip
    labels = [c if single else f"{f.name}_{c}" for f in found for c in f.columns]
    out.writerow(["timestamp", *labels])
    table = np.concatenate([f.rows for f in found])
    for j in range(steps):
        row = [f"{v:.10g}" if math.isfinite(v) else "" for v in table[:, j]]
        out.writerow([read.written(end + (j + 1) * read.step), *row])
    return {
        "rows": steps, "step_seconds": read.step, "level": asked.level, "series": [f.summary for f in found],
    }  # fmt: skip


def _duration(text: str) -> float:
    """Seconds. Raises typer.BadParameter."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise typer.BadParameter(f"{text!r} is no duration such as 24h, 7d or 90m")
    return float(found[1]) * _SECONDS[found[2]]


def _steps(text: str, step: float) -> int:
    """How many rows. Raises typer.BadParameter."""
    steps = int(text) if text.strip().isdigit() else round(_duration(text) / step)
    if not 1 <= steps <= 1_000_000:
        raise typer.BadParameter(f"--horizon {text} is {steps} rows; it can be 1 to 1,000,000")
    return steps


def _thresholds(given: list[str]) -> tuple[dict[str, float], float | None]:
    """By the name of a series, and that of all others. Raises typer.BadParameter."""
    named: dict[str, float] = {}
    every: float | None = None
    for text in given:
        name, _, value = text.rpartition("=")
        try:
            number = msgspec.convert(value.strip(), float, strict=False)
        except msgspec.ValidationError as error:
            raise typer.BadParameter(f"--threshold {text}: {value!r} is no number") from error
        if name:
            named[name] = number
        else:
            every = number
    return named, every
