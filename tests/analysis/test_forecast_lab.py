"""`watchkeeper lab forecast` on files, as a program: formats in and out, limits, budgets, backtest, errors."""

from __future__ import annotations

import csv
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.platform import COMMAND

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def _lab(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "lab", "forecast", *map(str, words)], capture_output=True, text=True, timeout=120
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _hours(form: str, count: int = 24 * 21) -> list[str]:
    times = [BEGIN + timedelta(hours=i) for i in range(count)]
    return [str(int(t.timestamp())) if form == "seconds" else t.strftime(form) for t in times]


def _load(count: int = 24 * 21) -> list[float]:
    t = np.arange(count)
    noise = np.random.default_rng(2).standard_normal(count)
    return [round(float(v), 4) for v in 50 + 20 * np.sin(t / 24 * 2 * np.pi) + noise]


def _write(path: Path, header: str, *columns: list[object] | list[str] | list[float]) -> Path:
    lines = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


@pytest.mark.parametrize(
    ("form", "first"),
    [
        ("seconds", "1774137600"),
        ("%Y-%m-%d %H:%M:%S", "2026-03-22 00:00:00"),
        ("%Y-%m-%dT%H:%M:%SZ", "2026-03-22T00:00:00Z"),
    ],
)
def test_rows_to_come_with_a_median_and_a_band(tmp_path: Path, form: str, first: str) -> None:
    out = tmp_path / "out.csv"
    done = _lab(
        _write(tmp_path / "in.csv", "timestamp,load", _hours(form), _load()), "--horizon", "24h", "-o", out
    )
    assert done.returncode == 0, done.stderr
    rows = _rows(out)
    assert list(rows[0]) == ["timestamp", "median", "lower", "upper"]
    assert len(rows) == 24 and rows[0]["timestamp"] == first
    truth = 50 + 20 * np.sin(np.arange(24) / 24 * 2 * np.pi)
    assert np.abs([float(r["median"]) for r in rows] - truth).max() < 3
    assert all(float(r["lower"]) <= float(r["median"]) <= float(r["upper"]) for r in rows)


def test_several_columns_rows_as_horizon_and_quantiles(tmp_path: Path) -> None:
    disk = [f"{0.3 + 0.001 * i:.4f}" if i % 7 else "" for i in range(24 * 21)]
    header = "timestamp,load,disk.utilization,nothing"
    source = _write(tmp_path / "in.csv", header, _hours("seconds"), _load(), disk, [""] * 504)
    out = tmp_path / "out.csv"
    done = _lab(
        source, "--horizon", "400", "-o", out, "--quantiles", "--json", "--threshold", "disk.utilization=0.95"
    )
    assert done.returncode == 0, done.stderr
    rows = _rows(out)
    assert len(rows) == 400
    parts = ["median", "lower", "upper", "q05", "q10", "q25", "q75", "q90", "q95"]
    assert list(rows[0]) == [
        "timestamp",
        *(f"{n}_{p}" for n in ("load", "disk.utilization", "nothing") for p in parts),
    ]
    assert max(float(r["disk.utilization_upper"]) for r in rows) <= 1.0  # a share by its name
    assert {r["nothing_median"] for r in rows} == {""}
    said = {s["name"]: s for s in json.loads(done.stdout)["series"]}
    crossed = said["disk.utilization"]["threshold"]
    assert crossed["median_seconds"] == pytest.approx(147 * 3600, abs=3 * 3600)
    assert crossed["earliest_seconds"] <= crossed["median_seconds"] <= crossed["latest_seconds"]
    assert "threshold" not in said["load"] and said["load"]["seasons_seconds"] == [86_400]


def test_what_is_not_reached_is_said(tmp_path: Path) -> None:
    source = _write(tmp_path / "in.csv", "timestamp,load", _hours("seconds"), _load())
    done = _lab(source, "--horizon", "2d", "-o", tmp_path / "out.csv", "--threshold", 500)
    assert done.stdout == "load: reaches 500: not within the horizon of 2 days.\n"


def test_a_backtest_stands_beside_the_naive_one(tmp_path: Path) -> None:
    source = _write(tmp_path / "in.csv", "timestamp,load", _hours("seconds"), _load())
    done = _lab(source, "--horizon", "24h", "-o", tmp_path / "out.csv", "--backtest", "--json")
    errors = json.loads(done.stdout)["series"][0]["backtest"]
    assert errors["watchkeeper"]["mase"] < errors["seasonal naive"]["mase"]
    assert errors["watchkeeper"]["crps"] < errors["seasonal naive"]["crps"]
    assert 0.75 <= errors["watchkeeper"]["coverage"] <= 1.0


def test_when_an_error_budget_is_spent(tmp_path: Path) -> None:
    ratios = [0.0005] * 600 + [0.0021] * 120
    source = _write(tmp_path / "in.csv", "timestamp,errors", _hours("seconds", 720), ratios)
    done = _lab(
        source, "--horizon", "14d", "-o", tmp_path / "out.csv", "--budget", 0.999, "--window", "30d", "--json"
    )
    budget = json.loads(done.stdout)["series"][0]["budget"]
    assert budget["left"] == pytest.approx(1 - (0.3 + 0.252) / 0.72)
    assert budget["burn"] == pytest.approx(2.1)
    assert budget["median_seconds"] == pytest.approx(105 * 3600, rel=0.15)  # 0.0016 an hour more than goes


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("time,value\n1,2\n", ["--horizon", "24h"], "must name a column timestamp"),
        ("timestamp,value\n1,two\n", ["--horizon", "24h"], "line 2"),
        ("timestamp,value\n", ["--horizon", "24h"], "there are no rows"),
        ("timestamp,value\n1,2\n", ["--horizon", "soon"], "no duration"),
        ("timestamp,value\n1,2\n", ["--horizon", "9999999"], "1 to 1,000,000"),
        ("timestamp,value\n1,2\n", ["--horizon", "3", "--threshold", "a=b"], "is no number"),
        ("timestamp,value\n1,2\n", ["--horizon", "3", "--budget", "2"], "between 0 and 1"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, words: list[str], said: str) -> None:
    source = tmp_path / "in.csv"
    source.write_text(text)
    done = _lab(source, "-o", tmp_path / "out.csv", *words)
    assert done.returncode != 0
    assert said in " ".join(done.stderr.replace("│", " ").split()) and "Traceback" not in done.stderr


def test_rows_out_of_order_and_twice_are_no_trouble(tmp_path: Path) -> None:
    times, values = _hours("seconds"), _load()
    mixed = [*np.random.default_rng(1).permutation(len(times)).tolist(), 0, 1, 2]
    columns = [times[i] for i in mixed], [values[i] for i in mixed]
    source = _write(tmp_path / "in.csv", "timestamp,load", *columns)
    plain = _write(tmp_path / "plain.csv", "timestamp,load", times, values)
    for path in (source, plain):
        assert _lab(path, "--horizon", "24", "-o", path.with_suffix(".out")).returncode == 0
    assert source.with_suffix(".out").read_text() == plain.with_suffix(".out").read_text()
