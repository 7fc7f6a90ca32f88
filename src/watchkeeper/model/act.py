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
    # target: silence id; matchers [{name,value,isRegex,isEqual}] or items [ids] and reach or both, starts_ms, ends_ms,
    # comment
    SILENCE = "silence"
    UNSILENCE = "unsilence"  # target: silence id
    MAINTENANCE = "maintenance"  # target: window id; version and the whole of it, or version alone: no more
    # situation; causes: what metrics around its beginning say, as verdicts.Cause, best first. Nobody's act: what
    # analysis had read from telemetry comes back this way, so that a replay knows it too
    MEASURED = "measured"
    VERSIONS = "versions"  # target: a part of analysis (model.versions); decides, shade
    # alert; a person calls it usual: as model.judgements.Judgement, whose id is the act's, with text, item and name
    USUAL = "usual"
    UNUSUAL = "unusual"  # target: id of a judgement, which is taken back
    TEMPLATE = "template"  # target: id of a correction; correction: as model.log_corrections, none when it is no more
    # target: id of a grouping rule; rule: as model.correlation.GroupingRule, none when it is no more or off
    GROUPING = "grouping"
    CORRELATION = "correlation"  # parameters: as model.correlation.Parameters, none: the usual ones
    RULE = "rule"  # target: id of a threshold rule; rule: as model.thresholds.Rule, none when it is no more or off


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One act. `id` is chosen by whoever acts, and makes a repeated delivery harmless."""

    id: str
    kind: ActKind
    target: str
    actor: str
    time_ms: int
    data: dict[str, Any] = {}
