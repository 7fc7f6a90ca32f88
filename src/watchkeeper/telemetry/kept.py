"""Which tables people choose a retention for, and which days can be. Pure, and light enough for every command."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry.queries.tiers import TIERS

DAY_MS = 86_400_000
MOST = 36_500  # days


class Kept(NamedTuple):
    """What a table holds, in the operator's words, and the column that says how old a row is."""

    label: str
    column: str


#: the tables that people choose a retention for
TABLES: Mapping[str, Kept] = {
    "samples": Kept("Metrics as they came", "time"),
    "samples_5m": Kept("Metrics by 5 minutes", "time"),
    "samples_1h": Kept("Metrics by the hour", "time"),
    "logs": Kept("Log lines", "time"),
    "spans": Kept("Traces", "start"),
    "events": Kept("Events", "received"),
    "findings": Kept("What analysis concluded", "time"),
    "dead_letters": Kept("What could not be understood", "time"),
}


class RetentionRefused(WatchkeeperError):
    """These days cannot be; `more` names the field."""

    status = 400
    reason = "invalid"

    def __init__(self, table: str, detail: str) -> None:
        super().__init__(f"{table}: {detail}")
        self.more = {"errors": {table: [detail]}}


def checked(now: Mapping[str, int], changes: Mapping[str, int]) -> Mapping[str, int]:
    """The changes, when they can be: whole days, and what is coarser kept as long as what is finer. Raises
    RetentionRefused.

    >>> checked({"samples": 30, "samples_5m": 180, "samples_1h": 0}, {"samples": 7})
    {'samples': 7}
    """
    for table, kept in changes.items():
        if table not in TABLES:
            raise RetentionRefused(table, f"no retention is chosen for this; there are: {', '.join(TABLES)}")
        if not 0 <= kept <= MOST:
            raise RetentionRefused(table, f"write days from 1 to {MOST}, or 0 for ever")
    wanted = {**now, **changes}
    for finer, coarser in pairwise(TIERS):
        if sooner(wanted[coarser.table], wanted[finer.table]):
            here, there = (coarser, finer) if coarser.table in changes else (finer, coarser)
            raise RetentionRefused(
                here.table,
                f"{said(wanted[here.table])} here and {said(wanted[there.table])} for {TABLES[there.table].label}: what is"
                " coarser has to be kept at least as long as what is finer",
            )
    return changes


def sooner(days: int, than: int) -> bool:
    """Whether these days are fewer; 0 are all there will ever be."""
    return days > 0 and (than == 0 or days < than)


def said(days: int) -> str:
    """As people say it."""
    return f"{days:,} days" if days else "for ever"
