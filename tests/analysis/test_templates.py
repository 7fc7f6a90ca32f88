"""The template miner from outside: which lines are one template, stable ids, hostile lines, the lab's files."""

from __future__ import annotations

import csv
import json
import random
import resource
import string
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from watchkeeper.analysis.templates import TemplateMiner
from watchkeeper.analysis.templates.templater import Templater
from watchkeeper.cli.lab_templates import templates
from watchkeeper.model.log_values import parameters
from watchkeeper.model.signals import SCHEMAS, Stream

PUBLIC = Path(__file__).parents[3] / "shared" / "data" / "loghub"
APP = typer.Typer()
APP.command()(templates)


def _texts(lines: list[str]) -> list[str]:
    miner = TemplateMiner()
    ids = miner.learn(lines)
    return [miner.text(i) for i in miner.canonical(ids).tolist()]


def test_values_are_told_by_their_spelling() -> None:
    (text,) = set(_texts([
        "conn 17 from 10.0.0.1:8080 id 0x1f read /var/lib/a/b in 12ms, mac 00:1b:44:11:3a:b7 at 2024-01-02",
        "conn 4711 from 192.168.7.21:9 id 0xdeadbeef read /srv/x in 7ms, mac aa:bb:cc:dd:ee:ff at 1999-12-31",
    ]))  # fmt: skip
    assert text == "conn <*> from <*>:<*> id <*> read <*> in <*>, mac <*> at <*>-<*>-<*>"


def test_names_with_digits_stay_while_they_stay_the_same() -> None:
    assert _texts(["login by key ssh2 for 3", "login by key ssh2 for 4"])[1] == "login by key ssh2 for <*>"


def test_few_words_in_a_place_are_templates_many_are_a_variable() -> None:
    few = [f"service web {state} now" for state in ("starting", "ready", "stopped")] * 5
    assert len(set(_texts(few))) == 3
    users = [
        f"password accepted for person {name} today" for name in ("ann", "bob", "eve", "joe", "kim", "lea")
    ]
    assert set(_texts(users)) == {"password accepted for person <*> today"}


def test_the_same_lines_give_the_same_ids_in_another_process_and_in_batches() -> None:
    lines = [f"task {k % 7} of {k} {'abc'[k % 3] * 3} done in {k} ms" for k in range(500)]
    one, other = TemplateMiner(), TemplateMiner()
    ids = one.canonical(one.learn(lines))
    pieces = np.concatenate([other.learn(lines[i : i + 13]) for i in range(0, 500, 13)])
    assert np.array_equal(ids, other.canonical(pieces))
    assert ids.dtype == np.uint64


def test_ids_and_wordings_live_through_a_restart() -> None:
    lines = [
        f"user {name} opened {k} files on disk sd{k % 3}" for k, name in enumerate(string.ascii_lowercase)
    ]
    miner, again = TemplateMiner(), TemplateMiner()
    before = miner.canonical(miner.learn(lines))
    assert again.restore(json.loads(json.dumps(miner.snapshot())))
    assert np.array_equal(again.learn(lines), before)
    assert again.text(int(before[0])) == miner.text(int(before[0]))
    assert not again.restore({"version": "another"})


def test_merged_ids_are_known_by_their_new_name() -> None:
    miner = TemplateMiner()
    first = miner.learn([f"queue {word} is full again" for word in ("red", "blue", "green")])
    assert len(set(first.tolist())) == 3
    miner.learn([f"queue {word} is full again" for word in ("black", "white", "grey")])
    assert len(set(miner.canonical(first).tolist())) == 1
    assert {miner.text(i) for i in first.tolist()} == {"queue <*> is full again"}


def test_lists_of_any_length_are_one_template() -> None:
    lines = ["deleting blk_" + " blk_".join(str(10**9 + k) for k in range(n)) for n in (1, 2, 30)]
    assert set(_texts(lines)) == {"deleting blk_<*>"}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=20))
def test_any_text_gets_an_id_and_a_wording_and_cuts_change_nothing(lines: list[str]) -> None:
    miner, other = TemplateMiner(), TemplateMiner()
    ids = miner.learn(lines)
    assert [bool(i) for i in ids.tolist()] == [any(ord(c) > 32 and ord(c) != 127 for c in x) for x in lines]
    assert all(miner.text(i) for i in ids.tolist() if i)
    parts = [other.learn([line]) for line in lines]
    assert np.array_equal(miner.canonical(ids), other.canonical(np.concatenate(parts) if parts else ids))


def test_hostile_lines_are_bounded_in_memory() -> None:
    """Stated: under 150 MB more, whatever is sent."""
    random.seed(1)
    miner = TemplateMiner()
    miner.learn(["the line everybody knows 1"] * 60)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(12):
        words = ["".join(random.choices(string.ascii_letters, k=7)) for _ in range(8000)]
        miner.learn([" ".join(words[i : i + 4]) for i in range(0, 8000, 4)])
        miner.learn([" ".join(words[i : i + 900]) for i in range(0, 8000, 900)])
    miner.learn(
        ["/" * 100_000, "((((" * 50_000, "a.b." * 50_000, "\x01\x02 \x1f\x00", "-" * 9000, "1:" * 9000]
    )
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150 * 1024
    assert miner.text(int(miner.learn(["the line everybody knows 2"])[0])) == "the line everybody knows <*>"


