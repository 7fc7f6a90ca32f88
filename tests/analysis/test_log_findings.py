"""What is told of log lines over hours and days of virtual time: values, messages that vanish, sources without patterns."""

from __future__ import annotations

import random
import string
from typing import Any

import pyarrow as pa
import pytest

from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.stages.detect import Detect
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.model.topology import Topology
from watchkeeper.model.verdicts import Alert, AlertStatus, Finding, Severity

START = 1_750_000_000_000
MINUTE = 60_000
BLANK = {f.name: "" if f.type == pa.string() else 0 for f in SCHEMAS[Stream.LOGS]}


class Place:
    """A stage that is fed with log lines, a minute at a time."""

    def __init__(self) -> None:
        self.stage, self.now, self.offset = Detect(), START, 0
        self.findings: list[Finding] = []
        self.random = random.Random(1)

    def minute(
        self, *lines: str | tuple[str, str], severity: int = 9, acts: tuple[Act, ...] = ()
    ) -> list[Finding]:
        """A minute passes; a line is a body of `api`, or a source and a body."""
        self.now += MINUTE
        self.offset += 1
        rows: list[dict[str, Any]] = []
        for line in lines:
            source, body = ("api", line) if isinstance(line, str) else line
            rows.append({**BLANK, "host": "web-1", "service": source, "body": body, "severity": severity,
                         "received_ms": self.now, "time_ns": self.now * 10**6})  # fmt: skip
        work = Work(self.offset, self.offset, self.now, Topology([]), acts=list(acts))
        if rows:
            batch = pa.RecordBatch.from_pylist(rows, schema=SCHEMAS[Stream.LOGS])
            work.batches = [(self.offset, Stream.LOGS, batch)]
        self.stage.process(work)
        self.findings += work.findings
        return work.findings

    def restart(self, told: list[Finding] | None = None, lost: bool = False) -> None:
        """Another process goes on with what the last one kept, and with the alerts that live."""
        state = None if lost else self.stage.snapshot()
        self.stage = Detect()
        self.stage.restore(state, [_alert(f) for f in told or []], [])

    def usual(self) -> list[str]:
        return [f"request took {self.random.randint(5, 90)} ms for page {k}" for k in range(12)]


def _alert(f: Finding) -> Alert:
    return Alert(
        fingerprint="0" * 16, item=f.item, name=f.name, severity=f.severity, status=AlertStatus.FIRING, summary=f.summary,
        labels=f.labels, source=f.kind, starts_ms=f.time_ms, first_seen_ms=f.time_ms, last_seen_ms=f.time_ms,
        because=f.because,
    )  # fmt: skip


def test_a_duration_far_above_its_own_past_is_told_with_its_numbers_and_is_over_later() -> None:
    place = Place()
    for _ in range(90):
        place.minute(*place.usual())
    assert place.findings == []
    (found,) = place.minute("request took 4000 ms for page 3", *place.usual())
    assert found.kind == "log_value" and found.severity is Severity.WARNING
    assert "wrote “request took 4000 ms for page 3” with 4000" in found.summary
    assert "was at most 90" in found.summary or "was at most 8" in found.summary
    assert found.annotations["log_query"].startswith("template:")
    place.restart([found])
    for _ in range(40):
        place.minute(*place.usual())
    assert [(f.key, f.active) for f in place.findings] == [(found.key, True), (found.key, False)]


def test_page_numbers_and_ports_are_no_measure() -> None:
    place = Place()
    for k in range(90):
        place.minute(*[f"request for page {k * 12 + n} from port {50000 + n}" for n in range(12)])
    assert place.minute("request for page 99999999 from port 1") == []


def test_a_user_never_seen_is_told_where_there_are_few() -> None:
    place = Place()
    names = ("ann", "bob", "carol")
    for k in range(400):
        place.minute(*[f"session opened for user {names[(k + n) % 3]} by sshd" for n in range(4)])
    (found,) = place.minute("session opened for user mallory by sshd")
    assert found.name == "New user in a log message from api"
    assert "never before has mallory stood there" in found.summary and "ann" in found.summary
    assert place.minute("session opened for user mallory by sshd") == []


def test_where_anybody_may_stand_nobody_is_news() -> None:
    place = Place()
    for _ in range(400):
        name = "".join(place.random.choices(string.ascii_lowercase, k=8))
        place.minute(*[f"session opened for user {name} by sshd"] * 4)
    assert place.findings == []


def test_a_regular_message_that_vanishes_is_told_while_its_source_goes_on() -> None:
    place = Place()
    for k in range(300):
        place.minute(*place.usual(), *(["backup of shard 7 done"] if k % 5 == 0 else []))
    told = [f for _ in range(60) for f in place.minute(*place.usual())]
    (found,) = [f for f in told if f.kind == "vanished_template"]
    assert "api on web-1 has not written “backup of shard <*> done” for" in found.summary
    assert "never away longer than 5 minutes before" in found.summary
    place.restart([found])
    over = [
        f for f in place.minute(*place.usual(), "backup of shard 7 done") if f.kind == "vanished_template"
    ]
    assert [(f.key, f.active) for f in over] == [(found.key, False)]


