"""States of components and of a page, and uptime. Pure; times are Unix milliseconds and passed in.

Uptime counts as Atlassian's Statuspage documents it ("Display historical uptime of components"): a major outage counts
whole, a partial one three tenths, degraded performance not at all; here, time in planned maintenance is left out of both
sides of the fraction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

OPERATIONAL, DEGRADED, PARTIAL, OUTAGE = "operational", "degraded", "partial_outage", "major_outage"
COMPONENT_STATES = {
    OPERATIONAL: "operational",
    DEGRADED: "degraded performance",
    PARTIAL: "partial outage",
    OUTAGE: "major outage",
}
WEIGHTS = {OPERATIONAL: 0.0, DEGRADED: 0.0, PARTIAL: 0.3, OUTAGE: 1.0}
INVESTIGATING, IDENTIFIED, MONITORING, RESOLVED = "investigating", "identified", "monitoring", "resolved"
STATES = {
    INVESTIGATING: "investigating",
    IDENTIFIED: "identified",
    MONITORING: "monitoring",
    RESOLVED: "resolved",
}
#: state of a service's health → that of a component that follows it; unknown changes nothing
OF_HEALTH = {
    "normal": OPERATIONAL,
    "low": OPERATIONAL,
    "medium": DEGRADED,
    "high": PARTIAL,
    "critical": OUTAGE,
}


class Spell(NamedTuple):
    """A time in one state; `ends_ms` None: it goes on."""

    state: str
    begins_ms: int
    ends_ms: int | None


Span = tuple[int, int]


def worst(states: Iterable[str]) -> str:
    """The worst of some states of components; operational when there are none.

    >>> worst(["operational", "partial_outage", "degraded"]), worst([])
    ('partial_outage', 'operational')
    """
    order = list(COMPONENT_STATES)
    return max(states, key=order.index, default=OPERATIONAL)


def uptime(spells: Iterable[Spell], planned: Sequence[Span], from_ms: int, until_ms: int) -> float | None:
    """The share of a time in which something was up, 0 to 1; None when all of it was planned maintenance, or none of it has
    come. Spells do not overlap; planned times may.

    >>> hour = 3_600_000
    >>> uptime([Spell("major_outage", 0, hour)], [], 0, 10 * hour)
    0.9
    >>> uptime([Spell("major_outage", 0, hour), Spell("partial_outage", hour, None)], [(0, hour)], 0, 11 * hour)
    0.7
    """
    out = merged(planned, from_ms, until_ms)
    whole = until_ms - from_ms - sum(e - b for b, e in out)
    if whole <= 0:
        return None
    lost = 0.0
    for spell in spells:
        begins = max(spell.begins_ms, from_ms)
        ends = until_ms if spell.ends_ms is None else min(spell.ends_ms, until_ms)
        if ends > begins and WEIGHTS[spell.state]:
            left_out = sum(max(0, min(e, ends) - max(b, begins)) for b, e in out)
            lost += WEIGHTS[spell.state] * (ends - begins - left_out)
    return 1.0 - lost / whole


def merged(spans: Iterable[Span], from_ms: int, until_ms: int) -> list[Span]:
    """These times within from and until, in order, overlapping ones as one.

    >>> merged([(5, 8), (0, 3), (2, 4)], 1, 7)
    [(1, 4), (5, 7)]
    """
    out: list[Span] = []
    for begins, ends in sorted((max(b, from_ms), min(e, until_ms)) for b, e in spans):
        if ends <= begins:
            continue
        if out and begins <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], ends))
        else:
            out.append((begins, ends))
    return out


def percent(share: float | None) -> str:
    """An uptime for people: never rounded up to what it was not.

    >>> percent(1.0), percent(0.99999), percent(0.5), percent(None)
    ('100 %', '99.99 %', '50.00 %', 'no data')
    """
    if share is None:
        return "no data"
    return "100 %" if share >= 1.0 else f"{int(share * 10_000) / 100:.2f} %"
