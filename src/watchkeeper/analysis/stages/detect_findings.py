"""Findings of the detectors: whole sentences from what Levels, Silences and Logs tell, and back from a living
alert to what was told. Each reason's `data` holds the numbers of its sentence and what it takes to go back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from watchkeeper.analysis.detectors.drift import Drifting
from watchkeeper.analysis.pipeline import SeriesInfo, Work
from watchkeeper.analysis.stages import detect_words as words
from watchkeeper.analysis.stages.detect_drift import Drifted
from watchkeeper.analysis.stages.detect_episodes import Change, Episode
from watchkeeper.analysis.stages.detect_joint import Joined, Spoken, sentence
from watchkeeper.analysis.stages.detect_log_messages import FATAL, NewMessage
from watchkeeper.analysis.stages.detect_silence import Silence
from watchkeeper.analysis.stages.detect_stuck import Standing
from watchkeeper.analysis.stages.detect_talkers import NewTalk
from watchkeeper.model.act import Act
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.topology import Topology
from watchkeeper.model.verdicts import Finding, Severity

KINDS = ("level", "rate", "silence", "new_template", "joint", "new_talker", "stuck", "drift")


def level(change: Change, info: SeriesInfo, per_second: bool, value: float, topology: Topology) -> Finding:
    """A series left its usual range, or is back; `value` is its last."""
    e = change.episode
    what, where = words.metric(info), place(info.item, info.labels, topology)
    now = words.quantity(e.value if change.active else value, words.unit_of(info), per_second)
    text = f"{what} of {where} is {now}; it is usually {e.sentence}."
    if not change.active:
        text = f"{what} of {where} is {now}. {change.why}"
    return _finding(
        "level", f"{change.series:016x}", change.active, text, ReasonKind.LEVEL,
        {**_of_episode(change.series, e), "what": subject(info, topology), "now": now},
        item=info.item, name=f"{what} {'above' if e.up else 'below'} normal", severity=Severity.WARNING,
        time_ms=e.began_ms if change.active else e.last_ms, score=e.score,
        labels={**info.labels, "metric": info.name},
    )  # fmt: skip


def subject(info: SeriesInfo, topology: Topology) -> str:
    """A series in words: its metric and where it is from."""
    return f"{words.metric(info)} of {place(info.item, info.labels, topology)}"


def rate(change: Change, info: SeriesInfo, topology: Topology) -> Finding:
    """A message comes unusually often or rarely, or as usual again."""
    e, where = change.episode, place(info.item, info.labels, topology)
    source, wording = info.labels.get("service.name", where), info.labels.get("template", "")
    text = f"{source} on {where} wrote “{wording}” {e.value:.0f} times a minute; it is usually {e.sentence}."
    if not change.active:
        text = f"{source} on {where} writes “{wording}” as usual again."
    return _finding(
        "rate", f"{change.series:016x}", change.active, text, ReasonKind.RATE,
        {**_of_episode(change.series, e), "what": f"“{wording}” of {source} on {where}",
         "now": f"{e.value:.0f} times a minute"},
        item=info.item, name=f"Log message from {source} unusually {'often' if e.up else 'rare'}",
        severity=Severity.WARNING, time_ms=e.began_ms if change.active else e.last_ms, score=e.score,
        labels=_labels(host=info.labels.get("host.name", ""), service=source),
        annotations={"log_query": f"template:{change.series}"},
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
        labels=_labels(host=m.host, service=m.source), annotations={"log_query": f"template:{m.template}"},
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


def joint(joined: Joined, work: Work, per_second: Mapping[int, bool]) -> Finding:
    """Several series of an item stray together, or do no longer; `per_second` says of which series rates are meant."""
    where = work.topology.name(joined.item)

    def say(part: Spoken) -> tuple[str, str, str]:
        info = work.series.get(part.series) or SeriesInfo(part.series, "value", {}, "unknown", "", "")
        unit, rates = words.unit_of(info), per_second.get(part.series, False)
        return (
            words.metric(info),
            words.quantity(part.value, unit, rates),
            words.quantity(part.before, unit, rates),
        )

    data = {
        "began_ms": joined.began_ms,
        "ratio": round(joined.ratio, 2),
        "parts": [list(p) for p in joined.parts],
    }
    return _finding(
        "joint", joined.item, joined.active, sentence(joined, where, say), ReasonKind.LEVEL, data, item=joined.item,
        name=f"Several measurements of {where} unusual together", severity=Severity.WARNING,
        time_ms=joined.began_ms if joined.active else work.now_ms, score=min(0.99, 1.0 - 0.25 / joined.ratio),
        labels={},
    )  # fmt: skip


def stuck(s: Standing, work: Work) -> Finding:
    """Series that always changed stand still, or move again."""
    infos = [i for x in s.series if (i := work.series.get(x)) is not None]
    where = place(s.item, infos[0].labels if infos else {}, work.topology)
    names = [words.metric(i) for i in infos[:5]]
    since = words.duration(work.now_ms - s.since_ms)
    text = f"{_some(names, len(s.series))} of {where} shows the same value for {since}; it always changed before."
    if not s.active:
        text = f"{_some(names, len(s.series))} of {where} changes again."
    data = {"standing": s.key, "series": [f"{x:016x}" for x in s.series], "since_ms": s.since_ms}
    return _finding(
        "stuck", s.key, s.active, text, ReasonKind.STUCK, data, item=s.item, name=f"Values of {where} are stuck",
        severity=Severity.WARNING, time_ms=s.since_ms if s.active else work.now_ms, score=0.95,
        labels=dict(infos[0].labels) if infos and len(s.series) == 1 else {},
    )  # fmt: skip


def stuck_of(data: Mapping[str, Any], item: str) -> Standing:
    """What a stuck value's reason was made from."""
    return Standing(data["standing"], item, tuple(int(x, 16) for x in data["series"]), data["since_ms"])


