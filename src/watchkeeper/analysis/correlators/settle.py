"""The settling delay: the last placements with what takes each of them back. An alert that is delivered late
but within the delay is put where it would have been had it come in order: what came after it is taken back
and placed again. Older placements stand."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from watchkeeper.analysis.correlators.arrival import Arrival, Member
from watchkeeper.analysis.correlators.group import Group, Groups

SETTLE_MS = 10_000
MOST = 2000  # placements that are taken back at most; in a denser storm the order of delivery decides


class Joined(NamedTuple):
    """An alert was put into a group, which it opened or not."""

    time_ms: int
    arrival: Arrival
    company: int  # alerts of its instant and neighbourhood, itself included
    group: Group
    opened: bool
    last_ms: int  # the group's, before
    repeated: bool
    instant: bool  # an instant was added to the group


class Parted(NamedTuple):
    """Alerts were taken from groups into a new one."""

    time_ms: int
    group: Group
    moved: tuple[tuple[Group, Member], ...]
    before: tuple[Before, ...]


class Before(NamedTuple):
    """What a group was before alerts left it."""

    group: Group
    repeats: list[tuple[int, int, str]]
    instants: list[int]
    last_ms: int


class Settling:
    """What was done within the delay, oldest first."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._done: deque[Joined | Parted] = deque()
        self._reached = 0  # the newest begin seen

    def reach(self, time_ms: int) -> list[Joined]:
        """Note the newest begin; give, in order, the placements that stand for good from now on."""
        self._reached = max(self._reached, time_ms)
        final: list[Joined] = []
        while self._done and (
            self._done[0].time_ms < self._reached - SETTLE_MS or len(self._done) > 2 * MOST
        ):
            done = self._done.popleft()
            if isinstance(done, Joined):
                final.append(done)
        return final

    def note(self, done: Joined | Parted) -> None:
        """Remember what was done."""
        self._done.append(done)

    def seal(self) -> list[Joined]:
        """Let everything stand: a person has decided something that rests on it."""
        final = [d for d in self._done if isinstance(d, Joined)]
        self._done.clear()
        return final

    def take_back(self, time_ms: int, touched: set[int]) -> list[Arrival]:
        """Take back what was placed at this time or after it; give those alerts to be placed again. Nothing
        is taken back for a time before the delay, or when that would be more than MOST placements."""
        if not self._done or time_ms < self._reached - SETTLE_MS or self._done[-1].time_ms < time_ms:
            return []
        if len(self._done) > MOST and self._done[-MOST].time_ms >= time_ms:
            return []
        again: list[Arrival] = []
        while self._done and self._done[-1].time_ms >= time_ms:
            done = self._done.pop()
            if isinstance(done, Joined):
                self._unjoin(done, touched)
                again.append(done.arrival)
            else:
                self._unpart(done, touched)
        return again

    def _unjoin(self, done: Joined, touched: set[int]) -> None:
        group = done.group
        touched.add(group.id)
        if self._groups.of.get(done.arrival.id) == group.id:
            self._groups.take(done.arrival.id)
        group.last_ms = done.last_ms
        if done.repeated:
            group.repeats.pop()
        if done.instant:
            group.instants.pop()
        if done.opened:
            self._groups.drop(group)

    def _unpart(self, done: Parted, touched: set[int]) -> None:
        touched.add(done.group.id)
        for group, member in done.moved:
            self._groups.take(member.arrival.id)
            self._groups.put(group, member)
        for group, repeats, instants, last_ms in done.before:
            touched.add(group.id)
            group.repeats, group.instants, group.last_ms = repeats, instants, last_ms
        self._groups.drop(done.group)
