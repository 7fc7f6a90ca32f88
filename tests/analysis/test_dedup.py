"""Deduplication through the stage: what is told once, again, late, never again, silenced, acknowledged."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from tests.analysis.alerts_told import NOW, Stages, event
from watchkeeper.analysis.stages.silence import MAX_EXPRESSION, parse_matchers
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.errors import Malformed
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.verdicts import Finding, Severity, fingerprint

MINUTE = 60_000


def finding(at_ms: int, *, active: bool = True) -> Finding:
    reason = Reason(ReasonKind.LEVEL, "cpu of cart left its normal range.", 1.0)
    return Finding(key="level|7", kind="level", item="cart", name="CPU far above normal", severity=Severity.ERROR,
                   time_ms=at_ms, score=0.97, active=active, because=(reason,))  # fmt: skip


def test_a_finding_becomes_an_alert_that_keeps_its_reasons_and_ends_by_its_own_word() -> None:
    stages = Stages()
    stages.read(findings=[finding(NOW)], at_ms=NOW)
    alert = stages.only()
    assert (alert.status, alert.source, alert.score) == ("firing", "level", 0.97)
    assert alert.because[0].text == "cpu of cart left its normal range."
    assert len(alert.fingerprint) == 16 and int(alert.fingerprint, 16)
    stages.read(findings=[finding(NOW + MINUTE, active=False)], at_ms=NOW + MINUTE)
    assert (stages.only().status, stages.only().ends_ms) == ("resolved", NOW + MINUTE)


def test_the_fingerprint_is_of_the_whole_label_set_in_any_order() -> None:
    assert fingerprint("A", {"x": "1", "y": "2"}) == fingerprint("A", {"y": "2", "x": "1"})
    assert fingerprint("A", {"x": "1"}) != fingerprint("A", {"x": "2"})
    assert fingerprint("A", {"x": "12", "y": ""}) != fingerprint("A", {"x": "1", "2y": ""})


def test_an_alert_with_a_key_ends_by_the_key_alone_and_none_begins_by_an_end() -> None:
    stages = Stages()
    began = replace(
        event("Disk full", "db", NOW, severity="error"), labels={"dedup_key": "k1", "host": "db"}, door="p"
    )
    ended = replace(
        began, name="alert", status="resolved", labels={"dedup_key": "k1"}, received_ms=NOW + MINUTE
    )
    stages.read([replace(ended, labels={"dedup_key": "k2"})], at_ms=NOW)
    stages.read([began], at_ms=NOW)
    stages.read([replace(ended, door="q")], at_ms=NOW + MINUTE)
    assert stages.only().status == "firing"
    stages.read([ended], at_ms=NOW + MINUTE)
    assert (stages.only().status, stages.only().name) == ("resolved", "Disk full")
    assert stages.only().labels == {"dedup_key": "k1", "host": "db"}


def test_repeats_cost_no_write_until_something_that_people_see_changes() -> None:
    stages = Stages()
    for minute in range(4):
        stages.read(
            [event("Down", "cart", NOW + minute * MINUTE, starts_ms=NOW)], at_ms=NOW + minute * MINUTE
        )
    # Telling it and giving it a situation are one write.
    assert stages.writes == 1
    late = NOW + 4 * MINUTE
    stages.read([event("Down", "cart", late, starts_ms=NOW, severity="warning")], at_ms=late)
    assert stages.writes == 2
    assert (stages.only().severity, stages.only().count) == (Severity.WARNING, 5)
    stages.read([event("Down", "cart", late + 1, starts_ms=NOW, severity="warning")], at_ms=late + 1)
    stages.read(at_ms=late + 6 * MINUTE)
    assert stages.writes == 3
    assert (stages.only().count, stages.only().last_seen_ms) == (6, late + 1)


def test_a_time_out_that_moves_on_is_written_before_the_record_would_have_timed_out() -> None:
    stages = Stages()
    for minute in range(20):
        at = NOW + minute * MINUTE
        stages.read([event("Down", "cart", at, starts_ms=NOW, ends_ms=at + 5 * MINUTE)], at_ms=at)
        assert stages.only().times_out_ms > at, "a restart now would end it"
    assert stages.writes < 15
    stages.read(at_ms=NOW + 30 * MINUTE)
    assert (stages.only().status, stages.only().ends_ms) == ("resolved", NOW + 24 * MINUTE)


def test_a_backlog_does_not_time_out_what_was_told_again_later_in_it() -> None:
    stages = Stages()
    first = event("Down", "cart", NOW, ends_ms=NOW + 5 * MINUTE)
    again = event("Down", "cart", NOW + 4 * MINUTE, starts_ms=NOW, ends_ms=NOW + 60 * MINUTE)
    stages.read([first], at_ms=NOW + 50 * MINUTE)
    assert stages.only().status == "firing"
    stages.read([again], at_ms=NOW + 50 * MINUTE)
    stages.read(at_ms=NOW + 51 * MINUTE)
    assert stages.only().status == "firing"


def test_silences_match_as_alertmanager_does_and_cannot_blow_up() -> None:
    def matches(value: str, labels: dict[str, str]) -> bool:
        (m,) = parse_matchers([{"name": "job", "value": value, "isRegex": True}])
        return m.matches(labels)

    assert matches("db|web", {"job": "db"})
    assert not matches("db|web", {"job": "dbx"})
    two = parse_matchers([{"name": "job", "value": "db"},
                          {"name": "env", "value": "dev.*", "isRegex": True, "isEqual": False}])  # fmt: skip
    assert [all(m.matches({"job": "db", "env": e}) for m in two) for e in ("dev1", "prod", "")] == [
        False,
        True,
        True,
    ]
    assert matches("(a+)+b", {"job": "a" * 5000}) is False
    for bad in ("(", "a" * (MAX_EXPRESSION + 1), r"((a{1000}){1000}){10}"):
        with pytest.raises(Malformed):
            matches(bad, {})
    for bad_list in ([], "x", [{"name": "", "value": "x"}], [{"name": "a", "value": ".*", "isRegex": True}]):
        with pytest.raises(Malformed):
            parse_matchers(bad_list)


def test_a_silence_that_cannot_be_read_is_counted_and_silences_nothing() -> None:
    stages = Stages()
    broken = Act(id="1", kind=ActKind.SILENCE, target="s", actor="a", time_ms=NOW, data={"matchers": "x"})
    stages.read([event("Down", "cart", NOW)], at_ms=NOW, acts=[broken])
    assert stages.deduplicate.refused == 1
    assert stages.only().suppressed_by == ""


def test_an_active_alert_takes_less_than_four_kilobytes_in_all_stages() -> None:
    stages = Stages()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    told = [
        event("Down", "cart", NOW + i, host=f"host-{i}.example.org", rack=f"r{i % 7}") for i in range(2000)
    ]
    stages.read(told, at_ms=NOW + 2000)
    del told
    stages.alerts.clear()
    stages.situations.clear()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert used / 2000 < 4096


@pytest.mark.parametrize(("acted", "by"), [(NOW + 1, "ann"), (NOW + 2, "ann"), (NOW - 1, "")])
def test_an_alert_may_be_acknowledged_in_the_read_that_brings_it(acted: int, by: str) -> None:
    stages = Stages()
    told = event("Down", "cart", NOW)
    act = Act(id="1", kind=ActKind.ACKNOWLEDGE, actor="ann", time_ms=acted,
              target=fingerprint("Down", told.labels, told.door))  # fmt: skip
    stages.read([told], at_ms=NOW + 5, acts=[act])
    assert stages.only().acknowledged_by == by


def test_an_acknowledgement_is_of_the_firing_it_came_after() -> None:
    stages = Stages()
    first = event("Down", "cart", NOW)
    stages.read([first], at_ms=NOW)
    acts = [Act(id=str(at), kind=ActKind.ACKNOWLEDGE, actor=f"at {at}", time_ms=NOW + at,
                target=stages.only().fingerprint) for at in (1, 400_000)]  # fmt: skip
    ended = event("Down", "cart", NOW + 2, firing=False)
    again = event("Down", "cart", NOW + 300_000)
    stages.read([ended, again], at_ms=NOW + 400_000, acts=acts[:1])
    assert stages.only().firings == 2 and stages.only().acknowledged_by == ""
    stages.read([], at_ms=NOW + 400_001, acts=acts[1:])
    assert stages.only().acknowledged_by == "at 400000"
