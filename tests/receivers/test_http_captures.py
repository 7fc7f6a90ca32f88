"""Captured bodies and what becomes of them. Each body in tests/captures/<door>/ has an .expected.json beside
it; two files dropped there are a test.

The suffix of a body names its content type (.json, .pb, .txt, .form); one of .http has its headers before it. OTLP's
begin with metrics-, logs- or traces-, PagerDuty's with alert- or change-. Of webhooks, what is called `<case>-resolved`
ends what `<case>-firing` began.
"""

from __future__ import annotations

import json
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

import pytest

from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.model.verdicts import fingerprint
from watchkeeper.receivers import otlp, webhooks
from watchkeeper.receivers.alertmanager import AlertmanagerDoor
from watchkeeper.receivers.http import Decode, Taken
from watchkeeper.receivers.pagerduty import PagerDutyDoor
from watchkeeper.receivers.series import SeriesTable

CAPTURES = Path(__file__).resolve().parent.parent / "captures"
WEBHOOKS = {d.name: d for d in webhooks.doors() if d.decode_for is None}
DOORS = ("alertmanager", "otlp", "pagerduty", *WEBHOOKS)
NOW_MS = 1_795_385_321_000  # 2026-11-22T22:08:41Z
TYPES = {
    ".json": "application/json", ".pb": "application/x-protobuf", ".txt": "text/plain; charset=UTF-8",
    ".form": "application/x-www-form-urlencoded",
}  # fmt: skip
BODIES = sorted(
    p for door in DOORS for p in (CAPTURES / door).iterdir() if not p.name.endswith(".expected.json")
)


def decode_of(path: Path, series: SeriesTable) -> Decode:
    """How the door of this body decodes it."""
    kind = path.name.partition("-")[0]
    match path.parent.name:
        case "alertmanager":
            return AlertmanagerDoor().take
        case "otlp":
            return next(d.take for d in otlp.doors(series) if d.path == f"/v1/{kind}")
        case "pagerduty":
            rows = PagerDutyDoor(lambda: "made").rows()
            return rows[0].decode if kind == "alert" else rows[1].decode
    return WEBHOOKS[path.parent.name].decode


def became(path: Path) -> dict[str, Any]:
    """What the door of this body makes of it, as in an expected file: rows by stream, samples with the labels
    of their series, what was refused, or the error."""
    series = SeriesTable()
    try:
        taken = take(path, series)
    except WatchkeeperError as error:
        return {"status": error.status, "reason": error.reason, "detail": error.detail}
    out: dict[str, Any] = {}
    for stream, batch in taken.entries:
        out.setdefault(stream.value, []).extend(batch.to_pylist())
    if Stream.SAMPLES in out:
        new = series.take_new()
        known = {r["id"]: r for r in (new.to_pylist() if new else [])}
        out[Stream.SAMPLES] = [shown(known[r["series"]], r) for r in out[Stream.SAMPLES]]
    if Stream.ACTS in out:
        out[Stream.ACTS] = [json.loads(r["document"]) for r in out[Stream.ACTS]]
    for row in (r for rows in out.values() for r in rows):
        for column in ("labels", "annotations"):
            if column in row:
                row[column] = json.loads(row[column])
    if taken.rejected:
        out |= {"rejected": taken.rejected, "message": taken.message}
        out["letters"] = [[x.reason, x.detail] for x in taken.letters]
    return out


def take(path: Path, series: SeriesTable) -> Taken:
    body = path.read_bytes()
    if path.suffix != ".http":
        return decode_of(path, series)(body, TYPES[path.suffix], NOW_MS)
    head, _, body = body.partition(b"\n\n")
    headers = dict(BytesHeaderParser().parsebytes(head + b"\n\n").items())
    decode = WEBHOOKS[path.parent.name].decode_headers
    assert decode is not None
    return decode(headers, body, headers["Content-Type"], NOW_MS)


def shown(series: dict[str, Any], sample: dict[str, Any]) -> dict[str, Any]:
    """A sample with its series."""
    facts = {k: series[k] for k in ("name", "labels", "kind", "unit", "door")}
    return {**facts, "time_ms": sample["time_ms"], "value": sample["value"]}


@pytest.mark.parametrize("path", BODIES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_captured_body_becomes_what_is_expected(path: Path) -> None:
    expected = path.with_name(path.stem + ".expected.json")
    assert json.loads(json.dumps(became(path))) == json.loads(expected.read_text())


@pytest.mark.parametrize(
    "path", sorted(CAPTURES.glob("*/*.expected.json")), ids=lambda p: f"{p.parent.name}/{p.name}"
)
def test_an_expectation_has_its_body(path: Path) -> None:
    stem = path.name.removesuffix(".expected.json")
    assert [p for p in path.parent.glob(stem + ".*") if p != path], "the captured body is missing"


@pytest.mark.parametrize("door", WEBHOOKS)
def test_what_ends_an_alert_meets_what_began_it(door: str) -> None:
    mine = {p.stem: p for p in BODIES if p.parent.name == door}
    met = 0
    for began in (p for stem, p in mine.items() if stem.endswith("-firing")):
        ended = mine.get(began.stem.removesuffix("-firing") + "-resolved")
        if ended is None:  # nobody says that this one is over
            continue
        firing, resolved = alerts(began), alerts(ended)
        assert {status for status, _ in firing} == {"firing"}
        assert {a for status, a in resolved if status == "resolved"} >= {a for _, a in firing}
        met += 1
    assert met


def alerts(path: Path) -> set[tuple[str, str]]:
    """Status and fingerprint of each alert of a body; without what says that a subscription is confirmed."""
    rows = [r for r in became(path)["events"] if not r["name"].startswith("SNS subscription")]
    return {(r["status"], fingerprint(r["name"], r["labels"], r["door"])) for r in rows}
