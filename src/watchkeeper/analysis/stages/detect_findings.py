"""Findings of the detectors: whole sentences from what Levels, Silences and Logs tell, and back from a living
alert to what was told. Each reason's `data` holds the numbers of its sentence and what it takes to go back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from watchkeeper.analysis.pipeline import SeriesInfo, Work
from watchkeeper.analysis.stages import detect_words as words
from watchkeeper.analysis.stages.detect_levels import Change, Episode
from watchkeeper.analysis.stages.detect_logs import FATAL, NewMessage
from watchkeeper.analysis.stages.detect_silence import Silence
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.topology import Topology
from watchkeeper.model.verdicts import Finding, Severity

KINDS = ("level", "rate", "silence", "new_template")


def level(change: Change, info: SeriesInfo, per_second: bool, value: float, topology: Topology) -> Finding:
    """A series left its usual range, or is back; `value` is its last."""
    e = change.episode
    what, where = words.metric(info), place(info.item, info.labels, topology)
    now = words.quantity(e.value if change.active else value, words.unit_of(info), per_second)
    text = f"{what} of {where} is {now}; it is usually {e.sentence}."
    if not change.active:
        text = f"{what} of {where} is {now}. {change.why}"
    return _finding(
        "level", f"{change.series:016x}", change.active, text, ReasonKind.LEVEL, _of_episode(change.series, e),
        item=info.item, name=f"{what} {'above' if e.up else 'below'} normal", severity=Severity.WARNING,
        time_ms=e.began_ms if change.active else e.last_ms, score=e.score,
        labels={**info.labels, "metric": info.name},
    )  # fmt: skip


def rate(change: Change, info: SeriesInfo, topology: Topology) -> Finding:
    """A message comes unusually often or rarely, or as usual again."""
    e, where = change.episode, place(info.item, info.labels, topology)
    source, wording = info.labels.get("service.name", where), info.labels.get("template", "")
    text = f"{source} on {where} wrote “{wording}” {e.value:.0f} times a minute; it is usually {e.sentence}."
    if not change.active:
        text = f"{source} on {where} writes “{wording}” as usual again."
    return _finding(
        "rate", f"{change.series:016x}", change.active, text, ReasonKind.RATE, _of_episode(change.series, e),
        item=info.item, name=f"Log message from {source} unusually {'often' if e.up else 'rare'}",
        severity=Severity.WARNING, time_ms=e.began_ms if change.active else e.last_ms, score=e.score,
        labels=_labels(host=info.labels.get("host.name", ""), service=source),
    )  # fmt: skip


def message(m: NewMessage, wording: str, topology: Topology) -> Finding:
    """An error message of a shape never seen from its source."""
    where = topology.name(m.item) if m.item else m.host or m.source
    source = m.source or where
    text = f"{source} on {where} says what it has never said before: “{m.body[:300]}”"
    if not m.active:
        text = f"{source} on {where} has not repeated the new message for half an hour."
    return _finding(
        "new_template", f"{m.template:016x}", m.active, text, ReasonKind.NEW_TEMPLATE,
        {"template": f"{m.template:016x}", "wording": wording[:500], "source": m.source, "host": m.host,
         "severity": m.severity},
        item=m.item, name=f"New error message from {source}",
        severity=Severity.ERROR if m.severity >= FATAL else Severity.WARNING, time_ms=m.time_ms, score=0.9,
        labels=_labels(host=m.host, service=m.source),
    )  # fmt: skip


def silence(s: Silence, work: Work) -> Finding:
    """A source sends nothing any more, or has stopped sending some of its series."""
    where = work.topology.name(s.item) if s.item else s.source or "a source"
    since = words.duration(work.now_ms - s.since_ms)
    names = [words.metric(i) for x in s.series if (i := work.series.get(x)) is not None]
    text = f"Nothing has come from {where} for {since}; {s.known} of its series came regularly."
    if not s.whole:
        text = f"{where} has not sent {_some(names, s.missing)} for {since}; it sends other series."
    if not s.active:
        text = f"{where} sends again what it used to, or nobody expects it any more."
    labels = {} if s.item else _labels(host=s.source)
    if not s.whole and s.series and (info := work.series.get(s.series[0])) is not None:
        labels = dict(info.labels)
    data = {"source": s.source, "whole": s.whole, "missing": s.missing, "known": s.known,
            "since_ms": s.since_ms, "series": [f"{x:016x}" for x in s.series]}  # fmt: skip
    return _finding(
        "silence", s.key, s.active, text, ReasonKind.SILENCE, data, item=s.item,
        name=f"Nothing comes from {where}" if s.whole else f"{where} has stopped sending some series",
        severity=Severity.ERROR if s.whole else Severity.WARNING,
        time_ms=s.since_ms if s.active else work.now_ms, score=0.95, labels=labels,
    )  # fmt: skip


def episode_of(data: Mapping[str, Any]) -> tuple[int, Episode]:
    """The series and the open episode that a level's or rate's reason was made from."""
    e = Episode(
        data["began_ms"], data["low"], data["high"], "", data["up"], 1.0, data["times_the_usual_largest"],
        data["value"], last_ms=data["began_ms"], told=True,
    )  # fmt: skip
    return int(data["series"], 16), e


def message_of(data: Mapping[str, Any], item: str, time_ms: int) -> NewMessage:
    """The new message that a reason was made from, without its body."""
    return NewMessage(
        int(data["template"], 16), item, data["source"], data["host"], "", data["severity"], time_ms
    )


def silence_of(data: Mapping[str, Any], item: str, told_ms: int) -> Silence:
    """The silence that a reason was made from."""
    series = tuple(int(x, 16) for x in data["series"])
    return Silence(
        data["source"], item, data["whole"], True, data["since_ms"], series, data["missing"], data["known"],
        told_ms,
    )  # fmt: skip


def place(item: str, labels: Mapping[str, str], topology: Topology) -> str:
    """What people call the item, else where the labels say a signal comes from."""
    if item:
        return topology.name(item)
    for key in ("host.name", "instance", "service.name", "host", "job"):
        if labels.get(key):
            return labels[key]
    return "an unknown item"


def _finding(
    kind: str, key: str, active: bool, text: str, reason: ReasonKind, data: dict[str, Any], **rest: Any
) -> Finding:
    because = (Reason(reason, text, 1.0, data),)
    return Finding(key=f"{kind}|{key}", kind=kind, active=active, summary=text, because=because, **rest)


def _of_episode(series: int, e: Episode) -> dict[str, Any]:
    return {
        "series": f"{series:016x}", "value": e.value, "low": e.low, "high": e.high, "up": e.up,
        "times_the_usual_largest": round(e.ratio, 2), "began_ms": e.began_ms,
    }  # fmt: skip


def _some(names: Sequence[str], count: int) -> str:
    named = ", ".join(dict.fromkeys(names))
    more = count - len(names)
    return (named or f"{count} series") + (f" and {more} more" if names and more > 0 else "")


def _labels(**labels: str) -> dict[str, str]:
    return {k: v for k, v in labels.items() if v}
