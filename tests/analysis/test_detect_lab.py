"""`watchkeeper lab detect` on files: formats in and out, causality, errors; and public sets when they are there."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from watchkeeper.cli.lab_detect import detect

PUBLIC = Path(__file__).parents[3] / "shared" / "data" / "nab"
APP = typer.Typer()
APP.command()(detect)


def _lab(*words: object) -> Result:
    return CliRunner().invoke(APP, [str(w) for w in words])


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _series(n: int = 1500) -> list[float]:
    values = 50 + np.random.default_rng(1).standard_normal(n)
    values[1200:1206] += 40
    return [round(float(v), 4) for v in values]


def _write(path: Path, header: str, lines: list[str]) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_rows_come_back_with_a_score(tmp_path: Path) -> None:
    lines = [f"{1_750_000_000 + 60 * i},{v}" for i, v in enumerate(_series())]
    out = tmp_path / "out.csv"
    done = _lab(_write(tmp_path / "in.csv", "timestamp,value", lines), "-o", out, "--json")
    assert done.exit_code == 0, done.output
    rows = _rows(out)
    assert list(rows[0]) == ["timestamp", "value", "anomaly_score"]
    assert [f"{r['timestamp']},{r['value']}" for r in rows] == lines
    scores = [float(r["anomaly_score"]) for r in rows]
    assert max(scores[1200:1206]) > 0.9 > max(scores[:1200])
    assert json.loads(done.stdout) == {"rows": 1500, "series": 1, "highest": pytest.approx(max(scores))}


@pytest.mark.parametrize(
    "form", ["{:%Y-%m-%d %H:%M:%S}", "{:%Y-%m-%dT%H:%M:%S}Z", "{:%Y-%m-%dT%H:%M:%S}+00:00"]
)
def test_every_way_to_write_a_time_gives_the_same(tmp_path: Path, form: str) -> None:
    from datetime import UTC, datetime

    values, scores = _series(), []
    for k, write in enumerate((str, lambda t: form.format(datetime.fromtimestamp(t, UTC)))):
        lines = [f"{write(1_750_000_000 + 60 * i)},{v}" for i, v in enumerate(values)]
        out = tmp_path / f"{k}.out"
        assert _lab(_write(tmp_path / f"{k}.csv", "timestamp,value", lines), "-o", out).exit_code == 0
        scores.append([r["anomaly_score"] for r in _rows(out)])
    assert scores[0] == scores[1]


def test_several_columns_gaps_times_that_step_back_and_reasons(tmp_path: Path) -> None:
    a, b = _series(), _series()[::-1]
    lines = [f"{x},{1_750_000_000 + 60 * (i - 30 * (i % 97 == 0))},{'' if i % 50 == 0 else y}"
             for i, (x, y) in enumerate(zip(a, b, strict=True))]  # fmt: skip
    out = tmp_path / "out.csv"
    assert (
        _lab(_write(tmp_path / "in.csv", "cpu,timestamp,disk", lines), "-o", out, "--explain").exit_code == 0
    )
    rows = _rows(out)
    assert list(rows[0])[3:] == ["cpu_score", "disk_score", "anomaly_score", "because"]
    worst = max(rows, key=lambda r: float(r["anomaly_score"]))
    assert worst["because"].startswith(("cpu: ", "disk: ")) and "usual at this time is" in worst["because"]
    assert all(float(r["disk_score"]) == 0.0 for r in rows if r["disk"] == "")


@pytest.mark.parametrize("columns", [1, 2])
def test_drifts_are_said_where_they_begin_and_end_and_change_no_score(tmp_path: Path, columns: int) -> None:
    days = np.arange(24 * 45) / 24
    values = 50 + np.random.default_rng(1).standard_normal(len(days)) + 2 * np.clip(days - 25, 0, 10)
    lines = [",".join([str(1_750_032_000 + 3600 * i), *[f"{v:.4f}"] * columns]) for i, v in enumerate(values)]
    source = _write(tmp_path / "in.csv", ",".join(["timestamp", *"ab"[:columns]]), lines)
    plain, out = tmp_path / "plain.csv", tmp_path / "out.csv"
    assert _lab(source, "-o", plain).exit_code == 0 and _lab(source, "-o", out, "--explain").exit_code == 0
    rows = _rows(out)
    assert [r["anomaly_score"] for r in rows] == [r["anomaly_score"] for r in _rows(plain)]
    said = [
        (i / 24, r["because"])
        for i, r in enumerate(rows)
        if "drift" in r["because"] or " a day for " in r["because"]
    ]
    (begun, why), (over, end) = said[0], said[1]
    assert 25 < begun < 33 and ("a: It has risen by " if columns == 2 else "It has risen by ") in why
    assert 35 < over < 43 and "The drift is over." in end


def test_a_score_uses_this_row_and_earlier_ones_only(tmp_path: Path) -> None:
    lines = [f"{1_750_000_000 + 60 * i},{v}" for i, v in enumerate(_series())]
    found = []
    for n in (len(lines), 1201, 1203, 700):
        out = tmp_path / f"{n}.out"
        assert _lab(_write(tmp_path / f"{n}.csv", "timestamp,value", lines[:n]), "-o", out).exit_code == 0
        found.append([r["anomaly_score"] for r in _rows(out)])
    assert all(part == found[0][: len(part)] for part in found[1:])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("time,value\n1,2\n", "must name a column timestamp"),
        ("timestamp,value\n1,2\nyesterday,3\n", "line 3"),
        ("timestamp,value\n1,2\n2,many\n", "line 3"),
        ("timestamp,value\n1,2,3\n", "line 2 has 3 columns"),
        ("", "must name a column timestamp"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    source = tmp_path / "in.csv"
    source.write_text(text)
    done = _lab(source, "-o", tmp_path / "out.csv")
    assert done.exit_code == 1 and says in done.output


@pytest.mark.parametrize("name", ["artificialWithAnomaly/art_daily_flatmiddle", "realTraffic/speed_t4013"])
def test_public_series_show_their_anomaly(tmp_path: Path, name: str) -> None:
    if not PUBLIC.exists():
        pytest.skip("the public series are not on this machine")
    out = tmp_path / "out.csv"
    assert _lab(PUBLIC / f"{name}.csv", "-o", out).exit_code == 0
    windows = json.loads((PUBLIC / "windows.json").read_text())[f"{name}.csv"]
    rows = _rows(out)[600:]
    inside = [float(r["anomaly_score"]) for r in rows if any(a <= r["timestamp"] <= b for a, b in windows)]
    outside = [
        float(r["anomaly_score"]) for r in rows if not any(a <= r["timestamp"] <= b for a, b in windows)
    ]
    assert max(inside) > max(outside)


_MEASURED = """
import resource, sys
from typer.testing import CliRunner
from tests.analysis.test_detect_lab import APP
done = CliRunner().invoke(APP, sys.argv[1:])
assert done.exit_code == 0, done.output
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _peak_kib(folder: Path, rows: int, columns: int) -> int:
    """Of a process that scores so many rows."""
    source = folder / f"{rows}.csv"
    with source.open("w") as file:
        file.write(",".join(["timestamp", *(f"c{k}" for k in range(columns))]) + "\n")
        for i in range(rows):
            file.write(
                ",".join([str(1_750_000_000 + 60 * i), *(str((i * 7 + k) % 101) for k in range(columns))])
                + "\n"
            )
    words = [sys.executable, "-c", _MEASURED, str(source), "-o", str(folder / "out")]
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[-1])


