"""Who of a team gets the next ticket, and why. Pure; times are Unix milliseconds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

BY_HAND, IN_TURN, BY_LOAD = "by_hand", "in_turn", "by_load"
WAYS = (
    (BY_HAND, "by hand"),
    (IN_TURN, "in turn: whoever has waited longest for one"),
    (BY_LOAD, "by load: whoever has the fewest open tickets"),
)
_NAMED = 3  # of those who were passed over


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody of the team. `last_ms`: when they were last given one by this queue, 0 never. `absent`: in words why they
    cannot take one now, "" when they can."""

    name: str
    open: int = 0
    last_ms: int = 0
    skills: frozenset[str] = field(default_factory=frozenset)
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """`name` is "" where nobody can take it."""

    name: str
    because: str


def choose(way: str, candidates: Sequence[Candidate], asked: Collection[str] = ()) -> Choice:
    """Who gets it: of those who are present and have every skill that is asked for, in turn or by load; then by name.

    >>> team = [Candidate("ann", 3, 10, frozenset({"linux"})), Candidate("bob", 5, 0, frozenset({"linux"})), Candidate("cy")]
    >>> choose(BY_LOAD, team, ["linux"]).because
    "given to ann: 3 open tickets, fewest among those with skill 'linux'"
    >>> choose(IN_TURN, team).because
    'given to bob: has been given none by this queue yet'
    >>> choose(BY_LOAD, [Candidate("ann", absent="is away until Monday")]).because
    'given to nobody: ann is away until Monday'
    """
    skilled = [c for c in candidates if c.skills >= set(asked)]
    present = sorted((c for c in skilled if not c.absent), key=lambda c: c.name)
    if not present:
        return Choice("", f"given to nobody: {_nobody(candidates, skilled, asked)}")
    among = f" among those with {_skills(asked)}" if asked else ""
    if way == IN_TURN:
        chosen = min(present, key=lambda c: c.last_ms)
        why = "waited longest for one" if chosen.last_ms else "has been given none by this queue yet"
        return Choice(chosen.name, f"given to {chosen.name}: {why}{among}")
    chosen = min(present, key=lambda c: c.open)
    why = f"{chosen.open} open ticket{'' if chosen.open == 1 else 's'}"
    only = "the only one present" if len(present) == 1 and not asked else f"fewest{among or ' in the team'}"
    return Choice(chosen.name, f"given to {chosen.name}: {why}, {only}")


def _skills(asked: Collection[str]) -> str:
    words = " and ".join(f"'{s}'" for s in sorted(asked))
    return f"skill {words}" if len(asked) == 1 else f"skills {words}"


def _nobody(candidates: Sequence[Candidate], skilled: Sequence[Candidate], asked: Collection[str]) -> str:
    if not candidates:
        return "its queue has no team, or the team nobody who may work on tickets"
    if not skilled:
        return f"nobody in the team has {_skills(asked)}"
    told = "; ".join(f"{c.name} {c.absent}" for c in sorted(skilled, key=lambda c: c.name)[:_NAMED])
    more = len(skilled) - _NAMED
    return f"{told}; and {more} more cannot" if more > 0 else told
