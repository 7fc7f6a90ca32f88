"""Series that stray together: on files by `lab detect`, and live as one finding of the item."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.analysis.clean_estate import KINDS, estate
from tests.analysis.test_detect_lab import _lab, _rows, _write
from tests.analysis.test_detect_stage import _samples
from tests.analysis.test_false_findings import BEGIN
from watchkeeper.analysis.pipeline import SeriesInfo, Work
from watchkeeper.analysis.stages.detect import Detect
from watchkeeper.model.signals import Stream
from watchkeeper.model.topology import Topology
from watchkeeper.model.verdicts import Finding

MINUTE = 60
Floats = NDArray[np.float64]


def _pair(n: int = 3000, columns: int = 2) -> Floats:
    """Series that go together."""
    random = np.random.default_rng(1)
    common = np.convolve(random.standard_normal(n + 4), np.ones(5) / 2.2, "valid")
    return 50 + 3 * common[:, None] + 0.3 * random.standard_normal((n, columns))


def _file(path: Path, values: Floats) -> Path:
    names = [f"c{k}" for k in range(values.shape[1])]
    lines = [
        ",".join([str(1_750_000_000 + MINUTE * i), *(f"{v:.4f}" for v in row)])
        for i, row in enumerate(values)
    ]
    return _write(path, ",".join(["timestamp", *names]), lines)


def _scores(folder: Path, name: str, values: Floats, *words: str) -> list[dict[str, str]]:
    out = folder / f"{name}.out"
    done = _lab(_file(folder / f"{name}.csv", values), "-o", out, *words)
    assert done.exit_code == 0, done.output
    return _rows(out)


def test_series_that_part_are_seen_though_none_is_unusual_alone(tmp_path: Path) -> None:
    values = _pair()
    values[2900:2904] += (2.5, -2.5)
    rows = _scores(tmp_path, "parted", values, "--explain")
    worst = max(rows[600:], key=lambda r: float(r["anomaly_score"]))
    at = rows.index(worst)
    assert 2900 <= at <= 2904 and float(worst["anomaly_score"]) > 0.85
    assert max(float(r["c0_score"]) for r in rows[2895:2910]) < 0.8
    assert worst["because"] in {
        f"{a} and {b} usually rise and fall together, and do not now."
        for a, b in (("c0", "c1"), ("c1", "c0"))
    }


def test_every_prefix_has_the_same_scores(tmp_path: Path) -> None:
    values = _pair(1400, 3)
    values[1200:1230] += 4.0
    whole = [r["anomaly_score"] for r in _scores(tmp_path, "whole", values)]
    for n in (1399, 1210, 700):
        assert [r["anomaly_score"] for r in _scores(tmp_path, f"{n}", values[:n])] == whole[:n]


def test_many_columns_are_taken_in_parts_and_gaps_are_no_news(tmp_path: Path) -> None:
    values = _pair(700, 200)
    values[::7, ::3] = np.nan
    text = _file(tmp_path / "wide.csv", values).read_text().replace("nan", "")
    (tmp_path / "wide.csv").write_text(text)
    out = tmp_path / "wide.out"
    assert _lab(tmp_path / "wide.csv", "-o", out).exit_code == 0
    assert max(float(r["anomaly_score"]) for r in _rows(out)[200:]) < 0.95


class Live:
    """A clean estate whose minutes pass, with something added."""

    def __init__(self, days: int = 3, seed: int = 5) -> None:
        self.infos: dict[int, SeriesInfo]
        self.topology: Topology
        self.infos, self.topology, self.minutes, self.values = estate(1, days, seed)
        self.stage = Detect()
        self.at = 0

    def run(self, minutes: int, added: dict[str, float] | None = None) -> list[Finding]:
        found = []
        for _ in range(minutes):
            row = self.values[self.at].copy()
            for kind, size in (added or {}).items():
                row[KINDS.index(kind)] += size
            now = BEGIN + self.at * 60_000
            sent = dict(zip(self.infos, row.tolist(), strict=True))
            work = Work(self.at, self.at, now, self.topology, series=self.infos)
            work.batches.append((self.at, Stream.SAMPLES, _samples(sent, now)))
            self.stage.process(work)
            found += work.findings
            self.at += 1
        return found

    def restart(self) -> None:
        state = self.stage.snapshot()
        self.stage = Detect()
        self.stage.restore(state, [], [])


A_LITTLE = {"utilization": 0.13, "latency": 0.03, "sessions": 70.0, "queue": 6.0, "temperature": 4.0}


def test_an_item_of_which_all_moves_a_little_is_one_finding_with_what_moved() -> None:
    live = Live()
    assert live.run(3 * 1440 - 600) == []
    found = live.run(12, A_LITTLE)
    assert [(f.kind, f.active) for f in found] == [("joint", True)], [f.summary for f in found]
    assert found[0].summary.startswith("Several measurements of web-0 are off at once, though none by much: ")
    assert "App utilization is " in found[0].summary and "in the half hour before" in found[0].summary
    live.restart()
    over = live.run(400)
    assert (found[0].key, False) in [(f.key, f.active) for f in over]


def test_one_series_alone_is_no_joint_finding() -> None:
    live = Live()
    live.run(3 * 1440 - 600)
    found = live.run(60, {"utilization": 0.5})
    assert {f.kind for f in found} <= {"level"}
