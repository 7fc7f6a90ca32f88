"""What people, tokens and workflows do to alerts and situations; it goes through the journal like any signal,
so that a replay gives the same state."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class ActKind(StrEnum):
    """What was done; the comment names what `data` carries."""

    ACKNOWLEDGE = "acknowledge"  # situation or alert; until_ms (0: this firing)
    UNACKNOWLEDGE = "unacknowledge"
    RESOLVE = "resolve"  # situation; its alerts stay as their senders say
    ASSIGN = "assign"  # situation; assignee (user name, "" to clear)
    NOTE = "note"  # situation; text
    MERGE = "merge"  # situation; others: [situation ids] that go into it
    SPLIT = "split"  # situation; alerts: [fingerprints] that leave it for a new one
    UNDO = "undo"  # situation; act: id of the merge or split that is taken back
    SILENCE = (
        "silence"  # target: silence id; matchers [{name,value,isRegex,isEqual}], starts_ms, ends_ms, comment
    )
    UNSILENCE = "unsilence"  # target: silence id


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One act. `id` is chosen by whoever acts, and makes a repeated delivery harmless."""

    id: str
    kind: ActKind
    target: str
    actor: str
    time_ms: int
    data: dict[str, Any] = {}