@pytest.mark.parametrize(("columns", "rows"), [(1, 300_000), (3, 60_000)])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, columns: int, rows: int) -> None:
    small, large = _peak_kib(tmp_path, 10_000, columns), _peak_kib(tmp_path, rows, columns)
    assert large - small < 24 * 1024


@pytest.mark.parametrize("columns", [1, 2])
def test_times_without_a_zone_that_repeat_and_step_back_are_scored_like_any(
    tmp_path: Path, columns: int
) -> None:
    from datetime import UTC, datetime, timedelta

    begin = datetime(2026, 10, 25, tzinfo=UTC)  # the clock is put back an hour, as many zones do
    lines = []
    for i, value in enumerate(_series()):
        at = begin + timedelta(minutes=i - 60 * (i >= 700) - (i % 50 == 0))
        lines.append(",".join([f"{at:%Y-%m-%d %H:%M:%S}", *[str(value)] * columns]))
    out = tmp_path / "out.csv"
    header = ",".join(["timestamp", *(f"c{k}" for k in range(columns))])
    assert _lab(_write(tmp_path / "in.csv", header, lines), "-o", out).exit_code == 0
    scores = [float(r["anomaly_score"]) for r in _rows(out)]
    assert len(scores) == len(lines) and max(scores[1200:1206]) > 0.9 > max(scores[:1200])
