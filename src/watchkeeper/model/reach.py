"""How far beyond the named items a silence or a maintenance window goes."""

from __future__ import annotations

from enum import StrEnum


class Reach(StrEnum):
    """How far; see REACHES for what people are told."""

    ITEMS = "items"  # these alone
    CARRIED = "carried"  # and what runs on them, is contained in them or part of them, and so on down
    DEPENDENT = "dependent"  # and whatever depends on any of that


#: value and words, for people to choose from
REACHES = [
    (Reach.ITEMS.value, "these items alone"),
    (Reach.CARRIED.value, "and what runs on them or is part of them"),
    (Reach.DEPENDENT.value, "and whatever depends on any of that"),
]