def test_a_source_that_is_silent_altogether_is_not_this_matter() -> None:
    place = Place()
    for k in range(300):
        place.minute(*(["backup of shard 7 done"] if k % 5 == 0 else []), ("other", "tick 1"))
    told = [f for _ in range(120) for f in place.minute(("other", "tick 1"))]
    assert [f for f in told if f.kind == "vanished_template"] == []


def test_a_start_and_a_start_without_memory_are_no_storm() -> None:
    place = Place()
    for _ in range(120):
        place.minute(*place.usual(), "session opened for user ann by sshd")
    for lost in (False, True):
        place.restart(lost=lost)
        for k in range(30):
            error = f"error {k} in {'abcdefgh'[k % 8] * 3}"
            known = [*place.usual(), "session opened for user ann by sshd"]
            place.minute(*known, *([error] if lost else []), severity=17 if lost else 9)
    assert place.findings == []


def test_random_tokens_silence_nobody_unnoticed() -> None:
    """A source that floods is told, the templates of others stay, and their new errors are told all the same."""
    place = Place()
    for _ in range(90):
        place.minute(*place.usual(), *[("db", f"checkpoint {k} complete") for k in range(12)])
    r = random.Random(5)
    words = ["".join(r.choices(string.ascii_letters, k=9)) for _ in range(6000)]
    told: list[Finding] = []
    for k in range(12):
        noise = [("evil", " ".join(r.choices(words, k=6))) for _ in range(2500)]
        told += place.minute(*noise, *place.usual(), *[("db", f"checkpoint {k} complete") for k in range(12)])
    (found,) = [f for f in told if f.active]
    assert found.name == "Log source evil writes lines without a pattern"
    assert "messages of other sources are not affected" in found.summary
    assert 'service:"evil"' in found.annotations["log_query"]
    (error,) = [f for f in place.minute(("db", "could not write block 7: No space left on device"), severity=17)
                if f.kind == "new_template"]  # fmt: skip
    assert "db on web-1 says what it has never said before" in error.summary
    over = [f for _ in range(25) for f in place.minute(("evil", "all is well"), *place.usual())]
    assert [f.active for f in over if f.key == found.key] == [False]


def test_what_people_say_of_templates_comes_as_an_act_and_is_replayed() -> None:
    place = Place()
    place.minute("link 3 is up", "link 4 is down")
    templater = place.stage.logs.templater
    batch = pa.RecordBatch.from_pylist(
        [{**BLANK, "body": b} for b in ("link 5 is up", "link 6 is down")], schema=SCHEMAS[Stream.LOGS]
    )
    up, down = templater.ids(batch).tolist()
    act = Act(id="a", kind=ActKind.TEMPLATE, target="1", actor="ann", time_ms=START,
              data={"correction": {"template": up, "other": down}})  # fmt: skip
    place.minute(acts=(act,))
    assert templater.canonical(templater.ids(batch)).tolist() == [up, up]
    place.restart(lost=True)
    place.minute("link 3 is up", "link 4 is down", acts=(act,))
    again = place.stage.logs.templater
    assert again.canonical(again.ids(batch)).tolist() == [up, up]
    place.minute(acts=(Act(id="b", kind=ActKind.TEMPLATE, target="1", actor="ann", time_ms=START),))
    assert again.canonical(again.ids(batch)).tolist() == [up, down]


@pytest.mark.parametrize("correction", [{"template": "x"}, {"template": -1}, {"nothing": 1}, [1]])
def test_an_act_that_is_no_correction_stops_nothing(correction: Any) -> None:
    place = Place()
    act = Act(
        id="a", kind=ActKind.TEMPLATE, target="1", actor="ann", time_ms=START, data={"correction": correction}
    )
    place.minute("link 3 is up", acts=(act,))
    assert place.findings == []


def test_a_value_that_somebody_called_usual_is_not_told_again() -> None:
    place = Place()
    for _ in range(90):
        place.minute(*place.usual())
    (found,) = place.minute("request took 4000 ms for page 3", *place.usual())
    key = found.because[0].data["key"]
    data = {"key": key, "why": "the report of the month", "until_ms": 0, "period": 0, "begin": 0, "length": 0,
            "name": found.name, "item": "", "text": found.name, "when": "at any time"}  # fmt: skip
    said = Act(id="j", kind=ActKind.USUAL, target="x", actor="ann", time_ms=place.now, data=data)
    (over,) = place.minute(acts=(said,))
    assert (key, over.key, over.active) == (found.key, found.key, False)
    for _ in range(40):
        place.minute(*place.usual())
    assert place.minute("request took 5000 ms for page 3", *place.usual()) == []
    back = Act(id="b", kind=ActKind.UNUSUAL, target="j", actor="bob", time_ms=place.now)
    place.minute(acts=(back,))
    for _ in range(40):
        place.minute(*place.usual())
    (again,) = place.minute("request took 900000 ms for page 3", *place.usual())
    assert again.key == found.key and again.active
