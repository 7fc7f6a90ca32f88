"""Tells analysis, through the journal, that a change has begun or ended, and its owner what they have to know."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

import msgspec
import pyarrow as pa

from watchkeeper.domains import inbox
from watchkeeper.domains.changes.models import Change
from watchkeeper.domains.inventory.models import Item
from watchkeeper.kernel import outbox
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.model.doors import CHANGES, ITEM
from watchkeeper.model.signals import Stream, batch

KIND = "change-event"
_ITEMS = 200
_EVENT = re.compile(r"change:(\d+):[a-z_]+:")


def event(change: Change, said: str, at: dt.datetime, items: Sequence[Item]) -> None:
    """After the caller's transaction: each of these items was changed."""
    payload = {
        "change": change.pk, "name": f"change {change} {said}"[:300], "ms": milliseconds(at), "status": change.status,
        "items": [str(i.pk) for i in items[:_ITEMS]],
    }  # fmt: skip
    outbox.add([outbox.Effect(f"{KIND}:{change.pk}:{change.status}", KIND, str(change)[:200], payload)])


def rows(payload: dict[str, object], url: str) -> pa.RecordBatch:
    """A change event an item, as the journal takes them."""
    told = msgspec.convert(payload, _Told)
    return batch(
        Stream.EVENTS,
        [
            {
                "id": f"change:{told.change}:{told.status}:{item}", "kind": "change", "status": "", "name": told.name,
                "severity": "info", "summary": told.name, "starts_ms": told.ms, "ends_ms": told.ms,
                "received_ms": told.ms, "labels": msgspec.json.encode({ITEM: item}).decode(), "annotations": "{}",
                "url": url, "door": CHANGES,
            }
            for item in told.items
        ],
    )  # fmt: skip


def changed_by(event: str) -> str:
    """The key of the change that this event told of; "" for one of another sort.

    >>> changed_by("change:7:in_progress:db1"), changed_by("0af3")
    ('7', '')
    """
    found = _EVENT.match(event)
    return found[1] if found else ""


class _Told(msgspec.Struct):
    change: int
    name: str
    ms: int
    status: str
    items: list[str]


def owner(change: Change, what: str, text: str) -> None:
    """Its owner, once for this."""
    if change.owner is not None:
        inbox.note([change.owner], f"change:{change.pk}:{what}", text, "You own this change.",
                   about=("changes", str(change.pk)))  # fmt: skip
