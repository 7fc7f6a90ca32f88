"""Keeps what analysis concludes as rows of the store, with its reasons. It is a history beside the records,
written in the background: a kill may cost its last second, the alerts and situations themselves are
elsewhere."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterable
from typing import Any

import msgspec
import pyarrow as pa

from watchkeeper.model.verdicts import Alert, AlertStatus, Finding, Situation, SituationState
from watchkeeper.telemetry.queries import compared
from watchkeeper.telemetry.store import Store, TelemetryError, TelemetryRefused

GATHER = 1.0  # seconds
MAX_WAITING = 50_000  # rows; more are dropped and counted
_SCHEMA: pa.Schema = pa.schema([  # type: ignore[arg-type]
    ("time", pa.timestamp("ms")), ("stage", pa.string()), ("key", pa.string()), ("kind", pa.string()),
    ("item", pa.string()), ("name", pa.string()), ("severity", pa.string()), ("score", pa.float64()),
    ("active", pa.bool_()), ("summary", pa.string()), ("labels_json", pa.string()), ("because", pa.string()),
])  # fmt: skip
_log = logging.getLogger(__name__)


class FindingLog:
    """Takes findings, alerts and situations from the pipeline, once they are written, and stores them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows: queue.Queue[dict[str, Any]] = queue.Queue(MAX_WAITING)
        self.statistics = {"stored": 0, "dropped": 0}

    def put(
        self, now_ms: int, findings: Iterable[Finding] = (), alerts: Iterable[Alert] = (),
        situations: Iterable[Situation] = (),
    ) -> None:  # fmt: skip
        """Take what one pass of the pipeline concluded; never waits."""
        rows = [_finding(f) for f in findings]
        rows += [_alert(a, now_ms) for a in alerts]
        rows += [row for s in situations for row in _situation(s, now_ms)]
        self._put(rows)

    def put_compared(
        self, now_ms: int, part: str, versions: tuple[str, str], subject: str, name: str, agreement: str,
        said: tuple[str, str],
    ) -> None:  # fmt: skip
        """Take what the deciding version and the one in the shade said of a subject; never waits."""
        key = compared.prefix(part, versions) + subject
        told = {"deciding": said[0], "shade": said[1]}
        self._put([_row(now_ms, compared.STAGE, key, agreement, "", name, "info", 0.0, False, "", told, ())])

    def _put(self, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            try:
                self._rows.put_nowait(row)
            except queue.Full:
                self.statistics["dropped"] += 1

    def run(self, stop: threading.Event) -> None:
        """Store what was put until `stop` is set, and then what is left."""
        while not stop.wait(GATHER):
            self._flush(stop)
        self._flush(stop)

    def _flush(self, stop: threading.Event) -> None:
        rows = []
        while not self._rows.empty():
            rows.append(self._rows.get_nowait())
        while rows:
            try:
                self._store.insert("findings", pa.Table.from_pylist(rows, schema=_SCHEMA))
                self.statistics["stored"] += len(rows)
                return
            except TelemetryError as error:
                if isinstance(error, TelemetryRefused) or stop.wait(5.0):
                    self.statistics["dropped"] += len(rows)
                    _log.warning("%d findings are not kept: %s", len(rows), error)
                    return


def _finding(f: Finding) -> dict[str, Any]:
    return _row(f.time_ms, "detect", f.key, f.kind, f.item, f.name, f.severity, f.score, f.active, f.summary,
                f.labels, f.because)  # fmt: skip


def _alert(a: Alert, now_ms: int) -> dict[str, Any]:
    return _row(now_ms, "deduplicate", a.fingerprint, a.source, a.item, a.name, a.severity, a.score,
                a.status is AlertStatus.FIRING, a.summary, a.labels, a.because)  # fmt: skip


def _situation(s: Situation, now_ms: int) -> Iterable[dict[str, Any]]:
    active = s.state is not SituationState.RESOLVED
    yield _row(now_ms, "correlate", s.id, s.state, "", s.title, s.severity, 1.0, active,
               f"{len(s.members)} alerts", {"version": s.version}, s.because)  # fmt: skip
    for cause in s.causes:
        yield _row(now_ms, "determine_cause", s.id, "change" if cause.change else "item", cause.item, s.title,
                   s.severity, cause.score, active, "", {"change": cause.change}, cause.because)  # fmt: skip


def _row(
    time_ms: int, stage: str, key: str, kind: str, item: str, name: str, severity: str, score: float,
    active: bool, summary: str, labels: dict[str, str], because: object,
) -> dict[str, Any]:  # fmt: skip
    return {
        "time": time_ms, "stage": stage, "key": key, "kind": str(kind), "item": item, "name": name,
        "severity": str(severity), "score": score, "active": active, "summary": summary,
        "labels_json": msgspec.json.encode(labels).decode(), "because": msgspec.json.encode(because).decode(),
    }  # fmt: skip
