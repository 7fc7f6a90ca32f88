"""Tries a rule that is not saved yet on what has happened: of how many of the last events it would have fired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from watchkeeper.domains.automation import rules
from watchkeeper.domains.automation.conditions import TOO_MUCH, evaluator
from watchkeeper.domains.automation.past import past
from watchkeeper.domains.automation.rules import Watched
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.events import Event, kinds_of
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.resource import registry

LAST = 100
_SHOWN = 10


@dataclass
class Tried:
    """`matched` of `looked_at` past events; for some the condition said neither true nor false, with the reasons and
    how often each."""

    looked_at: int = 0
    matched: int = 0
    undecided: int = 0
    examples: list[Event] = field(default_factory=list)  # that matched, newest first
    reasons: dict[str, int] = field(default_factory=dict)


def try_out(
    actor: Actor, kinds: Sequence[str], acts: Sequence[str], condition: str, last: int = LAST
) -> Tried:
    """On the last events of these kinds with these acts. Raises Invalid for a condition that is none, and Forbidden
    for a kind that the actor may not read; of the others it looks at records that the actor may read."""
    if condition.strip():
        evaluator.check(condition)
    rule = Watched(0, frozenset(kinds), frozenset(acts), condition, 0)
    found: list[Event] = []
    for kind in dict.fromkeys(kinds):
        require(actor, "read", registry[kind])
        about = (
            e for part in _parts(kind) for e in past(part, last) if rules.covers(rule, e, kinds_of(e.kind))
        )
        found += _readable(actor, list(islice(about, last)))
    return _decided(rule, sorted(found, key=lambda e: e.at, reverse=True)[:last])


def _decided(rule: Watched, found: Sequence[Event]) -> Tried:
    tried = Tried(looked_at=len(found))
    for event in found:
        [said] = evaluator.ask([rule.condition], rules.asked(event)) if rule.condition.strip() else [True]
        if said is True:
            tried.matched += 1
            tried.examples += [event] if len(tried.examples) < _SHOWN else []
        elif said is not False:
            tried.undecided += 1
            tried.reasons[str(said)] = tried.reasons.get(str(said), 0) + 1
            if said == TOO_MUCH:
                break  # a condition that takes so long is tried once
    return tried


def _parts(kind: str) -> list[str]:
    """A kind, and those that are a part of it."""
    return [r.path for r in registry if kind in kinds_of(r.path)]


def _readable(actor: Actor, found: list[Event]) -> list[Event]:
    seen: dict[str, set[str]] = {}
    for kind in {e.kind for e in found}:
        keys = {e.key for e in found if e.kind == kind}
        resource = registry[kind]
        records = resource.model._default_manager.filter(pk__in=keys)
        there = {str(pk) for pk in records.values_list("pk", flat=True)}
        mine = {str(pk) for pk in visible(actor, resource, records).values_list("pk", flat=True)}
        seen[kind] = keys - (there - mine)
    return [e for e in found if e.key in seen[e.kind]]


def as_json(tried: Tried) -> dict[str, Any]:
    """For the API."""
    return {
        "looked_at": tried.looked_at,
        "matched": tried.matched,
        "undecided": tried.undecided,
        "examples": [
            {
                "id": e.id,
                "at": e.at,
                "kind": e.kind,
                "act": e.act,
                "key": e.key,
                "name": e.name,
                "actor": e.actor.name,
            }
            for e in tried.examples
        ],
        "reasons": [{"reason": r, "events": n} for r, n in tried.reasons.items()],
    }
