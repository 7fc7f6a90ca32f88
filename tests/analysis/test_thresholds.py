"""Threshold rules from outside: Works in, findings out; and the vectorised detector against one written point by point."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.analysis.detectors.thresholds import GAP_MS, OPERATORS, WATCH, Thresholds
from watchkeeper.analysis.pipeline import SeriesInfo, Work
from watchkeeper.analysis.stages.deduplicate import Deduplicate
from watchkeeper.analysis.stages.detect import Detect
from watchkeeper.app import state
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.matching import Matcher, read_matchers
from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.model.thresholds import Comparison, Override, Rule
from watchkeeper.model.topology import Item, Topology
from watchkeeper.model.verdicts import Alert, Finding, Severity

START, MINUTE = 1_750_000_000_000, 60_000
TOPOLOGY = Topology([Item("db", "database", "db-1"), Item("web", "host", "web-1")])
DISK = Rule("1", "disk nearly full", "disk.used", level=80.0, recovery=70.0, for_ms=5 * MINUTE,
            severity=Severity.CRITICAL)  # fmt: skip


def _info(number: int, item: str, name: str = "disk.used", kind: str = "gauge", **labels: str) -> SeriesInfo:
    return SeriesInfo(number, name, labels, kind, "%", "test", item)


class Estate:
    """Detection and deduplication with a few series, fed minute by minute."""

    def __init__(self, *rules: Rule) -> None:
        self.stage, self.deduplicate = Detect(), Deduplicate()
        self.infos = {1: _info(1, "db", mount="/"), 2: _info(2, "web", mount="/"), 3: _info(3, "", job="x")}
        self.now, self.alerts = START, dict[str, Alert]()
        self.acts = {r.id: r for r in rules}
        self.step({}, [*rules], changed=[*self.infos])

    def step(self, values: dict[int, float], rules: list[Rule] | None = None, gone: str = "",
             changed: list[int] | None = None, ago: int = 0,
             became: dict[str, str] | None = None) -> list[Finding]:  # fmt: skip
        """A minute passes; rules are declared first."""
        self.now += MINUTE
        work = Work(1, 1, self.now, TOPOLOGY, series=self.infos, changed_series=changed or [])
        work.became = became or {}
        told = [(r.id, {"rule": msgspec.to_builtins(r)}) for r in rules or []] + (
            [(gone, {})] if gone else []
        )
        self.acts |= {r.id: r for r in rules or []}
        self.acts.pop(gone, None)
        work.acts = [Act(id="a", kind=ActKind.RULE, target=t, actor="", time_ms=0, data=d) for t, d in told]
        if values:
            columns = [pa.array(list(values), pa.uint64()), pa.array([self.now - ago] * len(values), pa.int64()),
                       pa.array([float(v) for v in values.values()])]  # fmt: skip
            batch = pa.RecordBatch.from_arrays(columns, schema=SCHEMAS[Stream.SAMPLES])
            work.batches.append((1, Stream.SAMPLES, batch))
        self.stage.process(work)
        found = [f for f in work.findings if f.kind == "threshold"]
        self.deduplicate.process(work)
        self.alerts |= work.alerts
        return found

    def run(self, minutes: int, values: dict[int, float]) -> list[Finding]:
        return [f for _ in range(minutes) for f in self.step(values)]

    def restart(self, path: Any, *, learned: bool = True) -> list[Finding]:
        """A new process: the snapshot through its file, firing alerts, and the rules as acts."""
        state.save(path, {"detect": self.stage.snapshot()})
        kept = state.load(path)["detect"] if learned else None
        self.stage, self.deduplicate = Detect(), Deduplicate()
        for stage, known in ((self.stage, kept), (self.deduplicate, None)):
            stage.restore(known, list(self.alerts.values()), [])
        return self.step({}, list(self.acts.values()), changed=[] if learned else list(self.infos))


def test_it_fires_after_its_duration_and_ends_at_its_level_of_recovery() -> None:
    estate = Estate(DISK)
    assert not estate.run(5, {1: 93.2, 2: 50})
    (found,) = estate.step({1: 93.2, 2: 50})
    assert found.active and found.item == "db" and found.severity is Severity.CRITICAL
    assert found.because[0].text == (
        "Disk used (/) of db-1 is 93.2 %, above 80 % for 5 minutes: rule “disk nearly full”."
    )
    assert not estate.run(10, {1: 75, 2: 50})  # below the level, not yet at that of recovery
    (over,) = estate.step({1: 70, 2: 50})
    assert not over.active and over.key == found.key and "70 % again" in over.summary


def test_what_breaks_off_begins_anew() -> None:
    for between in ({1: 60}, {1: float("nan")}):
        estate = Estate(DISK)
        assert not estate.run(5, {1: 90}) + estate.step(between) + estate.run(5, {1: 90})
        assert estate.step({1: 90})
    estate = Estate(DISK)
    assert (
        not estate.run(5, {1: 90}) + estate.run(7, {}) + estate.run(5, {1: 90})
    )  # nobody knows what was between
    assert estate.step({1: 90})


def test_what_comes_late_changes_nothing() -> None:
    estate = Estate(DISK)
    estate.run(3, {1: 90})
    assert (
        not estate.step({1: 10}, ago=30 * MINUTE)
        + estate.step({1: 90})
        + estate.step({1: 1}, ago=30 * MINUTE)
    )
    assert [f.active for f in estate.run(2, {1: 90})] == [True]


def test_the_exception_that_is_most_about_just_this_one_holds() -> None:
    kind = Override("every database", kind="database", level=60.0)
    item = Override("db-1", item="db", level=90.0, for_ms=0)
    off = Override('job="x"', matchers=(Matcher("job", "x"),), enabled=False)
    rule = msgspec.structs.replace(DISK, for_ms=0, overrides=(kind, item, off))
    estate = Estate(rule)
    assert [f.item for f in estate.step({1: 85, 2: 85, 3: 99})] == ["web"]
    (found,) = estate.step({1: 93, 2: 85, 3: 99})
    assert "(exception for db-1: 90 % instead of 80 %)" in found.because[0].text
    assert not estate.step({1: 81, 2: 85})
    assert [f.active for f in estate.step({1: 80, 2: 85})] == [
        False
    ]  # as far below its level as the rule's is


def test_a_series_that_comes_to_belong_to_another_item_follows_its_exceptions() -> None:
    estate = Estate(
        msgspec.structs.replace(DISK, for_ms=0, overrides=(Override("db-1", item="db", level=95.0),))
    )
    assert estate.step({3: 90})
    estate.infos[3].item = "db"
    assert [(f.active, "changed" in f.summary) for f in estate.step({}, changed=[3])] == [(False, True)]
    assert not estate.run(2, {3: 90})


def test_counters_are_judged_by_their_growth() -> None:
    rule = Rule("2", "errors", "errors", per_second=True, level=1.0)
    estate = Estate(rule)
    estate.infos[4] = _info(4, "web", "errors", "counter")
    estate.step({}, changed=[4])
    assert not estate.step({4: 1e9}) + estate.step({4: 1e9 + 30})
    assert estate.step({4: 1e9 + 130})
    assert not estate.step({4: 100})  # it began anew: 100 in a minute is still more than 1/s
    assert not estate.step({4: 110})[0].active


def test_a_changed_or_removed_rule_is_followed_at_once() -> None:
    estate = Estate(msgspec.structs.replace(DISK, for_ms=0))
    assert len(estate.step({1: 90, 2: 90})) == 2
    assert not estate.step({1: 90, 2: 90}, [msgspec.structs.replace(DISK, for_ms=0, text="another")])
    ends = estate.step({}, [msgspec.structs.replace(DISK, level=85.0, for_ms=0)])
    assert [f.active for f in ends] == [False, False] and "the rule was changed" in ends[0].summary
    assert len(estate.step({1: 90, 2: 90})) == 2
    assert {(a.status.value, a.firings) for a in estate.alerts.values()} == {("firing", 2)}
    ends = estate.step({1: 90, 2: 90}, gone="1")
    assert [f.active for f in ends] == [False, False] and "removed" in ends[0].summary
    assert not estate.run(3, {1: 99})


def test_what_is_said_of_an_item_follows_it_when_it_is_merged_or_removed() -> None:
    exception = Override("db-1", item="db", level=95.0)
    estate = Estate(msgspec.structs.replace(DISK, for_ms=0, overrides=(exception,)))
    assert not estate.step({1: 90})
    estate.infos[1].item = "web"
    assert not estate.step({}, changed=[1], became={"db": "web"}) + estate.step({1: 90, 2: 90})
    assert len(estate.step({1: 96, 2: 96})) == 2
    estate = Estate(msgspec.structs.replace(DISK, for_ms=0, item="db"))
    assert estate.step({1: 90})
    assert [f.active for f in estate.step({}, became={"db": ""})] == [False]


@pytest.mark.parametrize("learned", [True, False])
def test_a_restart_changes_nothing_that_is_told(tmp_path: Any, learned: bool) -> None:
    estate = Estate(DISK)
    estate.run(3, {1: 90, 2: 50})
    assert not estate.restart(tmp_path / "learned", learned=True)
    assert [f.item for f in estate.run(3, {1: 90, 2: 50})] == ["db"]  # pending over the restart
    assert not estate.restart(tmp_path / "learned", learned=learned) + estate.run(8, {1: 90})
    assert [f.active for f in estate.step({1: 60})] == [False]


def test_what_fires_ends_when_its_rule_went_while_nobody_ran(tmp_path: Any) -> None:
    estate = Estate(msgspec.structs.replace(DISK, for_ms=0))
    estate.step({1: 90})
    estate.acts = {}
    assert [f.active for f in estate.restart(tmp_path / "learned")] == [False]


def test_what_has_no_values_for_an_hour_is_over() -> None:
    estate = Estate(msgspec.structs.replace(DISK, for_ms=0))
    estate.step({1: 90})
    assert not estate.run(59, {2: 1})
    assert ["no more values" in f.summary for f in estate.run(3, {2: 1})] == [True]


def test_what_does_not_come_is_told_by_item_and_ends_when_it_comes(tmp_path: Any) -> None:
    estate = Estate(Rule("3", "no disks", "disk.used", absent=True, for_ms=5 * MINUTE))
    assert not estate.run(4, {2: 1, 3: 1})
    found = estate.run(8, {2: 1})
    assert [f.labels.get("job") for f in found] == ["x"]  # the series without an item; db-1 has never sent
    assert not estate.restart(tmp_path / "learned") + estate.run(3, {2: 1})
    assert [f.active for f in estate.step({2: 1, 3: 1})] == [False]
    assert [f.item for f in estate.run(7, {3: 1})] == ["web"]


def test_what_does_not_come_is_missed_though_the_clock_was_set_back() -> None:
    estate = Estate(Rule("3", "no disks", "disk.used", absent=True, for_ms=5 * MINUTE))
    estate.run(4, {2: 1})
    estate.now -= 600 * MINUTE
    assert not estate.run(4, {})
    assert [f.item for f in estate.run(4, {})] == ["web"]


def test_what_has_never_come_is_missed_too() -> None:
    estate = Estate(Rule("4", "no backup", "backup.age", item="db", absent=True, for_ms=10 * MINUTE))
    found = estate.run(12, {1: 1})
    assert [f.item for f in found] == ["db"] and "No backup.age has come from db-1" in found[0].summary
    estate.infos[9] = _info(9, "db", "backup.age")
    estate.step({}, changed=[9])
    assert [f.active for f in estate.step({9: 1})] == [False]


def test_the_summary_may_be_in_the_words_of_the_rule() -> None:
    estate = Estate(
        msgspec.structs.replace(
            DISK, for_ms=0, text="{mount} at {value} on {item} {what}", runbook="https://x"
        )
    )
    (found,) = estate.step({1: 93})
    assert found.summary == "/ at 93 % on db-1 {what}" and found.annotations == {"runbook_url": "https://x"}


def test_matchers_are_read_as_prometheus_writes_them() -> None:
    found = read_matchers(r'{a="b\"c", d!~"x\\.y|z", e!="",}')
    assert [(m.name, m.value) for m in found] == [("a", 'b"c'), ("d", r"x\.y|z"), ("e", "")]
    for wrong in ("a", "a=b", 'a="b" c="d"', 'a=~"("', '="x"'):
        with pytest.raises(ValueError, match=r"condition|expression"):
            read_matchers(wrong)


# --- against one that is written point by point --------------------------------------------------------
LEVELS = {">": float.__gt__, ">=": float.__ge__, "<": float.__lt__, "<=": float.__le__}


def _slowly(points: list[tuple[int, float]], sign: str, level: float, recovery: float, for_ms: int, recover_ms: int,
            rate: bool) -> list[tuple[int, bool]]:  # fmt: skip
    out, last, before, since, back, firing = [], 0, (0, 0.0), None, None, False
    for time, raw in points:
        if time <= last:
            continue
        if last and time - last > max(GAP_MS, for_ms):
            since = back = None
        if np.isnan(raw):
            since = back = None
            last = last if rate else time
            continue
        value: float | None = raw
        if rate:
            grown = raw - before[1] if raw >= before[1] else raw
            value = grown / ((time - before[0]) / 1000) if before[0] else None
            before = (time, raw)
        last = time
        if value is None:
            continue
        if not firing:
            since = (since if since is not None else time) if LEVELS[sign](value, level) else None
            if since is not None and time - since >= for_ms:
                firing, since, back = True, None, None
                out.append((time, True))
        else:
            back = None if LEVELS[sign](value, recovery) else (back if back is not None else time)
            if back is not None and time - back >= recover_ms:
                firing, since, back = False, None, None
                out.append((time, False))
    return out


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_many_series_at_once_are_judged_as_each_alone(data: st.DataObject) -> None:
    rules = []
    for _ in range(data.draw(st.integers(1, 4))):
        sign = data.draw(st.sampled_from(sorted(LEVELS)))
        level, easier = float(data.draw(st.integers(2, 6))), float(data.draw(st.integers(0, 2)))
        recovery = level - easier if ">" in sign else level + easier
        for_ms, recover_ms = (data.draw(st.integers(0, 4)) * MINUTE for _ in range(2))
        rules.append(
            (
                data.draw(st.integers(1, 2)),
                sign,
                level,
                recovery,
                for_ms,
                recover_ms,
                data.draw(st.booleans()),
            )
        )
    minutes = st.integers(1, 30)
    values = st.one_of(st.integers(0, 8).map(float), st.just(float("nan")))
    points = data.draw(st.lists(st.tuples(st.integers(1, 2), minutes, values), max_size=60))
    at, came = 0, []  # mostly onward, sometimes late
    for series, step, value in points:
        at += step % 3
        came.append(
            (series, START + (at - (7 if step > 28 else 0) + (9 if step == 25 else 0)) * MINUTE, value)
        )
    rows = np.zeros(len(rules), WATCH)
    for n, (series, sign, level, recovery, for_ms, recover_ms, rate) in enumerate(rules):
        rows[n]["series"], rows[n]["operator"], rows[n]["rate"] = series, OPERATORS.index(sign), rate
        rows[n]["level"], rows[n]["recovery"], rows[n]["for_ms"], rows[n]["recover_ms"] = (
            level,
            recovery,
            for_ms,
            recover_ms,
        )
    detector, told = Thresholds(rows), dict[int, list[tuple[int, bool]]]()
    size, order = data.draw(st.integers(1, 20)), list[tuple[int, int, float]]()
    for begin in range(0, len(came), size):
        batch = sorted(came[begin : begin + size], key=lambda p: p[1])  # of one read, in the order of time
        order += batch
        columns = [
            np.array(c, kind) for c, kind in zip(zip(*batch, strict=True), ("u8", "i8", "f8"), strict=True)
        ]
        for turn in detector.update(*columns, START + 100 * MINUTE):
            told.setdefault(turn.row, []).append((turn.time_ms, turn.firing))
    for n, (series, *asked) in enumerate(rules):
        assert told.get(n, []) == _slowly([(t, v) for s, t, v in order if s == series], *asked)


def test_comparisons_for_the_same_are_the_same() -> None:
    assert [c.value for c in Comparison] == list(OPERATORS)