def _batch(bodies: list[str]) -> pa.RecordBatch:
    blank = {f.name: "" if f.type == pa.string() else 0 for f in SCHEMAS[Stream.LOGS]}
    return pa.RecordBatch.from_pylist([blank | {"body": b} for b in bodies], schema=SCHEMAS[Stream.LOGS])


def test_stages_that_begin_anew_take_nothing_back_from_who_mines_meanwhile() -> None:
    templater = Templater()
    earlier = templater.snapshot()
    templater.restore(None)
    templater.recall()
    ids, _ = templater(_batch(["took 3 ms"]))
    assert templater.restore(earlier) and not templater.restore({"version": "another"})
    assert templater.text(int(ids[0])) == "took <*> ms"


def test_telemetry_and_analysis_see_the_same_ids_whoever_comes_first() -> None:
    templater = Templater()
    first, second = _batch(["took 3 ms", ""]), _batch(["x", "took 5 ms", "gave up"]).slice(1)
    assert templater.ids(first)[1] == 0
    ids, new = templater(first)
    assert np.array_equal(ids, templater.ids(first)) and new == [(int(ids[0]), "took <*> ms", 0)]
    more, new = templater(second)
    assert more[0] == ids[0] and new == [(int(more[1]), "gave up", 0)]
    again = Templater()
    assert again.restore(templater.snapshot())
    assert set(again(first)[1]) == {(int(ids[0]), "took <*> ms", 0), (int(more[1]), "gave up", 0)}


def test_values_are_kept_typed() -> None:
    found = parameters(
        "user <*> from <*> sent <*> in <*> to <*>", "user ann from 10.0.0.9 sent 3 KB in 12 ms to /tmp/x/y"
    )
    assert found is not None
    assert [(p.kind, p.value) for p in found] == [
        ("user", "ann"), ("address", "10.0.0.9"), ("size", "3 KB"), ("duration", "12 ms"), ("path", "/tmp/x/y"),
    ]  # fmt: skip
    assert parameters("user <*> left", "nobody came") is None


def test_lab_writes_a_row_a_line(tmp_path: Path) -> None:
    source, out = tmp_path / "in.txt", tmp_path / "out.csv"
    source.write_bytes(b'a 1, "x"\r\n\n\xff\xfe broken\na 2, "x"\n' + b"z" * 3_000_000 + b"\nlast")
    done = CliRunner().invoke(APP, [str(source), "-o", str(out), "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)["lines"] == 6
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["line"] for r in rows] == ["1", "2", "3", "4", "5", "6"]
    assert rows[0]["template_id"] == rows[3]["template_id"] and rows[0]["template"] == 'a <*>, "x"'
    assert rows[1] == {"line": "2", "template_id": "", "template": ""}


def test_lab_says_what_it_cannot_read(tmp_path: Path) -> None:
    done = CliRunner().invoke(APP, [str(tmp_path / "none.txt"), "-o", str(tmp_path / "out.csv")])
    assert done.exit_code == 1 and "none.txt" in done.output


@pytest.mark.parametrize("system", ["HDFS", "OpenSSH"])
def test_public_logs_are_grouped_as_people_did(system: str) -> None:
    if not PUBLIC.exists():
        pytest.skip("the public logs are not on this machine")
    with (PUBLIC / f"{system}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    miner = TemplateMiner()
    ids = miner.canonical(miner.learn([r["message"] for r in rows])).tolist()
    true: dict[str, set[int]] = {}
    found: dict[int, set[int]] = {}
    for i, (row, template) in enumerate(zip(rows, ids, strict=True)):
        true.setdefault(row["template"], set()).add(i)
        found.setdefault(template, set()).add(i)
    right = [g for g in found.values() if g in true.values()]
    assert sum(map(len, right)) / len(rows) > 0.95


def test_the_command_keeps_every_line_whatever_separates_words_and_gives_the_same_ids_again(
    tmp_path: Path,
) -> None:
    """As people run it: a process of its own, twice."""
    command = Path(sys.executable).with_name("watchkeeper")
    lines = [
        "took 3 ms\r",
        "",
        "a\x0bb 1\x0cc",
        "x\x85y\u2028z 7",
        "took 4 ms",
        "\t",
        '"quoted", 5',
        "q 0 last",
    ]
    source = tmp_path / "in.txt"
    source.write_bytes("\n".join(lines).encode())
    found = []
    for name in ("one.csv", "two.csv"):
        out = tmp_path / name
        subprocess.run(
            [command, "lab", "templates", source, "-o", out], check=True, capture_output=True, timeout=300
        )
        with out.open(newline="", encoding="utf-8") as file:
            found.append(list(csv.DictReader(file)))
    assert found[0] == found[1] and [r["line"] for r in found[0]] == [str(n) for n in range(1, 9)]
    assert [bool(r["template_id"]) for r in found[0]] == [True, False, True, True, True, False, True, True]
    assert found[0][0] == {**found[0][4], "line": "1"} and found[0][0]["template"] == "took <*> ms"
