"""Events of records: what was done to a record of any kind, for whoever wants to hear of it. An event is written to
the outbox in the transaction of the act, and heard after it.

An act that is in the audit trail is an event of the same number, so that both are there or neither; what analysis
writes is one with an id of its own. Nobody wants a kind: then an act costs one look-up and no row.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from watchkeeper.kernel import outbox
from watchkeeper.kernel.models import AuditEntry, OutboxRow
from watchkeeper.kernel.resource import registry

KIND = "event"
_TOGETHER = 100  # events in one row of the outbox


class By(msgspec.Struct, frozen=True):
    """Who did it: see kernel.acting.Actor. `request` is the call's id, or the message by which it was caused."""

    kind: str = ""
    name: str = ""
    id: str = ""
    request: str = ""


class Event(msgspec.Struct, frozen=True):
    """What was done. `kind` is the path of the kind, `record` the columns of the record after it (of one that was
    removed: before), `before` and `after` those that changed, `after` of an action what was entered for it."""

    id: str
    kind: str
    act: str  # create, change, remove, or an action's name
    key: str  # of the record
    name: str
    at: str
    actor: By = By()
    record: dict[str, Any] = {}
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}


class Listener(Protocol):
    """Somebody who hears events of the kinds that it wants. `hear` may be called again with events that it has heard."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Those of these kinds of which it wants to hear; asked inside the act's transaction, and before it hears."""
        ...

    def hear(self, events: Sequence[Event]) -> str:
        """What it did with them, in words. Raises a WatchkeeperError or OSError to be asked again."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """Of a kind that analysis writes: what it does, and its last events, newest first, at most so many."""

    acts: tuple[str, ...]
    past: Callable[[int], Iterable[Event]]


listeners: list[Listener] = []
written: dict[str, Written] = {}  # by the path of the kind


def wanted(kinds: Collection[str]) -> set[str]:
    """Those of these kinds of which anybody wants to hear, also as a part of a wider kind."""
    left, others = {kind: set(kinds_of(kind)) for kind in kinds}, iter(listeners)
    while left and (listener := next(others, None)):
        heard = set(listener.wants(set().union(*left.values())))
        left = {kind: names for kind, names in left.items() if not names & heard}
    return set(kinds) - left.keys()


@lru_cache(maxsize=256)
def kinds_of(path: str) -> tuple[str, ...]:
    """This kind, and those that have its records as well: a device is an item."""
    model = registry[path].model
    return (path, *(r.path for r in registry if r.path != path and issubclass(model, r.model)))


def tell(events: Iterable[Event]) -> None:
    """Write events to the outbox, in the caller's transaction; one that is there already is there once."""
    listed = list(events)
    for start in range(0, len(listed), _TOGETHER):
        part = listed[start : start + _TOGETHER]
        ids = "\n".join(e.id for e in part)
        name = ids if len(part) == 1 else f"events:{hashlib.sha256(ids.encode()).hexdigest()[:40]}"
        payload = {"events": msgspec.to_builtins(part)}
        outbox.add([outbox.Effect(name, KIND, f"{part[0].kind}/{part[0].key}"[:200], payload)])


def event_of(entry: AuditEntry, kind: str, record: dict[str, Any]) -> Event:
    """An entry of the audit trail as an event."""
    return Event(
        id=f"event:{entry.pk}", kind=kind, act=entry.act.rpartition(".")[2], key=entry.record, name=entry.name,
        at=text(entry.at), actor=By(entry.actor_kind, entry.actor, entry.actor_id, entry.request_id), record=record,
        before=entry.before or {}, after=entry.after or {},
    )  # fmt: skip


def text(at: dt.datetime) -> str:
    """A time as events have it.

    >>> text(dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC))
    '2026-01-02T03:04:05Z'
    """
    return str(msgspec.to_builtins(at))


def of_row(row: OutboxRow) -> list[Event]:
    """The events that a row of the outbox tells of."""
    return msgspec.convert(row.payload["events"], list[Event])


@outbox.handler(KIND, lane="events")  # pages, for one, begin with them
def hear(row: OutboxRow) -> str:
    """Let everybody hear those events of this row that they want."""
    events = of_row(row)
    kinds = {event.kind: set(kinds_of(event.kind)) for event in events}
    said = []
    for listener in listeners:
        heard = set(listener.wants(set().union(*kinds.values())))
        if theirs := [event for event in events if kinds[event.kind] & heard]:
            said.append(listener.hear(theirs))
    return "; ".join(filter(None, said)) or "nobody was told"
