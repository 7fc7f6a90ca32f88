"""The one writer of alerts and situations: what is loaded is what was written; replays change nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.domains.analysis_structs import NOW, alert, situation, worlds
from watchkeeper.domains.situations import (
    AnalysisWriter,
    Overtaken,
    analysis_offset,
    forget,
    load_active,
    load_silences,
    models,
)
from watchkeeper.kernel.fields import moment, storable
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.topology import Discovery, Identifier, Item, item_id
from watchkeeper.model.verdicts import AlertStatus, Severity, SituationState

pytestmark = pytest.mark.django_db
_property = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _loaded() -> tuple[dict[str, Any], dict[str, Any]]:
    alerts, situations = load_active(NOW)
    return {a.fingerprint: a for a in alerts}, {s.id: s for s in situations}


def _empty() -> None:
    for model in (
        models.TimelineEntry,
        models.Membership,
        models.Alert,
        models.Situation,
        models.AnalysisOffset,
    ):
        model.objects.all().delete()


@_property
@given(steps=st.lists(worlds(), min_size=1, max_size=3))
def test_what_is_loaded_is_what_was_written(steps: list[Any]) -> None:
    """Also when the same situations change several times, and when a new writer takes over between."""
    _empty()
    writer = AnalysisWriter()
    alerts: dict[str, Any] = {}
    situations: dict[str, Any] = {}
    for n, (changed_alerts, changed) in enumerate(steps):
        writer.write(changed_alerts, changed, offset=n, now_ms=NOW)
        alerts |= changed_alerts
        situations |= changed
        assert _loaded() == (alerts, situations)
        writer = AnalysisWriter() if n % 2 else writer


def test_a_replay_changes_nothing() -> None:
    """The same write twice, as after a kill before the offset was noted elsewhere."""
    alerts, situations = {"a": alert("a", situation="s")}, {"s": situation("s", ("a",))}
    note = Act(id="n1", kind=ActKind.NOTE, target="s", actor="ann", time_ms=NOW, data={"text": "looking"})
    for _ in range(2):
        AnalysisWriter().write(alerts, situations, (), [note], offset=7, now_ms=NOW)
    assert _loaded() == (alerts, situations)
    kinds = list(models.TimelineEntry.objects.values_list("kind", flat=True))
    assert kinds == ["opened", "note"]


def test_the_offset_is_written_with_the_records() -> None:
    """A failure in the middle leaves neither; the next attempt writes all."""
    writer = AnalysisWriter()
    writer.write({}, {}, offset=1, now_ms=NOW)

    def fails(execute: Any, sql: str, *rest: Any) -> Any:
        if 'INSERT INTO "situations_membership"' in sql:
            raise OperationalError("disk full")
        return execute(sql, *rest)

    with pytest.raises(OperationalError), connection.execute_wrapper(fails):
        writer.write({"a": alert("a")}, {"s": situation("s", ("a",))}, offset=2, now_ms=NOW)
    assert analysis_offset() == 1
    assert _loaded() == ({}, {})
    writer.write({"a": alert("a")}, {"s": situation("s", ("a",))}, offset=2, now_ms=NOW)
    assert analysis_offset() == 2
    assert _loaded()[1]["s"].members[0].fingerprint == "a"


def test_a_second_writer_is_refused() -> None:
    """The records never go back."""
    AnalysisWriter().write({}, {}, offset=9, now_ms=NOW)
    with pytest.raises(Overtaken):
        AnalysisWriter().write({"a": alert("a")}, {}, offset=8, now_ms=NOW)
    assert not models.Alert.objects.exists()


def test_members_that_leave_are_gone() -> None:
    """After a split."""
    writer = AnalysisWriter()
    alerts = {f: alert(f, situation="s") for f in "abc"}
    writer.write(alerts, {"s": situation("s", ("a", "b", "c"))}, offset=1, now_ms=NOW)
    writer.write({}, {"s": situation("s", ("c", "a"))}, offset=2, now_ms=NOW)
    assert [m.fingerprint for m in _loaded()[1]["s"].members] == ["c", "a"]


def test_the_timeline_tells_the_story() -> None:
    """Opened, joined, worse, a cause by its name, acknowledged by somebody, resolved on its own."""
    item = Item(item_id("host", "db-1"), "host", "db-1", (Identifier("hostname", "db-1"),))
    writer = AnalysisWriter()
    from watchkeeper.model.verdicts import Cause

    first = situation("s", ("a",), severity=Severity.WARNING)
    writer.write({"a": alert("a")}, {"s": first}, [Discovery(NOW, "test", (item,))], offset=1, now_ms=NOW)
    second = situation("s", ("a", "b"), severity=Severity.CRITICAL, causes=(Cause(item.id, 0.9),))
    writer.write({"b": alert("b")}, {"s": second}, offset=2, now_ms=NOW)
    act = Act(id="1", kind=ActKind.ACKNOWLEDGE, target="s", actor="ann", time_ms=NOW)
    third = situation(
        "s", ("a", "b"), severity=Severity.CRITICAL, causes=second.causes, state=SituationState.ACKNOWLEDGED
    )
    writer.write({}, {"s": third}, (), [act], offset=3, now_ms=NOW)
    fourth = situation("s", ("a", "b"), severity=Severity.CRITICAL, causes=second.causes,
                       state=SituationState.RESOLVED, resolved_ms=NOW)  # fmt: skip
    writer.write(
        {"a": alert("a", status=AlertStatus.RESOLVED, ends_ms=NOW)}, {"s": fourth}, offset=4, now_ms=NOW
    )
    told = list(models.TimelineEntry.objects.order_by("id").values_list("text", flat=True))
    assert told == [
        "Opened with 1 alert.",
        "1 alert joined.",
        "Severity rose from warning to critical.",
        "Most likely cause: db-1.",
        "ann acknowledged.",
        "Resolved: all of its alerts have ended.",
    ]


def test_silences_survive_a_restart_of_analysis() -> None:
    """They come back as the acts that made them, until they end."""
    data = {
        "matchers": [{"name": "job", "value": "db", "isRegex": False, "isEqual": True}],
        "starts_ms": NOW,
        "ends_ms": NOW + 60_000,
        "comment": "moving it",
    }
    made = Act(id="1", kind=ActKind.SILENCE, target="q", actor="ann", time_ms=NOW, data=data)
    AnalysisWriter().write({}, {}, (), [made], offset=1, now_ms=NOW)
    [act] = load_silences(NOW)
    assert (act.kind, act.target, act.actor) == (ActKind.SILENCE, "q", "ann")
    assert act.data == {**data, "items": [], "reach": "items"}
    assert load_silences(NOW + 60_000) == []
    ended = Act(id="2", kind=ActKind.UNSILENCE, target="q", actor="bob", time_ms=NOW + 10)
    AnalysisWriter().write({}, {}, (), [ended], offset=2, now_ms=NOW + 10)
    assert load_silences(NOW + 10) == []


def test_text_that_no_database_holds_is_replaced() -> None:
    """A hostile sender's NUL and half pairs stop nothing."""
    hostile = alert(
        "a", name="a\x00b", summary="\x00", labels={"x": "\x00"}, annotations={"y": "\x00z\\u0000"}
    )
    AnalysisWriter().write({"a": hostile}, {}, offset=1, now_ms=NOW)
    found = _loaded()[0]["a"]
    assert (found.name, found.labels, found.annotations) == (
        "a\ufffdb",
        {"x": "\ufffd"},
        {"y": "\ufffdz\\u0000"},
    )
    assert storable("\ud800x") == "?x"


