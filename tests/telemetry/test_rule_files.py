"""What `promtool test rules` says of files of tests, and what we say; and of tests that have to fail."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import require
from watchkeeper.telemetry import rulefiles
from watchkeeper.telemetry.rulefiles.templates import About, BadTemplate, Sample, Surroundings, Template
from watchkeeper.telemetry.rulefiles.templates.values import as_text
from watchkeeper.telemetry.store import Store

FOLDER = Path(__file__).parents[1] / "captures/rules"
TESTS = sorted(FOLDER.rglob("*_test.yml"))
RULES = sorted(set(FOLDER.rglob("*.yml")) - set(TESTS))


def _promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    require(shutil.which("promtool"), "promtool is not installed")
    return subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True)


def test_there_are_enough_cases() -> None:
    assert sum(len(rulefiles.read_tests(path).cases) for path in TESTS) >= 25


@pytest.mark.parametrize("path", TESTS, ids=lambda p: p.stem)
def test_promtool_and_we_agree(store: Store, path: Path) -> None:
    done = _promtool("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert rulefiles.run(rulefiles.read_tests(path), store) == []


@pytest.mark.parametrize("path", RULES, ids=lambda p: p.stem)
def test_what_promtool_counts_in_a_rule_file_is_what_we_read(path: Path) -> None:
    done = _promtool("check", "rules", path)
    read = rulefiles.read_file(path.read_text())
    assert f"SUCCESS: {sum(len(g.rules) for g in read)} rules found" in done.stdout
    for group in read:  # and they are kept as they are written
        again = rulefiles.read_rules(group.source, group.name)
        assert [dataclasses.replace(r, line=0) for r in again] == [
            dataclasses.replace(r, line=0) for r in group.rules
        ]


@pytest.mark.parametrize(("old", "new"), [
    ("exp_labels: {job: web, instance: a}", "exp_labels: {job: web, instance: b}"),
    ("{eval_time: 3m, alertname: Down}", "{eval_time: 4m, alertname: Down}"),
    ("exp_annotations: {summary: \"a of web is down\", value: \"0\"}", "exp_annotations: {summary: \"up\", value: \"0\"}"),
    ("eval_time: 2m\n        exp_samples", "eval_time: 1s\n        exp_samples"),
])  # fmt: skip
def test_what_promtool_finds_wrong_we_find_wrong(store: Store, tmp_path: Path, old: str, new: str) -> None:
    text = (FOLDER / "alerts_test.yml").read_text()
    text = text[: text.index("  - name: a pause")]
    assert old in text
    (tmp_path / "alerts.yml").write_text((FOLDER / "alerts.yml").read_text())
    path = tmp_path / "x_test.yml"
    path.write_text(text.replace(old, new, 1))
    assert _promtool("test", "rules", path).returncode == 1
    assert len(rulefiles.run(rulefiles.read_tests(path), store)) == 1


@pytest.mark.parametrize("text", [
    "{{ if }}", "{{ range }}x{{ end }}", "{{ $x }}", "{{ if true }}", "{{ end }}", "{{ else }}", "{{", "{{ \"a }}",
    "{{ nothing 1 }}", "{{ (1 }}", "{{ $x := }}", "{{ with $labels.a }}{{ else with }}{{ end }}",
    "{{ . }", "{{ range $a, $b, $c := $labels }}{{ end }}",
])  # fmt: skip
def test_templates_that_promtool_refuses_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rules.yml"
    quoted = text.replace("'", "''")
    path.write_text(
        f"groups: [{{name: a, rules: [{{alert: A, expr: up, annotations: {{s: '{quoted}'}}}}]}}]\n"
    )
    assert _promtool("check", "rules", path).returncode != 0
    with pytest.raises(rulefiles.BadRules, match="annotation 's'"):
        rulefiles.read_file(path.read_text())


def test_a_template_comes_to_an_end() -> None:
    inner = '{{ range query "x" }}' * 6 + "x" + "{{ end }}" * 6
    many = [Sample({}, 1.0)] * 100
    with pytest.raises(BadTemplate, match="steps"):
        Template.of(inner).fill(About({}, 1.0), Surroundings(lambda _: many))
    for text in (
        '{{ printf "%999999999d" 1 }}',
        "{{ $labels.a.b }}",
        "{{ query 1 }}",
        "{{ 1 2 }}",
        '{{ humanize "x" }}',
    ):
        with pytest.raises(BadTemplate):
            Template.of(text).fill(About({"a": "b"}, 1.0), Surroundings(lambda _: as_text(_) and []))


def test_the_command_tells_what_differs(tmp_path: Path) -> None:
    good, bad = FOLDER / "labels_test.yml", tmp_path / "bad_test.yml"
    bad.write_text(
        good.read_text()
        .replace("north, code", "south, code")
        .replace("labels.yml", str(FOLDER / "labels.yml"))
    )
    command = [Path(sys.executable).with_name("watchkeeper"), "rules", "test", "--json", good, bad]
    done = subprocess.run(command, capture_output=True, text=True)
    told = json.loads(done.stdout)
    assert done.returncode == 1 and told[str(good)] == [] and "south" in told[str(bad)][0], done.stderr


def test_a_file_with_very_many_brackets_is_refused_and_ends_no_process(tmp_path: Path) -> None:
    """YAML's C library calls itself at every level."""
    deep = tmp_path / "deep.yml"
    deep.write_text("groups: " + "[" * 40_000)
    command = [Path(sys.executable).with_name("watchkeeper"), "rules", "check", deep]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "more than 100 levels" in done.stdout + done.stderr
