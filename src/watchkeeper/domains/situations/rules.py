"""What a change of a situation means to people: its timeline in sentences, and whether a rule tells of it.

Pure: situations before and after go in, sentences and verdicts come out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.verdicts import Severity, Situation, SituationState

Name = Callable[[str], str]  # an item's id to its name
OPENED, RAISED, RESOLVED = EVENTS = ("opened", "severity_raised", "resolved")
_NAMED = 50


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a timeline."""

    kind: str
    text: str
    actor: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def changes(old: Situation | None, new: Situation, acted: Iterable[ActKind], name: Name) -> list[Change]:
    """What is different, a line each; what the acts of the same moment say already is left out."""
    acted = set(acted)
    if old is None:
        lines = [Change("opened", f"Opened with {count(len(new.members), 'alert')}.", data=_opened(new))]
        old_causes = ""
    else:
        lines = _membership(old, new) + _severity(old, new)
        old_causes = old.causes[0].item if old.causes else ""
    top = new.causes[0] if new.causes else None
    if top is not None and top.item != old_causes:
        lines.append(Change("cause", f"Most likely cause: {name(top.item)}.", data={"item": top.item}))
    if new.state is SituationState.RESOLVED and (old is None or old.state is not SituationState.RESOLVED):
        if new.merged_into:
            lines.append(Change("merged", "Merged into another situation.", data={"into": new.merged_into}))
        elif ActKind.RESOLVE not in acted:
            lines.append(Change("resolved", "Resolved: all of its alerts have ended."))
    elif old is not None and new.state is not old.state and not acted & _STATE_ACTS:
        lines.append(Change("state", f"Now {new.state.value}."))
    return lines


_STATE_ACTS = {ActKind.ACKNOWLEDGE, ActKind.UNACKNOWLEDGE, ActKind.UNDO, ActKind.MERGE}


def _opened(new: Situation) -> dict[str, Any]:
    out: dict[str, Any] = {"alerts": [m.fingerprint for m in new.members[:_NAMED]]}
    if new.follows:
        out["follows"] = new.follows
    return out


def _membership(old: Situation, new: Situation) -> list[Change]:
    before = {m.fingerprint for m in old.members}
    after = {m.fingerprint for m in new.members}
    lines = []
    if joined := [m.fingerprint for m in new.members if m.fingerprint not in before]:
        text = f"{count(len(joined), 'alert')} joined."
        lines.append(Change("joined", text, data={"alerts": joined[:_NAMED], "count": len(joined)}))
    if left := [m.fingerprint for m in old.members if m.fingerprint not in after]:
        text = f"{count(len(left), 'alert')} left."
        lines.append(Change("left", text, data={"alerts": left[:_NAMED], "count": len(left)}))
    return lines


def _severity(old: Situation, new: Situation) -> list[Change]:
    if old.severity is new.severity:
        return []
    word = "rose" if new.severity.rank > old.severity.rank else "fell"
    return [Change("severity", f"Severity {word} from {old.severity.value} to {new.severity.value}.")]


def count(n: int, noun: str) -> str:
    """A number and its noun.

    >>> count(1, "alert"), count(3, "alert")
    ('1 alert', '3 alerts')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


_SAID: dict[ActKind, Callable[[dict[str, Any]], str]] = {
    ActKind.ACKNOWLEDGE: lambda _: "acknowledged",
    ActKind.UNACKNOWLEDGE: lambda _: "took the acknowledgement back",
    ActKind.RESOLVE: lambda _: "resolved it",
    ActKind.ASSIGN: lambda d: (
        f"assigned it to {d['assignee']}" if d.get("assignee") else "assigned it to nobody"
    ),
    ActKind.MERGE: lambda d: f"merged {count(len(d.get('others', ())), 'other situation')} into it",
    ActKind.SPLIT: lambda d: f"split {count(len(d.get('alerts', ())), 'alert')} off",
    ActKind.UNDO: lambda _: "took a merge or split back",
    ActKind.USUAL: lambda d: f"called “{d.get('name', 'an alert')}” usual: {d.get('why', '')}".rstrip(": "),
}


def told(act: Act) -> Change:
    """An act as a line of the timeline."""
    data = {"act": act.id, **act.data}
    if act.kind is ActKind.NOTE:
        return Change("note", str(act.data.get("text", "")), act.actor, data)
    return Change(act.kind.value, f"{act.actor} {_SAID[act.kind](act.data)}.", act.actor, data)


@dataclass(frozen=True, slots=True)
class Rule:
    """A notification rule without its address."""

    id: int
    min_severity: Severity
    labels: Mapping[str, str]
    words: str
    events: tuple[str, ...]
    since_ms: int


def matches(rule: Rule, situation: Situation, alert_labels: Iterable[Mapping[str, str]]) -> bool:
    """Whether this rule is about this situation: severe enough, opened after the rule was made, its title has
    the words, and one of its alerts carries all of the labels."""
    if situation.severity.rank < rule.min_severity.rank or situation.opened_ms < rule.since_ms:
        return False
    title = situation.title.lower()
    if not all(w in title for w in rule.words.lower().split()):
        return False
    wanted = rule.labels.items()
    return not wanted or any(wanted <= labels.items() for labels in alert_labels)


def event_of(rule: Rule, old: Situation | None, new: Situation, matching: bool, sent: bool) -> str:
    """Which event, if any, this change is to this rule: an id that is the same on every replay.

    `opened` is the first time that an unresolved situation matches; `severity_raised` a rise after that;
    `resolved` its end, when somebody was told of its beginning or wanted to hear of ends alone.
    """
    resolved = new.state is SituationState.RESOLVED
    if resolved:
        heard = sent or (matching and OPENED not in rule.events and RAISED not in rule.events)
        ended = old is None or old.state is not SituationState.RESOLVED
        return RESOLVED if heard and ended and not new.merged_into and RESOLVED in rule.events else ""
    if not matching:
        return ""
    if OPENED in rule.events and not sent:
        return OPENED
    if RAISED in rule.events and old is not None and new.severity.rank > old.severity.rank:
        return f"{RAISED}-{new.severity.value}"
    return ""