def test_what_ended_long_ago_is_forgotten() -> None:
    """Situations and alerts, with what hangs on them; what fires stays however old, and what is recent."""
    day = 24 * 3600 * 1000
    ended = {"status": AlertStatus.RESOLVED, "ends_ms": NOW}
    alerts = {
        "old": alert("old", situation="s", **ended),
        "fires": alert("fires"),
        "recent": alert("recent", **{**ended, "last_seen_ms": NOW + 80 * day}),
    }
    over = situation("s", ("old",), state=SituationState.RESOLVED, resolved_ms=NOW)
    AnalysisWriter().write(alerts, {"s": over, "t": situation("t", ("fires",))}, offset=1, now_ms=NOW)
    for of in ("s", "t"):
        given = {"kind": "notify", "subject": of, "state": "done", "payload": {}, "created_at": moment(NOW)}
        OutboxRow.objects.create(id=f"notify:1:{of}", due_at=moment(NOW), **given)
    assert forget(NOW + 80 * day, keep_days=90) == 0
    assert forget(NOW + 100 * day, keep_days=90) > 0
    assert sorted(models.Alert.objects.values_list("pk", flat=True)) == ["fires", "recent"]
    assert list(models.Situation.objects.values_list("pk", flat=True)) == ["t"]
    assert not models.TimelineEntry.objects.filter(situation="s").exists()
    told = OutboxRow.objects.filter(kind="notify").values_list("subject", flat=True)
    assert list(told) == ["t"], "that it was told is known as long as it is open"
