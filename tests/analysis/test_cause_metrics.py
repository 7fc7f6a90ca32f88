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
    assert "times as far as it usually wanders" in found.causes[0].because[0].text


def test_with_a_target_only_its_metric_counts_and_those_dragged_along_do_not_win() -> None:
    target = ("front", "latency", "avg")
    found = causes_of_metrics(KEYS, world(2), at=200, edges=EDGES, target=target)
    assert found.causes[0].entity == "db"
    said = [r.text for r in found.causes[0].because]
    assert "cart and front need db and suffer too." in said
    assert "That explains all that left its normal range." in said
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


def test_what_a_candidate_leaves_unexplained_is_said() -> None:
    values = world(2)
    values[KEYS.index(("queue", "latency", "avg")), 200:] += 1.0
    found = causes_of_metrics(KEYS, values, at=200, edges=EDGES, named=str.upper)
    best = found.causes[0]
    assert best.entity == "db" and KEYS[best.series][0] == "db"
    assert any(r.text == "It leaves unexplained what QUEUE shows." for r in best.because)


def test_normal_times_get_a_cause_as_rarely_as_was_stated() -> None:
    """Out of 400 windows of 5 rows after 300 normal ones, about 5 % and not, say, 10 %."""
    target, said = ("front", "latency", "avg"), 0
    for seed in range(50):
        usual = world(seed, 340, None)
        for n in range(8):
            window = usual[:, 300 + 5 * n : 305 + 5 * n]
            found = causes_of_metrics(KEYS, window, at=0, normal=usual[:, :300], edges=EDGES, target=target)
            said += bool(found.causes)
    assert said <= 32


@pytest.mark.parametrize("missing", [0.3, 0.7])
def test_many_gaps_hide_neither_the_onset_nor_the_cause(missing: float) -> None:
    values = world(7)
    values[np.random.default_rng(1).random(values.shape) < missing] = np.nan
    for at in (None, 200, 240):
        found = causes_of_metrics(KEYS, values, at=at, edges=EDGES)
        assert found.onset is not None and abs(found.onset - 200) <= 3
        assert found.causes[0].entity == "db"


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
        ("timestamp,a|b|c\nnan,1\n", "line 2"),
        ("timestamp,a|b|c,a|b|c\n1,1,2\n", "there twice"),
        ("timestamp,a|b|\udcff\n", "not a CSV file in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text(text, errors="surrogateescape")
    done = CliRunner(env={"COLUMNS": "300"}).invoke(app, [str(path), "-o", str(tmp_path / "o")])
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--at", "yesterday"], "yesterday"),
        (["--at", "99999"], "end before"),
        (["--at", "0"], "nothing says what is normal"),
        (["--target", "front"], "not entity|metric|statistic"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path: Path, options: list[str], said: str) -> None:
    path = write(tmp_path / "m.csv", world(6))
    done = CliRunner(env={"COLUMNS": "300"}).invoke(app, [str(path), *options, "-o", str(tmp_path / "o")])
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


def test_rows_out_of_order_a_byte_order_mark_and_an_unknown_target_are_taken(tmp_path: Path) -> None:
    path, out = write(tmp_path / "m.csv", world(6)), tmp_path / "o.json"
    head, *rows = path.read_text().splitlines()
    path.write_text("\ufeff" + "\n".join([head, *reversed(rows)]) + "\n")
    done = CliRunner().invoke(app, [str(path), "--target", "nobody|latency|avg", "-o", str(out)])
    assert done.exit_code == 0, done.output
    said = json.loads(out.read_text())
    assert said["onset"] == 200.0 and said["causes"][0]["metric"] == "latency"
    assert "There is no series nobody|latency|avg" in said["note"]


def test_times_are_numbers_or_dates() -> None:
    assert seconds("2024-01-01T00:00:00Z") == seconds("2024-01-01 00:00:00") == 1_704_067_200.0
