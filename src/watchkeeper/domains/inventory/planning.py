"""What taking over a source's word would come to: the dry run. A Plan is data, for console, API and command line to show;
nothing is written here. `applying` does it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from watchkeeper.domains.inventory.describing import Described, levels
from watchkeeper.domains.inventory.drafts import Act, Draft, Step
from watchkeeper.domains.inventory.identity import chunks
from watchkeeper.domains.inventory.looking import Look
from watchkeeper.domains.inventory.models import Source, Statement
from watchkeeper.domains.inventory.relating import Edges

CHUNK = 250  # things of one transaction
FEW = 20  # a source that named fewer may drop what it wants
Progress = Callable[[int], None]  # is told how many things more are done


@dataclass
class Plan:
    """What would be done. `doubt` says why it is only done when it is confirmed, "" when nothing speaks against it."""

    source: Source
    described: list[Described]
    whole: bool
    steps: list[Step] = field(default_factory=list)
    doubt: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """How many steps of each kind; all kinds are there."""
        found = Counter(s.act.value for s in self.steps)
        return {a.value: found[a.value] for a in Act}

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to do."""
        return all(s.act in (Act.SAME, Act.CONFLICT) for s in self.steps)


def plan(
    source: Source, described: Iterable[Described], *, whole: bool = True, progress: Progress = lambda _: None
) -> Plan:
    """Compare what a source describes with what is there. `whole`: it is everything that the source knows, so that what
    it does not name any more is gone there. Reads in chunks, writes nothing. Raises nothing for what is wrong with
    single things: they are steps that conflict."""
    everything = list(described)
    made = Plan(source, everything, whole)
    once, twice = _once(everything)
    made.steps += twice
    look = Look(source, once)
    edges = Edges(look)
    drafts: dict[str, Draft] = {}
    for chunk in in_order(once):
        for d in look.at(chunk):
            made.steps.append(d.step)
            if d.described.relations or (d.statement and d.statement.relations):
                drafts[d.described.source_key] = d
        progress(len(chunk))
    for part in chunks(drafts.values()):
        for d, change in edges.of(part):
            d.step.because += change.because
            if (change.opened or change.closed) and d.step.act is Act.SAME:
                d.step.act = Act.CHANGE
    if whole:
        made.steps += [_closing(s) for s in gone(source, look.described.keys(), timezone.now())]
        made.doubt = _doubt(source, len(once))
    return made


def in_order(described: Sequence[Described]) -> Iterator[list[Described]]:
    """In chunks, references before what refers to them."""
    for level in levels(described):
        yield from chunks(level, CHUNK)


def _once(described: Iterable[Described]) -> tuple[list[Described], list[Step]]:
    """Without those whose key another has had before, and these as conflicts."""
    seen: dict[str, Described] = {}
    twice = []
    for d in described:
        if seen.setdefault(d.source_key, d) is not d:
            because = (f"the source describes {d.source_key} twice",)
            twice.append(Step(Act.CONFLICT, d.source_key, d.kind, d.name or d.source_key, because=because))
    return list(seen.values()), twice


def gone(source: Source, named: Iterable[str], now: dt.datetime) -> list[Statement]:
    """What the source said of things that it does not name any more, for as long as it lets them be."""
    before = now - dt.timedelta(hours=source.stale_after_hours)
    found = Statement.objects.filter(source_id=source.pk, stale_since=None)
    if source.stale_after_hours:
        found = found.filter(last_seen_at__lt=before)
    there = set(named)
    keys = [(pk, key) for pk, key in found.values_list("pk", "key").iterator(5000) if key not in there]
    out: list[Statement] = []
    for part in chunks(pk for pk, _ in keys):
        out += Statement.objects.filter(pk__in=part).select_related("item").order_by("pk")
    return out


def _closing(s: Statement) -> Step:
    because = ("it is not named any more",)
    return Step(Act.CLOSE, s.key, s.item.declared or s.item.kind, s.item.name, s.item_id, because=because)


def _doubt(source: Source, count: int) -> str:
    if source.named <= FEW or count * 100 >= source.named * source.least_percent:
        return ""
    return (
        f"{source.name} named {source.named:,} things when it was last read as a whole, and names {count:,} now: "
        f"less than {source.least_percent} %"
    )
