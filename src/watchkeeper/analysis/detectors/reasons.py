"""Why a point has its score, in an operator's words: which statistic spoke, and the numbers it spoke of."""

from __future__ import annotations

from typing import Any

from watchkeeper.model.reason import Reason, ReasonKind

FAR, SHIFTED, UNREST, FARTHER, JUMP, LONG, HIGH = range(7)
"""The statistics of the bank that are judged together; the tails of all but the last are learned."""
STATISTICS = 7

_SAID = {
    FAR: "it is rarely so far from its level of the last hours",
    FARTHER: "it is rarely so far from its level of the last day",
    SHIFTED: "its last 6 values together lie to one side as they rarely do",
    LONG: "its last 24 values together lie to one side as they rarely do",
    UNREST: "it varies more than it usually does",
    JUMP: "it rarely changes so much at once",
    HIGH: "it has not been so {side} before",
}
_ALIKE = {FARTHER: FAR, LONG: SHIFTED}  # of two that say nearly the same, the louder speaks
LOUD = 2.0  # a statistic speaks from one chance in a hundred


def because(s: Any) -> tuple[Reason, ...]:
    """The reason for the score of the last point of a series, from its record in the bank."""
    low, high = s["expected"] - 2.5 * s["spread"], s["expected"] + 2.5 * s["spread"]
    text = (
        f"The value is {s['value']:.6g}; usual at this time is {low:.6g} to {high:.6g}, "
        f"and a deviation like this is {s['ratio']:.2g} times the usual largest of some hours."
    )
    if said := _said(s):
        text += f" {' and '.join(said).capitalize()}."
    data = {name: float(s[name]) for name in ("value", "expected", "spread", "ratio", "surprise")}
    return (Reason(ReasonKind.LEVEL, text, 1.0, data),)


def _said(s: Any) -> list[str]:
    side = "high" if s["value"] > s["expected"] else "low"
    said: dict[int, str] = {}
    for k in sorted(_SAID, key=lambda k: -s["spoke"][k]):
        if s["spoke"][k] >= LOUD:
            said.setdefault(_ALIKE.get(k, k), _SAID[k].format(side=side))
    return list(said.values())[:2]
