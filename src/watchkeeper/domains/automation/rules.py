"""What a rule makes of an event: pure. Events go in; what is asked of a condition, and what is sent, come out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from watchkeeper.kernel.events import Event

DEEP = 5  # firings that cause one another, at most
OFTEN = (
    10  # firings of one rule for one record in a minute, after which a loop through the outside is supposed
)


@dataclass(frozen=True, slots=True)
class Watched:
    """What of a rule chooses events."""

    id: int
    kinds: frozenset[str]
    acts: frozenset[str]
    condition: str
    per_minute: int


def covers(rule: Watched, event: Event, kinds: Collection[str]) -> bool:
    """Whether this rule is about such events; `kinds` are the event's and the wider ones that it belongs to."""
    return not rule.kinds.isdisjoint(kinds) and (not rule.acts or event.act in rule.acts)


def asked(event: Event) -> dict[str, Any]:
    """What a condition may ask about."""
    return {
        "event": {"id": event.id, "kind": event.kind, "act": event.act, "name": event.name, "at": event.at},
        "record": event.record,
        "before": event.before,
        "after": event.after,
        "actor": {"kind": event.actor.kind, "name": event.actor.name, "id": event.actor.id},
    }


def message(event: Event, kind_name: str, url: str) -> dict[str, Any]:
    """What a webhook carries: the Standard Webhooks payload (type, timestamp, data)."""
    return {
        "type": f"{kind_name.replace(' ', '-')}.{event.act}",
        "timestamp": event.at,
        "data": {
            "id": event.id,
            "kind": event.kind,
            "act": event.act,
            "key": event.key,
            "name": event.name,
            "url": url,
            "record": event.record,
            "before": event.before,
            "after": event.after,
            "actor": {"kind": event.actor.kind, "name": event.actor.name},
        },
    }


def cut(rule: int, chain: Iterable[int], lately: int) -> str:
    """Why this firing would go round in a circle; "" when it would not. `chain`: the rules whose firings have caused
    the event, nearest first; `lately`: how often this one fired for this record in the last minute.

    >>> cut(1, [2, 3], 0), cut(1, [2, 1], 0)
    ('', 'this rule has itself caused the event')
    """
    rules = list(chain)
    if rule in rules:
        return "this rule has itself caused the event"
    if len(rules) >= DEEP:
        return f"{len(rules)} rules have caused one another"
    return f"it fired {lately} times for this record within a minute" if lately >= OFTEN else ""
