"""Priorities, states and what they mean. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from watchkeeper.model.verdicts import Severity

NEW, WORKED_ON, ASKED, WITH_PARTNER = "new", "in_progress", "waiting_for_requester", "waiting_for_partner"
RESOLVED, CLOSED, CANCELLED = "resolved", "closed", "cancelled"
OPEN = (NEW, WORKED_ON, ASKED, WITH_PARTNER)
OVER = (CLOSED, CANCELLED)
STATES = {
    NEW: "new",
    WORKED_ON: "in progress",
    ASKED: "waiting for the requester",
    WITH_PARTNER: "waiting for a partner",
    RESOLVED: "resolved",
    CLOSED: "closed",
    CANCELLED: "cancelled",
}
#: what an agreement says of pauses → the states in which its clock stands; resolved, it always does
STANDS = {
    "never": (RESOLVED,),
    "requester": (RESOLVED, ASKED),
    "anybody": (RESOLVED, ASKED, WITH_PARTNER),
}
LEVELS = ((1, "high"), (2, "medium"), (3, "low"))


def priority(impact: int, urgency: int) -> int:
    """1 to 5 from impact and urgency, 1 (high) to 3 (low) each: ITIL's matrix.

    >>> priority(1, 1), priority(1, 3), priority(2, 2), priority(3, 3)
    (1, 3, 3, 5)
    """
    return impact + urgency - 1


def impact_of(severity: Severity) -> int:
    """The impact of what has this severity, as long as nobody has said more.

    >>> impact_of(Severity.CRITICAL), impact_of(Severity.ERROR), impact_of(Severity.WARNING)
    (1, 2, 3)
    """
    return 1 if severity.rank >= Severity.CRITICAL.rank else 2 if severity.rank >= Severity.ERROR.rank else 3


def says_all(words: str, text: str) -> bool:
    """Whether a text holds all of these words, however they are written.

    >>> says_all("redis Down", "Redis is down on db1"), says_all("", "anything")
    (True, True)
    """
    lower = text.lower()
    return all(word in lower for word in words.lower().split())


def standing(waits: Iterable[tuple[str, int, int | None]], pauses: str) -> tuple[tuple[int, int | None], ...]:
    """Of what a ticket has waited for (state, from, until), the times in which the clock of an agreement with these
    pauses stands."""
    states = STANDS[pauses]
    return tuple(
        (begins, ends) for state, begins, ends in sorted(waits, key=lambda w: w[1]) if state in states
    )
