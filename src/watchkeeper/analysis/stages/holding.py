"""What holds alerts back now: silences, and maintenance windows. Both say which alerts (by label, by item, or by both)
and when; a held alert is recorded as any other, and nobody is told of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from watchkeeper.analysis.stages.silence import labels_of, parse_matchers
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.errors import Malformed
from watchkeeper.model.matching import Matcher
from watchkeeper.model.reach import Reach
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.schedule import Schedule
from watchkeeper.model.topology import RelationKind, Topology
from watchkeeper.model.verdicts import Alert

_MADE_OF = (RelationKind.RUNS_ON, RelationKind.MEMBER_OF)
_NEVER = 2**62


class Hold(msgspec.Struct, frozen=True):
    """A silence or a window: `key` is what alerts carry as `suppressed_by`. Where there are both, an alert has to be
    about one of the items and satisfy all matchers."""

    key: str
    title: str
    schedule: Schedule
    matchers: tuple[Matcher, ...] = ()
    items: frozenset[str] = frozenset()
    reach: Reach = Reach.ITEMS
    version: int = 0


class _Window(msgspec.Struct):
    """The data of a MAINTENANCE act; without a schedule the window is no more."""

    version: int
    title: str = ""
    schedule: Schedule | None = None
    matchers: list[dict[str, str]] = []
    items: frozenset[str] = frozenset()
    reach: Reach = Reach.ITEMS


class Holds:
    """All there are; `first` is quick for many of them and many alerts because one is looked at only for alerts of
    its items, or that carry one label it wants exactly, if it wants any."""

    def __init__(self) -> None:
        self._all: dict[str, Hold] = {}
        self._versions: dict[str, int] = {}  # of windows, also of those that are no more
        self._active: list[Hold] = []
        self._by_label: dict[tuple[str, str], list[Hold]] = {}
        self._by_item: dict[str, list[Hold]] = {}
        self._anywhere: list[Hold] = []
        self._topology: Topology | None = None
        self._next_ms = 0  # when one next begins or ends; 0: now
        self._looked_ms = 0

    def take(self, act: Act) -> None:
        """Take an act of a kind in ACTS; an unknown silence that ends is none. Raises Malformed."""
        if act.kind is ActKind.SILENCE:
            found = _silence(act)
            self._all[found.key] = found
        elif act.kind is ActKind.UNSILENCE:
            self._all.pop(f"silence:{act.target}", None)
        else:
            self._window(act)
        self._next_ms = 0

    def __iter__(self) -> Iterator[Hold]:
        """All there are, in the order in which they came to be."""
        return iter(self._all.values())

    def _window(self, act: Act) -> None:
        """Of two words about a window the one with the higher version holds, in whatever order they come."""
        try:
            told = msgspec.convert(act.data, _Window)
        except msgspec.ValidationError as error:
            raise Malformed(f"maintenance window: {error}") from error
        key = f"maintenance:{act.target}"
        if told.version < self._versions.get(key, 0):
            return
        made = _hold(key, told)
        self._versions[key] = told.version
        self._all.pop(key, None)
        if made is not None:
            self._all[key] = made

    def move(self, became: Mapping[str, str]) -> None:
        """Items were merged or removed: what is said of them is said of what they are now. When none is left, nothing
        is said: it must not become one about all items."""
        for key, hold in list(self._all.items()):
            if hold.items.isdisjoint(became):
                continue
            self._next_ms = 0
            if items := frozenset(became.get(i, i) for i in hold.items) - {""}:
                self._all[key] = msgspec.structs.replace(hold, items=items)
            else:
                del self._all[key]

    def advance(self, now_ms: int, topology: Topology) -> bool:
        """Let time pass, which may also go back; True when alerts must be looked at again."""
        due = now_ms >= self._next_ms or now_ms < self._looked_ms
        moved = topology is not self._topology and any(h.items for h in self._active)
        self._looked_ms = now_ms
        if not due and not moved:
            self._topology = topology
            return False
        before = self._active, self._by_item
        if due:
            self._active = sorted(
                (h for h in self._all.values() if h.schedule.current(now_ms)), key=lambda h: h.key
            )
            times = (h.schedule.next_change(now_ms) for h in self._all.values())
            self._next_ms = min((t for t in times if t), default=_NEVER)
        self._topology = topology
        self._index(topology)
        return (self._active, self._by_item) != before

    def _index(self, topology: Topology) -> None:
        self._by_label, self._by_item, self._anywhere = {}, {}, []
        for h in self._active:
            exact = next((m for m in h.matchers if m.is_equal and not m.is_regex and m.value), None)
            if h.items:
                for item in reached(h.items, h.reach, topology):
                    self._by_item.setdefault(item, []).append(h)
            elif exact:
                self._by_label.setdefault((exact.name, exact.value), []).append(h)
            else:
                self._anywhere.append(h)

    def first(self, alert: Alert) -> str:
        """`silence:<id>` or `maintenance:<id>` of the first of those active that holds this alert back, or "". A window
        comes before a silence."""
        if not self._active:
            return ""
        labels = labels_of(alert)
        found = [
            h.key for h in self._candidates(alert.item, labels) if all(m.matches(labels) for m in h.matchers)
        ]
        return min(found, default="")

    def held_back(self, alert: Alert) -> Reason:
        """Why people hear only now of an alert that was held back."""
        found = self._all.get(alert.suppressed_by)
        ended = f"the maintenance “{found.title}” ended" if found and found.title else "its maintenance ended"
        since = dt.datetime.fromtimestamp(alert.starts_ms / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
        text = f"Fires since {since}; held back until {ended}."
        return Reason(ReasonKind.MAINTENANCE, text, 0.0, {"held_by": alert.suppressed_by})

    def _candidates(self, item: str, labels: dict[str, str]) -> Iterator[Hold]:
        yield from self._anywhere
        yield from self._by_item.get(item, ())
        for pair in labels.items():
            yield from self._by_label.get(pair, ())


#: the acts that make and end what holds alerts back
ACTS = frozenset({ActKind.SILENCE, ActKind.UNSILENCE, ActKind.MAINTENANCE})


def reached(items: Iterable[str], reach: Reach, topology: Topology) -> set[str]:
    """These items and what they carry, as far as `reach` says; a cycle is gone round once."""
    found = set(items)
    waiting = list(found) if reach is not Reach.ITEMS else []
    kinds = _MADE_OF if reach is Reach.CARRIED else (*_MADE_OF, RelationKind.DEPENDS_ON)
    while waiting:
        item = waiting.pop()
        above = [r.source for r in topology.incoming.get(item, ()) if r.kind in kinds]
        within = [r.target for r in topology.outgoing.get(item, ()) if r.kind is RelationKind.CONTAINS]
        new = {i for i in (*above, *within) if i not in found}
        found |= new
        waiting.extend(new)
    return found


def _silence(act: Act) -> Hold:
    starts, ends = act.data.get("starts_ms", 0), act.data.get("ends_ms")
    if not isinstance(starts, int) or not isinstance(ends, int) or ends <= starts:
        raise Malformed("a silence needs ends_ms after starts_ms")
    items = frozenset(str(i) for i in act.data.get("items", ()))
    try:
        reach = Reach(act.data.get("reach", Reach.ITEMS))
    except ValueError as error:
        raise Malformed(f"silence: {error}") from error
    matchers = _matchers(act.data.get("matchers"), items)
    title = str(act.data.get("comment", ""))
    return Hold(f"silence:{act.target}", title, Schedule(starts, ends), matchers, items, reach)


def _matchers(given: object, items: frozenset[str]) -> tuple[Matcher, ...]:
    """Where there are items none are needed, and these may be about what the alerts of the items lack."""
    return parse_matchers(given, narrow=bool(items)) if given or not items else ()


def _hold(key: str, told: _Window) -> Hold | None:
    """A window that holds something back. Raises Malformed: it has no end, or would hold back everything."""
    if told.schedule is None:
        return None
    if told.schedule.ends_ms <= told.schedule.starts_ms:
        raise Malformed("a maintenance window ends after it starts")
    matchers = _matchers(told.matchers, told.items)
    return Hold(key, told.title, told.schedule, matchers, told.items, told.reach, told.version)
