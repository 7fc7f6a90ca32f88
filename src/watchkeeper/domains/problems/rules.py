"""States of problems, of what may have caused them, and how situations are found to be alike. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

NEW, INVESTIGATING, KNOWN, RESOLVED, CLOSED = "new", "investigating", "known_error", "resolved", "closed"
STATES = {
    NEW: "new",
    INVESTIGATING: "investigating",
    KNOWN: "known error",
    RESOLVED: "resolved",
    CLOSED: "closed",
}
OPEN = (NEW, INVESTIGATING, KNOWN)
SUSPECTED, CONFIRMED, RULED_OUT = "suspected", "confirmed", "ruled_out"
VERDICTS = {SUSPECTED: "suspected", CONFIRMED: "confirmed", RULED_OUT: "ruled out"}
PRIORITIES = ((1, "1, highest"), (2, "2"), (3, "3"), (4, "4"), (5, "5, lowest"))

ALIKE = 0.5  # from which on two situations are alike
LEAST = 3  # situations that make a recurrence
MOST = 2000  # situations that are compared
_TRIED = 60  # groups that one situation is compared with
_WEIGHTS = {"items": 0.45, "alerts": 0.35, "words": 0.2}
_WORD = re.compile(r"[^\W\d_]{3,}")
_SAYING_NOTHING = frozenset(
    [
        "and",
        "are",
        "for",
        "from",
        "has",
        "have",
        "more",
        "not",
        "the",
        "was",
        "were",
        "with",
        "alert",
        "alerts",
        "situation",
    ]
)


@dataclass(frozen=True)
class Features:
    """What a situation is compared by: the items that it is about, the names of its alerts, the words of its title."""

    key: str
    title: str
    items: frozenset[str] = frozenset()
    alerts: frozenset[str] = frozenset()

    @property
    def words(self) -> frozenset[str]:
        """Words of the title that may say something; numbers and what stands for them are left out."""
        return frozenset(_WORD.findall(self.title.lower())) - _SAYING_NOTHING


@dataclass
class Recurrence:
    """Situations that are alike, the first of them first, and why in sentences; `likeness` from 0 to 1."""

    first: Features
    members: list[Features] = field(default_factory=list)
    likeness: float = 1.0
    because: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        """The situations' keys."""
        return [m.key for m in self.members]


def likeness(a: Features, b: Features) -> float:
    """From 0 to 1: how much of their items, alert names and words two situations share. What neither has does not count;
    situations about different items are not alike, whatever they are called.

    >>> disk = Features("1", "Disk full on db1", frozenset({"db1"}), frozenset({"DiskFull"}))
    >>> likeness(disk, disk), likeness(disk, Features("2", "Disk full on db2", frozenset({"db2"}), frozenset({"DiskFull"})))
    (1.0, 0.0)
    """
    if a.items and b.items and not a.items & b.items:
        return 0.0
    pairs = {"items": (a.items, b.items), "alerts": (a.alerts, b.alerts), "words": (a.words, b.words)}
    there = {name: pair for name, pair in pairs.items() if pair[0] or pair[1]}
    whole = sum(_WEIGHTS[name] for name in there)
    if not whole:
        return 0.0
    return sum(_WEIGHTS[name] * len(x & y) / len(x | y) for name, (x, y) in there.items()) / whole


def recurrences(situations: Sequence[Features]) -> list[Recurrence]:
    """Groups of at least LEAST situations that are each like the first of their group, the largest group first. The
    oldest come first; of more than MOST, only the last so many are compared."""
    groups: list[Recurrence] = []
    by_sign: dict[str, list[int]] = defaultdict(list)
    for one in situations[-MOST:]:
        signs = [*(f"i{i}" for i in one.items), *(f"a{a}" for a in one.alerts)]
        near = Counter(n for sign in signs for n in by_sign[sign][-_TRIED:]).most_common(_TRIED)
        best = max(((likeness(groups[n].first, one), -n) for n, _ in near), default=(0.0, 0))
        if best[0] >= ALIKE:
            group = groups[-best[1]]
            group.likeness = min(group.likeness, best[0])
            group.members.append(one)
            continue
        groups.append(Recurrence(one, [one]))
        for sign in signs:
            by_sign[sign].append(len(groups) - 1)
    found = [g for g in groups if len(g.members) >= LEAST]
    for group in found:
        group.because = tuple(_because(group.members))
    return sorted(found, key=lambda g: (-len(g.members), g.first.key))


def _because(members: Sequence[Features]) -> Iterator[str]:
    """What most of them share, the commonest first."""
    for what, sets in (
        ("are about", [m.items for m in members]),
        ("have the alert", [m.alerts for m in members]),
    ):
        if said := _shared(sets):
            yield f"{_of(said[0][1], len(members))} {what} {', '.join(name for name, _ in said[:3])}"
    if said := _shared([m.words for m in members]):
        yield f"{_of(said[0][1], len(members))} say {', '.join(f'“{word}”' for word, _ in said[:3])}"


def _shared(sets: Iterable[Collection[str]]) -> list[tuple[str, int]]:
    listed = list(sets)
    counted = Counter(x for s in listed for x in s)
    often = [(x, n) for x, n in counted.items() if n * 2 > len(listed)]
    return sorted(often, key=lambda pair: (-pair[1], pair[0]))


def _of(some: int, every: int) -> str:
    return f"all {every}" if some == every else f"{some} of {every}"


def same_group(before: Collection[str], now: Collection[str]) -> bool:
    """Whether a group found now is one found before: most of the smaller of the two are in both.

    >>> same_group({"a", "b", "c"}, {"b", "c", "d", "e"}), same_group({"a", "b", "c"}, {"c", "d", "e"})
    (True, False)
    """
    return 2 * len(set(before) & set(now)) > min(len(before), len(now))
