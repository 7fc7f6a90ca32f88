"""Causes from metrics: the onset, what left its range, who was dragged along, and that calm needs no cause."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from watchkeeper.analysis.causes.metrics import Key, causes_of_metrics
from watchkeeper.analysis.causes.onset import Array, find_onset
from watchkeeper.cli.lab_cause import cause, seconds

ENTITIES = ("front", "cart", "db", "mail", "queue")
EDGES = [("front", "cart"), ("cart", "db"), ("front", "mail"), ("mail", "queue")]
KEYS: list[Key] = [(e, m, "avg") for e in ENTITIES for m in ("latency", "cpu")]


def world(seed: int, rows: int = 300, onset: int | None = 200, struck: str = "db") -> Array:
    """Latency of those that need `struck` goes up with it, from `onset` on; so does its own CPU."""
    chance = np.random.default_rng(seed)
    values = np.abs(chance.normal(1.0, 0.05, (len(KEYS), rows)))
    if onset is not None:
        suffers = {"db": ("db", "cart", "front"), "queue": ("queue", "mail", "front")}[struck]
        for e in suffers:
            values[KEYS.index((e, "latency", "avg")), onset:] += 2.0
        values[KEYS.index((struck, "cpu", "avg")), onset:] += 3.0
    return values


@pytest.mark.parametrize("struck", ["db", "queue"])
@pytest.mark.parametrize("at", [200, 240, None])
def test_the_struck_entity_is_named_with_the_onset_given_given_late_or_not_given(
    struck: str, at: int | None
) -> None:
    found = causes_of_metrics(KEYS, world(1, struck=struck), at=at, edges=EDGES)
    assert found.onset == 200
    assert found.causes[0].entity == struck
    assert "times as far as it usually wanders" in found.causes[0].because[0]


def test_with_a_target_only_its_metric_counts_and_those_dragged_along_do_not_win() -> None:
    target = ("front", "latency", "avg")
    found = causes_of_metrics(KEYS, world(2), at=200, edges=EDGES, target=target)
    assert found.causes[0].entity == "db"
    assert "cart needs db and suffers too." in found.causes[0].because
    assert found.causes[0].metric == "latency"


def test_calm_needs_no_cause() -> None:
    said = sum(bool(causes_of_metrics(KEYS, world(s, onset=None), edges=EDGES).causes) for s in range(20))
    assert said <= 1
    usual = world(50, onset=None)
    target = ("front", "latency", "avg")
    said = sum(
        bool(
            causes_of_metrics(KEYS, world(s, 5, None), at=0, normal=usual, edges=EDGES, target=target).causes
        )
        for s in range(40)
    )
    assert said <= 8


def test_gaps_constants_and_short_files_survive() -> None:
    values = world(3)
    values[:, ::3] = np.nan
    values[1] = 7.0
    values[2] = np.nan
    assert causes_of_metrics(KEYS, values, at=200, edges=EDGES).causes[0].entity in ("db", "cart")
    for rows in (0, 1, 2, 5, 20):
        for at in (None, 0, rows // 2, rows, rows + 5):
            causes_of_metrics(KEYS, world(4, rows, None), at=at, edges=EDGES)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(40, 260))
def test_the_onset_is_found_where_levels_step(seed: int, onset: int) -> None:
    found = find_onset(world(seed, onset=onset))
    assert found is not None and abs(found - onset) <= 1


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(len(KEYS))))
def test_the_order_of_columns_does_not_matter(order: list[int]) -> None:
    values = world(5)
    plain = causes_of_metrics(KEYS, values, edges=EDGES)
    mixed = causes_of_metrics([KEYS[i] for i in order], values[order], edges=EDGES)
    assert [c.entity for c in mixed.causes] == [c.entity for c in plain.causes]


app = typer.Typer()
app.command()(cause)


def write(path: Path, values: Array, start: float = 0.0) -> Path:
    lines = ["timestamp," + ",".join("|".join(k) for k in KEYS)]
    lines += [f"{start + i}," + ",".join(f"{v:.4f}" for v in row) for i, row in enumerate(values.T)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_command_reads_files_and_writes_the_answer(tmp_path: Path) -> None:
    metrics, out, graph = (
        write(tmp_path / "m.csv", world(6), 1000.0),
        tmp_path / "o.json",
        tmp_path / "g.json",
    )
    edges = [{"source": a, "target": b, "relation": "depends_on"} for a, b in EDGES]
    graph.write_text(json.dumps({"nodes": [{"id": e, "kind": "x"} for e in ENTITIES], "edges": edges}))
    done = CliRunner().invoke(app, [str(metrics), "--graph", str(graph), "--at", "1200", "-o", str(out)])
    assert done.exit_code == 0, done.output
    said = json.loads(out.read_text())
    assert said["onset"] == 1200.0
    assert said["causes"][0]["entity"] == "db" and said["causes"][0]["because"]
    done = CliRunner().invoke(app, [str(metrics), "-o", str(out)])
    assert "Without a graph" in json.loads(out.read_text())["note"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "timestamp"),
        ("time,a|b|c\n", "timestamp"),
        ("timestamp,ab\n", "not entity|metric|statistic"),
        ("timestamp,a|b|c\n1\n", "line 2"),
        ("timestamp,a|b|c\n1,x\n", "line 2"),
        ("timestamp,a|b|c\nyesterday,1\n", "line 2"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text(text)
    done = CliRunner(env={"COLUMNS": "300"}).invoke(app, [str(path), "-o", str(tmp_path / "o")])
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


def test_times_are_numbers_or_dates() -> None:
    assert seconds("2024-01-01T00:00:00Z") == seconds("2024-01-01 00:00:00") == 1_704_067_200.0
