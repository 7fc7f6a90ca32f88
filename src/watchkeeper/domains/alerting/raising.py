"""What an evaluation came to, as entries of the journal: series and samples, and events of the alerts that have to be told:
of one that fires at once and then again and again, so that it ends when nobody tells of it any more; of one that is over
once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b

import msgspec
import pyarrow as pa

from watchkeeper.model.doors import RULES
from watchkeeper.model.measured import series_row
from watchkeeper.model.series import series_id
from watchkeeper.model.signals import Stream, batch
from watchkeeper.model.verdicts import AlertStatus, Severity
from watchkeeper.telemetry.promql.values import Key, Labels, key
from watchkeeper.telemetry.rulefiles import Active, Running, State

AGAIN_MS = 60_000
PATIENCE = 4  # times the distance between two tellings, after which an alert ends by itself
BROKEN = "RulesCannotBeEvaluated"
BROKEN_AFTER = 2  # evaluations in a row that fail
MOST_DECLARED = 200_000  # ids that are remembered; what is declared again does no harm
MOST_WAITING = 200_000  # samples of a group that wait while the journal takes none; older ones go
_SUMMARIES = ("summary", "description", "message")
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass
class Told:
    """An alert that analysis has been told of, and when last."""

    alert: Active
    at_ms: int = 0


@dataclass
class Output:
    """Samples of one evaluation, and what has been told of a group so far. `declared` are series that the journal knows."""

    samples: list[tuple[Labels, int, float]] = field(default_factory=list)
    told: dict[Key, Told] = field(default_factory=dict)
    declared: set[int] = field(default_factory=set)
    source: str = ""  # the file of the group
    failed: int = 0  # evaluations in a row

    def put(self, labels: Labels, time_ms: int, value: float) -> None:
        """A sample that a rule came to."""
        self.samples.append((labels, time_ms, value))


def entries(output: Output, running: Running, now_ms: int) -> list[tuple[Stream, pa.RecordBatch]]:
    """What goes into the journal together; afterwards `settle`."""
    out: list[tuple[Stream, pa.RecordBatch]] = []
    new: dict[int, dict[str, object]] = {}
    samples = []
    for labels, time_ms, value in output.samples:
        number = series_id(labels)
        samples.append({"series": number, "time_ms": time_ms, "value": value})
        if number not in output.declared:
            new[number] = series_row(labels, "gauge", RULES)
    if new:
        out.append((Stream.SERIES, batch(Stream.SERIES, list(new.values()))))
    if samples:
        out.append((Stream.SAMPLES, batch(Stream.SAMPLES, [dict(s) for s in samples])))
    if events := [_event(a, now_ms, ends) for a, ends in _due(output, running, now_ms)]:
        out.append((Stream.EVENTS, batch(Stream.EVENTS, events)))
    return out


def settle(output: Output, running: Running, now_ms: int) -> None:
    """The entries are in the journal: remember that."""
    if len(output.declared) > MOST_DECLARED:
        output.declared.clear()
    output.declared.update(series_id(labels) for labels, _, _ in output.samples)
    output.samples.clear()
    due = [(a, a.state is State.FIRING) for a, _ in _due(output, running, now_ms)]
    for alert, fires in due:
        if fires:
            output.told[key(alert.labels)] = Told(alert, now_ms)
        else:
            output.told.pop(key(alert.labels), None)


def _due(output: Output, running: Running, now_ms: int) -> Iterator[tuple[Active, int]]:
    """Alerts to tell of, each with its end: when it times out, or when it was over."""
    firing = {key(a.labels): a for a in _firing(output, running)}
    lasting = PATIENCE * max(AGAIN_MS, running.group.interval_ms)
    for k, alert in firing.items():
        told = output.told.get(k)
        if told is None or not 0 <= now_ms - told.at_ms < AGAIN_MS:
            yield alert, now_ms + lasting
    for k, told in output.told.items():
        if k not in firing:
            yield replace(told.alert, state=State.INACTIVE), now_ms


def _firing(output: Output, running: Running) -> Iterable[Active]:
    for one in running.rules:
        if one.states is not None:
            yield from (a for a in one.states.alerts() if a.state is State.FIRING)
    wrong = [one for one in running.rules if one.health == "err"]
    if wrong and output.failed >= BROKEN_AFTER:
        reasons = [f"{one.rule.name}: {one.error}" for one in wrong]
        yield _broken(running.group.name, output.source, reasons, wrong[0].at_ms)


def _broken(group: str, source: str, reasons: list[str], at_ms: int) -> Active:
    more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    text = f"{len(reasons)} of the rules of {group} cannot be evaluated: {reasons[0]}{more}"
    labels = {"alertname": BROKEN, "group": group, "file": source, "severity": "warning"}
    return Active(labels, {"summary": text}, float(len(reasons)), at_ms, State.FIRING, at_ms)


def _event(alert: Active, now_ms: int, ends_ms: int) -> dict[str, object]:
    labels = _encode(_clean(alert.labels))
    starts = min(alert.fired_ms or alert.active_ms, now_ms)
    annotations = _clean(alert.annotations)
    return {
        "id": blake2b(b"%d" % starts + labels, digest_size=16).hexdigest(), "kind": "alert",
        "status": (AlertStatus.FIRING if alert.state is State.FIRING else AlertStatus.RESOLVED).value,
        "name": alert.labels["alertname"], "severity": Severity.parse(alert.labels.get("severity", "")).value,
        "summary": next((annotations[n] for n in _SUMMARIES if annotations.get(n)), ""), "starts_ms": starts,
        "ends_ms": ends_ms, "received_ms": now_ms, "labels": labels.decode(),
        "annotations": _encode(annotations).decode(), "url": "", "door": RULES,
    }  # fmt: skip


def _clean(pairs: Mapping[str, str]) -> dict[str, str]:
    """Without empty ones, and without NUL, which no record database holds."""
    return {k: v.replace("\x00", "\ufffd") for k, v in pairs.items() if v}