def drift(told: Drifted, work: Work) -> Finding:
    """A series moves one way, slowly, for long, or does not any more."""
    d = told.drifting
    info = work.series.get(told.series) or SeriesInfo(told.series, "value", {}, "unknown", "", "")
    unit, what = words.unit_of(info), subject(info, work.topology)
    now, before = (words.quantity(v, unit, told.per_second) for v in (d.now, d.before))
    text = f"{what} is {now}. {told.why}"
    way = "rises" if d.way > 0 else "falls"
    if told.active:
        course = words.drifts(d, work.now_ms, unit, told.per_second)
        text = f"{what} {course}: {now} now against {before}."
    data = {"series": f"{told.series:016x}", "what": what, "per_second": told.per_second, **d._asdict()}
    return _finding(
        "drift", f"{told.series:016x}", told.active, text, ReasonKind.DRIFT, data, item=info.item,
        name=f"{words.metric(info)} slowly {way}", severity=Severity.WARNING, time_ms=work.now_ms,
        score=0.95, labels={**info.labels, "metric": info.name},
    )  # fmt: skip


def drift_of(data: Mapping[str, Any]) -> tuple[int, Drifting]:
    """The series and the drift that a reason was made from."""
    return int(data["series"], 16), Drifting(**{name: data[name] for name in Drifting._fields})


def new_talk(t: NewTalk, topology: Topology) -> Finding:
    """An item asks another for the first time."""
    client, server = topology.name(t.client), topology.name(t.server)
    since = words.duration(t.known_ms)
    text = f"{client} talks to {server}, which it had never done in the {since} that its flows are known."
    if not t.active:
        text = f"{client} has talked to {server} for an hour; that is known now."
    data = {"client": t.client, "server": t.server, "at_ms": t.time_ms, "known_ms": t.known_ms}
    return _finding(
        "new_talker", t.key, t.active, text, ReasonKind.TALK, data, item=t.client, name=f"{client} talks to somebody new",
        severity=Severity.INFO, time_ms=t.time_ms, score=0.9, labels={},
    )  # fmt: skip


def new_talk_of(data: Mapping[str, Any]) -> NewTalk:
    """What a new talker's reason was made from."""
    return NewTalk(data["client"], data["server"], data["at_ms"], data["known_ms"])


def joint_of(data: Mapping[str, Any], item: str) -> Joined:
    """What a joint's reason was made from."""
    parts = tuple(Spoken(*p) for p in data["parts"])
    return Joined(item, data["began_ms"], data["ratio"], parts)


def ended(act: Act, now_ms: int) -> Finding:
    """A person called it usual: what was told of it is over."""
    data, why = act.data, act.data.get("why", "")
    text = f"{act.actor} called this usual{f': {why}' if why else '.'}"
    kind, _, key = str(data["key"]).partition("|")
    return _finding(
        kind, key, False, text, ReasonKind.PERSON, {"act": act.id}, item=str(data.get("item", "")),
        name=str(data.get("name", "")), severity=Severity.WARNING, time_ms=now_ms, score=0.0,
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
    because = (Reason(reason, text, 1.0, {**data, "key": f"{kind}|{key}"}),)
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
