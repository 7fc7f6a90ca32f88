"""Graph and time: an alert joins the group that is near it in the graph and still going on, and begins its
own otherwise. Alerts of one instant and one part of the graph are weighed as a batch; what is told anew, in
numbers and at once, is a second blow and begins a group of its own.

It is an online clustering with per-item indexes: the work for an arrival is bounded by its neighbourhood,
never by the number of alerts. The delivery order of alerts that begin within SETTLE_MS of each other does
not matter for who is grouped with whom (only for which number a group gets), up to `settle.MOST` placements.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, islice
from typing import Any

from watchkeeper.analysis.correlators.arrival import Arrival, Member
from watchkeeper.analysis.correlators.company import Company, on_beat
from watchkeeper.analysis.correlators.evidence import BATCH, Evidence, Weighing
from watchkeeper.analysis.correlators.group import INSTANTS, Group, Groups
from watchkeeper.analysis.correlators.history import WITH, History
from watchkeeper.analysis.correlators.near import Near
from watchkeeper.analysis.correlators.places import Places
from watchkeeper.analysis.correlators.rarity import Rarity
from watchkeeper.analysis.correlators.rounds import Rounds
from watchkeeper.analysis.correlators.settle import SETTLE_MS, Before, Joined, Parted, Settling
from watchkeeper.model.correlation import Parameters
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.topology import Topology
from watchkeeper.model.versions import FORGETFUL

BATCH_SIZE = 3  # alerts of one instant that make a batch
BLOW = 4  # things told anew …
BLOW_MS = 20_000  # … within this time are a second blow
MOST_LOOPS = 64  # with more groups of batches than this, a common beat says nothing
LATELY_MS, LAST = 60_000, 40  # what a group has lately told: within this, and of so many alerts at most
OF_ITEM = 0.5  # how far the share of this item in what a group has told counts
YOUNG_MS = 1000  # no group tells more for being younger than this
MOMENT_MS = 50  # one request calls the next within this
MOMENT = 2.0  # nats that this is worth
RIVAL = 0.5  # groups with this share of the best score are weighed against it


class GraphTime:
    """Correlator. `groups` is the state; what was learned about kinds of alert and items lies beside it."""

    version = "graph-time-2"

    def __init__(self) -> None:
        self.near = Near()
        self.groups = Groups(Places(self.near))
        self.history = History()
        self.company = Company()
        self.rarity = Rarity()
        self.rounds = Rounds()
        self._settling = Settling(self.groups)
        self._weighing = Weighing(self.groups, self.near, self.history, self.rarity)
        self._topology = Topology()
        self._newest = 0
        self._swept = 0

    # --- placing ------------------------------------------------------------------------------------
    def place(self, arrivals: Iterable[Arrival], topology: Topology) -> set[int]:
        """Put alerts into groups; return the numbers of the groups that changed."""
        self._topology = topology
        self.near.follow(topology)
        todo = [self._bare(a) for a in arrivals if a.id not in self.groups.of]
        if not todo:
            return set()
        touched: set[int] = set()
        todo += self._settling.take_back(min(a.time_ms for a in todo), touched)
        todo.sort(key=lambda a: (a.time_ms, a.id))
        for time_ms, instant in groupby(todo, key=lambda a: a.time_ms):
            self._newest = max(self._newest, time_ms)
            self._sweep()
            self._learn(self._settling.reach(time_ms))
            self._place_instant(list(instant), touched)
        return touched

    def _bare(self, arrival: Arrival) -> Arrival:
        """Labels speak only for what has no place in the graph."""
        return arrival._replace(labels=()) if arrival.labels and self.near.part(arrival.item) else arrival

    def _place_instant(self, arrivals: list[Arrival], touched: set[int]) -> None:
        """Those with a place in the graph first, in batches by part; then the others, who may join a batch."""
        parts = [self.near.part(a.item) for a in arrivals]
        batches: dict[int, int] = {}
        for part in parts:
            batches[part] = batches.get(part, 0) + 1
        landed: dict[int, Group] = {}  # groups in which large batches landed
        for a, part in zip(arrivals, parts, strict=True):
            if part:
                group = self._place(a, batches[part], None, touched)
                if batches[part] >= BATCH_SIZE:
                    landed[group.id] = group
        if 0 in batches:
            large = [n for part, n in batches.items() if part and n >= BATCH_SIZE]
            shared = next(iter(landed.values())) if len(landed) == len(large) == 1 else None
            for a, part in zip(arrivals, parts, strict=True):
                if not part:
                    company = 1 + large[0] if shared else 1
                    self._place(a, company, shared or self._only_loop(a), touched)

    def _only_loop(self, a: Arrival) -> Group | None:
        """The one group going on whose batches were stamped on the same beat, if there is just one."""
        if len(self.groups.batched) > MOST_LOOPS:
            return None
        recent = a.time_ms - self._weighing.parameters.pause_ms
        found = [
            g
            for g in self.groups.batched.values()
            if g.last_ms >= recent and on_beat(a.time_ms, g.instants[-INSTANTS:])
        ]
        return found[0] if len(found) == 1 else None

    def _place(self, a: Arrival, company: int, batch: Group | None, touched: set[int]) -> Group:
        near = self._weighing.near(a)
        if batch is not None and not batch.closed and not any(e.group is batch for e in near):
            near.append(Evidence(batch, BATCH, loop=True))
        lonely = company < 2 and self.company.loner(a.name)
        if near and lonely:
            near = [e for e in near if on_beat(a.time_ms, e.group.instants[-INSTANTS:])]
            if not near:
                return self._open(a, company, touched, apart=True)
        live = [e for e in near if not e.group.closed]
        if not live:
            return self._open(a, company, touched, follows=max((e.group.id for e in near), default=0))
        chosen, anew = self._choose(a, live)
        self._join(a, company, chosen, anew, touched)
        return self._second_blow(a.time_ms, live, touched) if anew else chosen.group

    def _choose(self, a: Arrival, near: list[Evidence]) -> tuple[Evidence, bool]:
        """The youngest of the strong groups that has not been told this yet; else the youngest, told
        anew."""
        if len(near) > 1:
            least = RIVAL * max(e.score for e in near)
            near = [e for e in near if e.score >= least]
            if self.company.habit(a.name):
                beat = [e for e in near if on_beat(a.time_ms, e.group.instants[-INSTANTS:])]
                near = [e for e in beat if not e.group.knows(a.what)] or near
        fresh = [e for e in near if not e.group.knows(a.what)]
        if len(fresh) > 1:
            return max(fresh, key=self._likely(a)), False
        return max(fresh or near, key=lambda e: (e.group.start_ms, e.group.id)), not fresh

    def _likely(self, a: Arrival) -> Callable[[Evidence], tuple[float, int, int]]:
        """How likely a group is to tell of this alert now, in nats: one that has lately told much, and much of this item;
        one in whose rounds it fits; and one that has told something just now, as when a request calls the next."""
        period = self.rounds.period(a.name)

        def nats(e: Evidence) -> tuple[float, int, int]:
            span = max(YOUNG_MS, min(LATELY_MS, a.time_ms - e.group.start_ms))
            last = islice(reversed(e.group.members.values()), LAST)
            told = sum(0 <= a.time_ms - m.arrival.time_ms <= span for m in last)
            found = math.log((told + 0.5) / span)
            here, all_ = e.group.items.get(a.item, 0), len(e.group.members)
            found += OF_ITEM * math.log((here + 1) / (all_ + LAST))
            if period:
                found += self.rounds.fit(a.name, a.time_ms, period, e.group)
            if 0 <= a.time_ms - e.group.last_ms <= MOMENT_MS:
                found += MOMENT
            return found, e.group.start_ms, e.group.id

        return nats

    def _join(self, a: Arrival, company: int, e: Evidence, anew: bool, touched: set[int]) -> None:
        group, last_ms = e.group, e.group.last_ms
        self.groups.put(group, Member(a, self._weighing.reasons(a, e, self._topology.name)))
        if anew:
            group.repeat(a)
        self._note(a, company, group, False, last_ms, anew, touched)

    def _open(
        self, a: Arrival, company: int, touched: set[int], *, apart: bool = False, follows: int = 0
    ) -> Group:
        group = self.groups.open(a.time_ms)
        group.apart, group.follows = apart, follows
        self.groups.put(group, Member(a, _ALONE if apart else _FIRST))
        self._note(a, company, group, True, a.time_ms, False, touched)
        return group

    def _note(
        self,
        a: Arrival,
        company: int,
        group: Group,
        opened: bool,
        last_ms: int,
        anew: bool,
        touched: set[int],
    ) -> None:
        instant = company >= BATCH_SIZE and group.instants[-1:] != [a.time_ms]
        if instant:
            group.batch(a.time_ms)
            self.groups.batched[group.id] = group
        touched.add(group.id)
        self._settling.note(Joined(a.time_ms, a, company, group, opened, last_ms, anew, instant))

    def _second_blow(self, time_ms: int, near: list[Evidence], touched: set[int]) -> Group:
        """When enough is told anew at once, everything since the first of it leaves for a new group."""
        youngest = max((e.group for e in near), key=lambda g: (g.start_ms, g.id))
        anew = [r for r in youngest.repeats[-BLOW * 8 :] if r[0] > time_ms - BLOW_MS]
        if len({what for _, what, _ in anew}) < BLOW or youngest.kept:
            return youngest
        since = anew[0][0]
        new = self.groups.open(since)
        moved: list[tuple[Group, Member]] = []
        before: list[Before] = []
        for group in sorted({e.group.id: e.group for e in near}.values(), key=lambda g: g.id):
            leaving = [m for m in group.members.values() if m.arrival.time_ms >= since]
            if group.kept or len(leaving) == len(group.members):
                continue
            before.append(Before(group, group.repeats, group.instants, group.last_ms))
            group.repeats = [r for r in group.repeats if r[0] < since]
            group.instants = [t for t in group.instants if t < since]
            for m in leaving:
                self.groups.take(m.arrival.id)
                self.groups.put(new, m)
                moved.append((group, m))
            group.last_ms = max((m.arrival.time_ms for m in group.members.values()), default=group.start_ms)
            touched.add(group.id)
        self.groups.batched[new.id] = new
        new.instants = sorted({t for b in before for t in b.instants if t >= since})
        touched.add(new.id)
        self._settling.note(Parted(time_ms, new, tuple(moved), tuple(before)))
        return new

    # --- learning and forgetting ----------------------------------------------------------------------
    def _learn(self, final: Sequence[Joined]) -> None:
        for done in final:
            a, group = done.arrival, done.group
            self.company.learn(a.name, done.company >= 2)
            self.rounds.learn(a.name, a.time_ms, group)
            if a.labels:
                self.rarity.learn(a.labels)
            if a.item and a.item not in group.anchors and a.item not in group.taught:
                part = self.near.part(a.item)
                strangers = [x for x in group.anchors if not part or self.near.part(x) != part]
                if strangers:  # of those in one part of the graph it is known anyway
                    self.history.learn(a.item, strangers, a.time_ms)
                group.anchor(a.item, WITH)
            if len(group.instants) > 8 * INSTANTS:
                del group.instants[: -4 * INSTANTS]
            if len(group.repeats) > 64 * BLOW:
                del group.repeats[: -32 * BLOW]

    def _sweep(self) -> None:
        """Once in a while, take groups out of the indexes that are too old to draw anything in."""
        pause_ms = self._weighing.parameters.pause_ms
        if self._newest - self._swept < pause_ms // 8:
            return
        self._swept = self._newest
        self.groups.cool(self._newest - pause_ms - SETTLE_MS)

    # --- what people and restarts do ------------------------------------------------------------------
    def group(self, number: int) -> Group | None:
        """A group by its number."""
        return self.groups.all.get(number)

    def where(self, alert: str) -> int:
        """The number of the group that an alert is in; 0 if in none."""
        return self.groups.of.get(alert, 0)

    def choose(self, parameters: Parameters) -> None:
        """Use these from now on; groups stay as they are."""
        self._weighing.parameters = parameters

    @property
    def parameters(self) -> Parameters:
        """Those in use."""
        return self._weighing.parameters

    def use(self, version: str) -> None:
        """Be this version of `model.versions.CORRELATION` from now on; groups stay as they are."""
        self._weighing.remembers = version != FORGETFUL

    def add(self, number: int, member: Member) -> bool:
        """Put an alert into this group for good, out of any other; False when the group is over."""
        group = self.groups.all.get(number)
        if group is None or group.closed:
            return False
        self._learn(self._settling.seal())
        if member.arrival.id in self.groups.of:
            self.groups.take(member.arrival.id)
        self.groups.put(group, member._replace(arrival=self._bare(member.arrival)))
        return True

    def adopt(
        self,
        members: Sequence[Member],
        topology: Topology,
        *,
        kept: bool,
        closed: bool = False,
        apart: bool = False,
    ) -> int:
        """Make a group of these, taken out of others; if `kept`, later arrivals take none of them away; if `apart`, it
        draws nothing in."""
        self._topology = topology
        self.near.follow(topology)
        self._learn(self._settling.seal())
        members = sorted(members, key=lambda m: (m.arrival.time_ms, m.arrival.id))
        group = self.groups.open(members[0].arrival.time_ms if members else self._newest)
        group.apart = apart
        for m in members:
            if m.arrival.id in self.groups.of:
                self.groups.take(m.arrival.id)
            self.groups.put(group, m._replace(arrival=self._bare(m.arrival)))
        for time_ms, batch in groupby(() if apart else members, key=lambda m: m.arrival.time_ms):
            if sum(1 for _ in batch) >= BATCH_SIZE:
                group.batch(time_ms)
                self.groups.batched[group.id] = group
        self._newest = max(self._newest, group.last_ms)
        group.kept, group.closed = kept, closed
        return group.id

    def close(self, number: int) -> None:
        """Nothing joins any more; what would have joined begins a group that follows this one."""
        group = self.groups.all.get(number)
        if group is not None and not group.closed:
            self._learn(self._settling.seal())
            group.closed = True

    def forget(self, number: int) -> None:
        """Drop a group and its members."""
        group = self.groups.all.get(number)
        if group is not None:
            self._learn(self._settling.seal())
            self.groups.drop(group)

    def stir(self, alert: str, time_ms: int) -> None:
        """An alert began again and stays in its group, which is therefore still going on."""
        group = self.groups.all.get(self.groups.of.get(alert, 0))
        if group is not None and not group.closed:
            self.groups.warm_up(group, time_ms)

    def release(self, alert: str) -> None:
        """Take an alert out of its group, so that it can be placed again."""
        if alert in self.groups.of:
            self._learn(self._settling.seal())
            self.groups.take(alert)

    def idle(self, before_ms: int) -> list[int]:
        """Groups whose last alert began before this time."""
        return [g.id for g in self.groups.all.values() if g.last_ms < before_ms]

    def snapshot(self) -> Any:
        """What was learned."""
        return {"version": self.version, **{k: part.snapshot() for k, part in self._learned().items()}}

    def restore(self, state: Any) -> None:
        """Take back what was learned; parts that an older version did not know begin anew."""
        if isinstance(state, dict) and state.get("version") in (self.version, "graph-time-1"):
            for name, part in self._learned().items():
                if name in state:
                    part.restore(state[name])

    def _learned(self) -> dict[str, Company | History | Rarity | Rounds]:
        return {
            "company": self.company,
            "history": self.history,
            "rarity": self.rarity,
            "rounds": self.rounds,
        }


_FIRST = (Reason(ReasonKind.TIME, "It was the first.", 1.0),)
_ALONE = (Reason(ReasonKind.TIME, "It came alone, as ones of its kind do that stand for themselves.", 1.0),)
