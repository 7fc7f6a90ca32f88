"""The detect stage from outside: Works in, findings out. Quiet on what is usual, plain words on what is not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from watchkeeper.analysis.pipeline import SeriesInfo, Work
from watchkeeper.analysis.stages.detect import Detect
from watchkeeper.analysis.stages.detect_levels import Levels
from watchkeeper.model.doors import RULES
from watchkeeper.model.reason import ReasonKind
from watchkeeper.model.signals import SCHEMAS, Stream, batch
from watchkeeper.model.topology import Item, Topology, item_id
from watchkeeper.model.verdicts import Alert, AlertStatus, Finding

START = 1_750_000_000_000
STEP = 15_000
HOSTS = [item_id("host", name) for name in ("db-1", "web-1")]
TOPOLOGY = Topology([Item(HOSTS[0], "host", "db-1"), Item(HOSTS[1], "host", "web-1")])


def _infos(per_host: int) -> dict[int, SeriesInfo]:
    out = {}
    for h, host in enumerate(HOSTS):
        for k in range(per_host):
            out[h * per_host + k + 1] = SeriesInfo(
                h * per_host + k + 1,
                "system.cpu.utilization",
                {"cpu.mode": f"m{k}"},
                "gauge",
                "1",
                "host",
                host,
            )
    return out


class Estate:
    """Two hosts with a few series each, and a stage that is fed with what they send."""

    def __init__(self, per_host: int = 4, seed: int = 1) -> None:
        self.stage, self.infos = Detect(), _infos(per_host)
        self.random = np.random.default_rng(seed)
        self.now = START
        self.offset = 0
        self.findings: list[Finding] = []

    def values(self) -> dict[int, float]:
        return {i: 0.2 + 0.03 * float(self.random.standard_normal()) for i in self.infos}

    def step(
        self, change: dict[int, float | None] | None = None, logs: list[dict[str, Any]] | None = None
    ) -> None:
        """15 seconds pass; `change` replaces values, None for one that does not come."""
        values = self.values() | (change or {})
        sent = {i: v for i, v in values.items() if v is not None}
        work = Work(self.offset, self.offset, self.now, TOPOLOGY, series=self.infos)
        if sent:
            work.batches.append((self.offset, Stream.SAMPLES, _samples(sent, self.now)))
        if logs:
            work.batches.append((self.offset + 1, Stream.LOGS, _logs(logs, self.now)))
        self.stage.process(work)
        self.findings += work.findings
        self.now += STEP
        self.offset += 2

    def run(self, steps: int, change: dict[int, float | None] | None = None) -> list[Finding]:
        begin = len(self.findings)
        for _ in range(steps):
            self.step(change)
        return self.findings[begin:]

    def restart(self, alerts: list[Alert] | None = None, *, lost: bool = False, down_ms: int = 0) -> None:
        state = None if lost else self.stage.snapshot()
        self.stage = Detect()
        self.stage.restore(state, alerts or [], [])
        self.now += down_ms


def _samples(values: dict[int, float], now: int) -> pa.RecordBatch:
    n = len(values)
    columns = [
        pa.array(list(values), pa.uint64()),
        pa.array([now] * n, pa.int64()),
        pa.array(list(values.values())),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMAS[Stream.SAMPLES])


def _logs(rows: list[dict[str, Any]], now: int) -> pa.RecordBatch:
    blank = {f.name: "" if f.type == pa.string() else 0 for f in SCHEMAS[Stream.LOGS]}
    full = [blank | {"time_ns": now * 1_000_000, "received_ms": now, "host": "db-1", "service": "postgres"} | r
            for r in rows]  # fmt: skip
    return pa.RecordBatch.from_pylist(full, schema=SCHEMAS[Stream.LOGS])


def test_usual_noise_is_quiet() -> None:
    assert Estate(per_host=20).run(1500) == []


def test_spikes_and_short_trouble_are_quiet() -> None:
    estate = Estate()
    estate.run(400)
    assert estate.run(1, {1: 0.99}) + estate.run(40) + estate.run(8, {2: 0.95}) + estate.run(40) == []


def test_a_level_that_stays_is_told_once_in_plain_words_and_ends() -> None:
    estate = Estate()
    estate.run(400)
    (found,) = estate.run(80, {1: 0.97})
    assert found.active and found.kind == "level" and found.item == HOSTS[0]
    assert found.summary.startswith("CPU utilization (m0) of db-1 is 97 %; it is usually ")
    assert found.because[0].kind is ReasonKind.LEVEL and found.because[0].text == found.summary
    assert found.because[0].data["high"] < 0.97
    (over,) = estate.run(60)
    assert not over.active and over.key == found.key and "back in its usual range" in over.summary


@pytest.mark.parametrize("before", range(0, 300, 15))
def test_a_level_is_told_at_whatever_second_it_begins(before: int) -> None:
    """Points come a minute at a time, and five minutes of a day that begin with the new level expect it at once."""
    stage, info, random = Detect(), _infos(1), np.random.default_rng(1)
    began, findings = START // 300_000 * 300_000 + (before + 10) * 1000, []
    levels = [0.2] * 400 + [0.7] * 40
    for read in range(0, len(levels), 4):
        rows: list[dict[str, object]] = [
            {"series": 1, "time_ms": began + n * STEP, "value": levels[n] + 0.01 * random.standard_normal()}
            for n in range(read, read + 4)
        ]
        work = Work(read, read, began + (read + 3) * STEP, TOPOLOGY, series=info)
        work.batches.append((read, Stream.SAMPLES, batch(Stream.SAMPLES, rows)))
        stage.process(work)
        findings += work.findings
    assert [f.kind for f in findings] == ["level"]


def test_less_use_is_no_trouble() -> None:
    estate = Estate()
    estate.run(400)
    assert estate.run(100, {1: 0.0}) == []


def test_a_host_that_falls_silent_is_one_finding() -> None:
    estate = Estate()
    estate.run(100)
    silent = dict.fromkeys(range(5, 9))
    (found,) = estate.run(40, silent)
    assert found.kind == "silence" and found.item == HOSTS[1] and found.active
    assert found.summary.startswith("Nothing has come from web-1 for ")
    (over,) = estate.run(5)
    assert not over.active and over.key == found.key


def test_a_host_that_falls_silent_is_told_though_the_clock_was_set_back() -> None:
    estate = Estate()
    estate.run(100)
    silent = dict.fromkeys(range(5, 9))
    estate.run(2, silent)
    estate.now -= 3_600_000
    (found,) = estate.run(40, silent)
    assert found.kind == "silence" and found.item == HOSTS[1] and found.active
    estate.now -= 3_600_000
    assert estate.run(5, silent) == []
    (over,) = estate.run(5)
    assert not over.active and over.key == found.key


def test_one_lost_series_of_a_living_host_is_told_when_it_lived_long() -> None:
    estate = Estate()
    estate.run(100)
    assert estate.run(40, {5: None}) == []
    estate.run(6 * 240)
    (found,) = estate.run(60, {6: None})
    assert found.item == HOSTS[1] and "has not sent CPU utilization (m1)" in found.summary


def test_a_mark_that_a_series_ended_is_no_sign_of_life() -> None:
    estate = Estate()
    estate.run(6 * 240 + 140)
    (found,) = estate.run(60, {6: float("nan")})
    assert found.kind == "silence" and "has not sent CPU utilization (m1)" in found.summary


@pytest.mark.parametrize("down_ms", [0, 3_600_000])
def test_nobody_is_silent_because_we_were_down(down_ms: int) -> None:
    estate = Estate()
    estate.run(400)
    estate.restart(down_ms=down_ms)
    for _ in range(10):
        estate.step(dict.fromkeys(estate.infos))
    assert estate.run(20) == [] and estate.findings == []


def test_a_restart_in_the_middle_gives_what_none_gives() -> None:
    told = []
    for restarts in (False, True):
        estate = Estate()
        for phase in ({}, {1: 0.97}, {}):
            for _ in range(4):
                estate.run(100 if not phase else 20, phase)
                if restarts:
                    estate.restart()
        told.append([(f.key, f.active, f.time_ms, round(f.score, 6)) for f in estate.findings])
    assert told[0] == told[1] and [active for _, active, _, _ in told[0]] == [True, False]


def _alert(finding: Finding) -> Alert:
    return Alert(
        fingerprint="00", item=finding.item, name=finding.name, severity=finding.severity,
        status=AlertStatus.FIRING, summary=finding.summary, labels=finding.labels, source=finding.kind,
        starts_ms=finding.time_ms, first_seen_ms=finding.time_ms, last_seen_ms=finding.time_ms,
        because=finding.because,
    )  # fmt: skip


def test_what_was_told_ends_also_when_all_that_was_learned_is_lost() -> None:
    estate = Estate()
    estate.run(400)
    (found,) = estate.run(40, {1: 0.97})
    estate.restart([_alert(found)], lost=True)
    over = estate.run(60)
    assert [(f.key, f.active) for f in over] == [(found.key, False)]


def _usual_logs(k: int) -> list[dict[str, Any]]:
    return [{"body": f"checkpoint complete: wrote {k * 7 + i} buffers", "severity": 9} for i in range(8)]


def test_a_new_error_message_from_a_known_source_is_told_once() -> None:
    estate = Estate(per_host=1)
    for k in range(300):
        estate.step(logs=_usual_logs(k))
    new = [{"body": f"could not write block {k}: No space left on device", "severity": 17} for k in range(3)]
    estate.step(logs=new)
    estate.step(logs=[*new, {"body": "autovacuum launcher started again", "severity": 9}])
    (found,) = estate.findings
    assert found.kind == "new_template" and "could not write block 0: No space left" in found.summary
    assert found.because[0].data["wording"] == "could not write block <*>: No space left on device"
    estate.run(130)
    assert [f.active for f in estate.findings if f.kind == "new_template"] == [True, False]


def test_everything_is_new_from_a_new_source() -> None:
    estate = Estate(per_host=1)
    for k in range(40):
        estate.step(logs=[{"body": f"error {k} in {'abcdefgh'[k % 8] * 3}", "severity": 17}])
    assert estate.findings == []


def test_a_message_that_floods_is_told_in_messages_a_minute() -> None:
    estate = Estate(per_host=1)
    for k in range(600):
        estate.step(logs=_usual_logs(k))
    for k in range(60):
        estate.step(logs=_usual_logs(k) * 40)
    (found,) = [f for f in estate.findings if f.kind == "rate"]
    assert "checkpoint complete: wrote <*> buffers” 1280 times a minute; it is usually " in found.summary


def test_what_rules_made_of_other_series_is_not_judged() -> None:
    levels = Levels()
    infos = {n: SeriesInfo(n, f"m{n}", {}, "gauge", "", door) for n, door in ((1, RULES), (2, "prometheus"))}
    for minute in range(3):
        series = np.array([1, 2], np.uint64)
        levels.process(series, np.full(2, minute * 60_000), np.array([math.nan, 1.0]), infos)
    assert levels.by_slot == [2]


def _in_pieces(steps: int) -> tuple[list[Finding], list[Finding]]:
    """Two hours of calm and twenty minutes of a load that stays, read so many steps at a time: what was told when."""
    estate, told = Estate(), []
    for begin in range(0, 560, steps):
        work = Work(estate.offset, estate.offset, estate.now, TOPOLOGY, series=estate.infos)
        for n in range(begin, min(560, begin + steps)):
            values = estate.values() | ({2: 0.9} if n >= 480 else {1: 0.9} if 400 <= n < 440 else {})
            work.batches.append((estate.offset, Stream.SAMPLES, _samples(values, estate.now)))
            estate.now += STEP
            work.now_ms = estate.now
        estate.stage.process(work)
        told.append(work.findings)
        estate.offset += 1
    return [f for found in told for f in found], told[-1]


def test_what_is_read_late_is_judged_as_in_time() -> None:
    """After a standstill of analysis one Work holds hours; what has lasted by then is told at once, what is over is not."""
    in_time, _ = _in_pieces(4)
    late, last = _in_pieces(560)
    assert [(f.key, f.active, f.time_ms) for f in last] == [
        (f.key, f.active, f.time_ms) for f in in_time if "2" in f.key
    ]
    assert late == last and len(in_time) == 3
