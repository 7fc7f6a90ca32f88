"""Ranking of causes from alerts: own evidence that is unusual for the item, what the item explains of the
rest by the direction of dependency, what stands below everything else, when it began, and recent changes.

"Most alerts" and "earliest alert" are the baselines; both do worse on recorded faults
(benchmarks/correlate.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchkeeper.analysis.causes.clue import NO_CHANGES, Change, Changes, Clue
from watchkeeper.analysis.causes.impact import Impact
from watchkeeper.analysis.causes.surprise import Surprise
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.topology import Topology
from watchkeeper.model.verdicts import Cause

WEIGHT = (0.5, 1.0, 1.2, 1.5)  # of a clue by severity
PARTS = 0.7  # how far the evidence of parts counts for their whole
ALIKE = 0.5  # parts with this share of the strongest part's evidence are struck alike
BOTTOM = 3.0  # nothing else can explain what happens at the bottom of the dependencies
ONSET_MS = 60_000
EXPLAINS = 3.0  # weight of what is explained against own evidence …
CONTRAST = 3  # … where trouble keeps to those that need the candidate, and hardly where it is everywhere
CHANGED = 2.0  # a change shortly before
CHANGED_MS = 3_600_000
SHOWN = 5
ENOUGH = 1.5  # three that need it say as much as thirty do
BESIDE = 0.8  # how far trouble beside what the candidate reaches speaks against it
WITHIN = 0.2  # power of the share in trouble of what it reaches
UNSEEN = 20  # items that are well and that nobody has told us of
SURROUNDINGS = 5  # items behind a candidate whose reach is its neighbourhood
EXAMINED = 20  # candidates whose reach is compared with their surroundings
ITEMS = 2000  # items of a situation that are looked at


@dataclass(slots=True)
class Candidate:
    """A possible cause and the parts of its score, in nats before the factors."""

    item: str
    own: float = 0.0
    parts: float = 0.0
    struck: tuple[int, int] = (0, 0)  # parts with strong evidence, all parts
    onset: float = 0.0
    explained: float = 0.0
    reached: list[str] = field(default_factory=list)
    lift: float = 0.0
    bottom: bool = False
    change: Change | None = None

    @property
    def score(self) -> float:
        """All evidence together."""
        score = (self.own + self.parts) * (1.0 + self.onset) * (BOTTOM if self.bottom else 1.0)
        score += EXPLAINS * self.explained * self.lift
        return score * (CHANGED if self.change else 1.0)


class Ranking:
    """Cause finder for situations made of alerts."""

    version = "ranking-1"

    def __init__(self) -> None:
        self.surprise = Surprise()
        self.impact = Impact()

    def rank(self, clues: Sequence[Clue], topology: Topology, changes: Changes = NO_CHANGES) -> list[Cause]:
        """At most five candidates, best first."""
        self.impact.follow(topology)
        firsts = _firsts(clues)
        if not firsts:
            return []
        items = {item for item, _ in firsts}
        if len(items) == 1 and not changes.keys() & items and self.impact.alone(*items):
            return self._itself(items.pop(), firsts, topology)
        strength = self._strength(firsts, topology)
        found = self._candidates(strength)
        begin = min(c.time_ms for c in firsts.values())
        self._time(found, firsts, begin)
        self._coverage(found, strength, len(topology.items))
        self._changes(found, changes, begin, max(c.time_ms for c in firsts.values()))
        best = sorted(found.values(), key=lambda c: (-c.score, c.item))[:SHOWN]
        best = [c for c in best if c.score > 0]
        whole = sum(c.score for c in best)
        return [
            Cause(c.item, round(c.score / whole, 4), self._say(c, firsts, strength, topology),
                  c.change.id if c.change else "")
            for c in best
        ]  # fmt: skip

    def learn(self, clues: Sequence[Clue], topology: Topology) -> None:
        """A situation is over: what was in it is a little less surprising from now on."""
        self.surprise.learn(((c.item, c.name) for c in clues if c.item), topology)

    def _strength(self, firsts: Mapping[tuple[str, str], Clue], topology: Topology) -> dict[str, float]:
        strength: dict[str, float] = {}
        for (item, name), clue in firsts.items():
            nats = self.surprise.of(item, name, topology) * WEIGHT[clue.rank]
            strength[item] = strength.get(item, 0.0) + nats
        if len(strength) > ITEMS:
            strongest = sorted(strength, key=lambda i: (-strength[i], i))[:ITEMS]
            strength = {i: strength[i] for i in strongest}
        return strength

    def _candidates(self, strength: Mapping[str, float]) -> dict[str, Candidate]:
        """Items with alerts, and items behind them that have none."""
        found: dict[str, Candidate] = {}
        for item, nats in strength.items():
            for x, force in self.impact.behind(item).items():
                c = found.get(x)
                if c is None:
                    c = found[x] = Candidate(x)
                if x != item:
                    c.explained += nats * force
                    c.reached.append(item)
            found[item].own = nats
        for item, c in found.items():
            parts = self.impact.parts(item)
            values = [strength.get(p, 0.0) for p in parts]
            most = max(values, default=0.0)
            if most > 0:
                struck = sum(v >= ALIKE * most for v in values)
                c.struck = (struck, len(parts))
                c.parts = PARTS * sum(values) * struck / len(parts)
            c.bottom = c.own > 0 and not parts and self.impact.bottom(item)
        return found

    def _time(
        self, found: Mapping[str, Candidate], firsts: Mapping[tuple[str, str], Clue], begin: int
    ) -> None:
        for (item, _), clue in firsts.items():
            c = found.get(item)
            if c is not None:
                c.onset = max(c.onset, math.exp(-(clue.time_ms - begin) / ONSET_MS))

    def _coverage(self, found: Mapping[str, Candidate], strength: Mapping[str, float], size: int) -> None:
        """Explaining counts as far as trouble is more frequent among those that need the candidate than in
        the neighbourhood at large: where everything is in trouble, needing it says nothing."""
        everywhere = len(strength) / (max(len(strength), size) + UNSEEN)
        examined = sorted(found.values(), key=lambda c: (-c.explained, c.item))[:EXAMINED]
        for c in examined:
            reached = self.impact.reached(c.item)
            if len(reached) < 2 or not c.explained:
                continue
            within = len(c.reached) / (len(reached) - 1)
            beside = max(everywhere, self._beside(c.item, strength) if len(strength) > 1 else 0.0)
            c.lift = max(0.0, 1.0 - BESIDE * beside / within) ** CONTRAST * min(1.0, within) ** WITHIN
            force = sum(reached.get(x, 0.0) for x in c.reached)
            c.explained *= min(ENOUGH, math.log2(1.0 + force)) / max(force, 1e-9)

    def _beside(self, item: str, strength: Mapping[str, float]) -> float:
        """The share in trouble of what is near the item but not reached by it; 0 where there is nothing."""
        reached, outside = self.impact.reached(item), set()
        for x in list(self.impact.behind(item))[:SURROUNDINGS]:
            outside.update(self.impact.reached(x).keys() - reached.keys())
        return sum(x in strength for x in outside) / len(outside) if outside else 0.0

    def _changes(self, found: Mapping[str, Candidate], changes: Changes, begin: int, end: int) -> None:
        for item in found.keys() & changes.keys():
            near = [c for c in changes[item] if begin - CHANGED_MS <= c.time_ms <= end]
            found[item].change = max(near, key=lambda c: (c.time_ms, c.id), default=None)

    def suffering(self, cause: str, among: Iterable[str], topology: Topology) -> list[str]:
        """Those of these items that trouble with the cause can reach, its own parts excluded."""
        self.impact.follow(topology)
        reached, parts = self.impact.reached(cause), self.impact.parts(cause)
        return [x for x in among if x != cause and x in reached and x not in parts]

    def _itself(self, item: str, firsts: Mapping[tuple[str, str], Clue], topology: Topology) -> list[Cause]:
        """Alerts of one item to which nothing is related: there is nothing to weigh."""
        text = f"{topology.name(item)} itself has {_listed(sorted(n for _, n in firsts))}; nothing else is near it."
        return [Cause(item, 1.0, (Reason(ReasonKind.SEVERITY, text, 1.0),))]

    def _say(
        self,
        c: Candidate,
        firsts: Mapping[tuple[str, str], Clue],
        strength: Mapping[str, float],
        topology: Topology,
    ) -> tuple[Reason, ...]:
        name = topology.name(c.item)
        said: list[tuple[ReasonKind, float, str]] = []
        own = sorted(n for i, n in firsts if i == c.item)
        if own:
            said.append((ReasonKind.SEVERITY, c.own, f"{name} itself has {_listed(own)}."))
        if c.parts:
            text = f"{c.struck[0]} of the {c.struck[1]} parts of {name} are struck alike."
            said.append((ReasonKind.COVERAGE, c.parts, text))
        if not own and not c.parts:
            text = f"{name} has no alert of its own: it is inferred from what needs it."
            said.append((ReasonKind.COVERAGE, 0.0, text))
        if c.explained and c.lift:
            reached = sorted(c.reached, key=lambda i: (-strength[i], i))
            verb = "needs" if len(reached) == 1 else "need"
            shown = _listed([topology.name(i) for i in reached])
            said.append((ReasonKind.DIRECTION, c.explained * c.lift, f"{shown} {verb} {name}."))
        if c.bottom:
            text = f"{name} needs nothing else that could explain it."
            said.append((ReasonKind.DIRECTION, (BOTTOM - 1.0) * (c.own + c.parts), text))
        if c.onset > 0.5:
            said.append(
                (ReasonKind.ONSET, c.onset * (c.own + c.parts), f"{name} was among the first in trouble.")
            )
        if c.change:
            said.append(
                (ReasonKind.CHANGE, c.score / 2, f"{name} was changed {_before(c, firsts)}: {c.change.name}.")
            )
        said.append((ReasonKind.COVERAGE, 0.0, self._explains(c, strength, topology)))
        said.sort(key=lambda s: -s[1])
        whole = sum(s[1] for s in said) or 1.0
        return tuple(Reason(kind, text, round(w / whole, 3)) for kind, w, text in said)

    def _explains(self, c: Candidate, strength: Mapping[str, float], topology: Topology) -> str:
        """How much of the trouble trouble with the candidate can reach, and what is left."""
        reached = {c.item, *self.impact.reached(c.item), *self.impact.parts(c.item)}
        left = sorted((i for i in strength if i not in reached), key=lambda i: (-strength[i], i))
        what = f"It explains {len(strength) - len(left)} of the {len(strength)} items in trouble"
        return f"{what}, and not {_listed([topology.name(i) for i in left])}." if left else f"{what}."

    def snapshot(self) -> Any:
        """What was learned."""
        return {"version": self.version, "surprise": self.surprise.snapshot()}

    def restore(self, state: Any) -> None:
        """Take back what was learned by this version."""
        if isinstance(state, dict) and state.get("version") == self.version:
            self.surprise.restore(state["surprise"])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _before(c: Candidate, firsts: Mapping[tuple[str, str], Clue]) -> str:
    """How long before the trouble it was changed."""
    begin = min(clue.time_ms for clue in firsts.values())
    minutes = (begin - c.change.time_ms) // 60_000 if c.change else 0
    return f"{minutes} minute{'' if minutes == 1 else 's'} before" if minutes > 0 else "shortly before"


def _firsts(clues: Sequence[Clue]) -> dict[tuple[str, str], Clue]:
    """The first clue of each item and name, with the worst severity."""
    firsts: dict[tuple[str, str], Clue] = {}
    for clue in clues:
        if not clue.item:
            continue
        known = firsts.get((clue.item, clue.name))
        if known is None or clue.time_ms < known.time_ms:
            rank = max(clue.rank, known.rank) if known else clue.rank
            firsts[clue.item, clue.name] = clue._replace(rank=rank)
        elif clue.rank > known.rank:
            firsts[clue.item, clue.name] = known._replace(rank=clue.rank)
    return firsts
