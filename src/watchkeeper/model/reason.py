"""Why a verdict was reached: one typed reason, made from the same data as the verdict."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class ReasonKind(StrEnum):
    """What sort of evidence a reason rests on."""

    LEVEL = "level"  # a value left its normal range
    SILENCE = "silence"  # a series, host or source stopped sending
    NEW_TEMPLATE = "new_template"  # a log message of a shape not seen before
    RATE = "rate"  # a log template or an event arrives unusually often or rarely
    STUCK = "stuck"  # a value that always changed does not any more
    DRIFT = "drift"  # a value moves one way, slowly and steadily, as it did not before
    TALK = "talk"  # somebody asked whom it had never asked before
    RULE = "rule"  # a rule outside or inside says so (an alert that was sent to us)
    TIME = "time"  # began within the same minutes
    GRAPH = "graph"  # near each other in the graph
    LABELS = "labels"  # carry the same labels
    TEXT = "text"  # say the same thing
    HISTORY = "history"  # have arrived together before
    MAINTENANCE = "maintenance"  # was held back until a maintenance window ended
    PERSON = "person"  # a person said so (merge, split)
    ONSET = "onset"  # began before the others
    DIRECTION = "direction"  # what suffers depends on it
    COVERAGE = "coverage"  # explains this many of the alerts
    SEVERITY = "severity"  # its own alerts are the strongest
    CENTRALITY = "centrality"  # many of the affected items meet here
    CHANGE = "change"  # was changed shortly before


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """One piece of evidence.

    `text` is a whole sentence in plain words that names items by their names; `weight` is this reason's
    share of the verdict (0 to 1, comparable only within one verdict); `data` holds the numbers and
    ids that the sentence was made from.
    """

    kind: ReasonKind
    text: str
    weight: float = 0.0
    data: dict[str, Any] = {}
