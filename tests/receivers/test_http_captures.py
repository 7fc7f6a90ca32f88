"""Captured bodies and what becomes of them. Each body in tests/captures/<door>/ has an .expected.json beside
it; two files dropped there are a test.

The suffix of a body names its content type (.json, .pb); OTLP's begin with metrics-, logs- or traces-, PagerDuty's
with alert- or change-.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.receivers import otlp
from watchkeeper.receivers.alertmanager import AlertmanagerDoor
from watchkeeper.receivers.http import Decode
from watchkeeper.receivers.pagerduty import PagerDutyDoor
from watchkeeper.receivers.series import SeriesTable

CAPTURES = Path(__file__).resolve().parent.parent / "captures"
DOORS = ("alertmanager", "otlp", "pagerduty")
NOW_MS = 1_795_385_321_000  # 2026-11-22T22:08:41Z
TYPES = {".json": "application/json", ".pb": "application/x-protobuf"}
BODIES = sorted(
    p for door in DOORS for p in (CAPTURES / door).iterdir() if not p.name.endswith(".expected.json")
)


def decode_of(path: Path, series: SeriesTable) -> Decode:
    """How the door of this body decodes it."""
    kind = path.name.partition("-")[0]
    match path.parent.name:
        case "alertmanager":
            return AlertmanagerDoor().take
        case "pagerduty":
            rows = PagerDutyDoor(lambda: "made").rows()
            return rows[0].decode if kind == "alert" else rows[1].decode
    return next(d.take for d in otlp.doors(series) if d.path == f"/v1/{kind}")


def became(path: Path) -> dict[str, Any]:
    """What the door of this body makes of it, as in an expected file: rows by stream, samples with the labels
    of their series, what was refused, or the error."""
    series = SeriesTable()
    try:
        taken = decode_of(path, series)(path.read_bytes(), TYPES[path.suffix], NOW_MS)
    except WatchkeeperError as error:
        return {"status": error.status, "reason": error.reason, "detail": error.detail}
    out: dict[str, Any] = {stream.value: batch.to_pylist() for stream, batch in taken.entries}
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
