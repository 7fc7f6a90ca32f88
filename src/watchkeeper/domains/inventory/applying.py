"""Does what a Plan says: in many short transactions, so that nobody else waits, each audited. It looks again at what each
transaction writes; what is not any more as it was planned is left for the next time. After a kill the same again does
the rest."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils import timezone

from watchkeeper.domains.inventory import duplicates
from watchkeeper.domains.inventory.describing import Described
from watchkeeper.domains.inventory.drafts import Act, Draft, Step
from watchkeeper.domains.inventory.identity import Holders, chunks
from watchkeeper.domains.inventory.looking import Look
from watchkeeper.domains.inventory.models import Source
from watchkeeper.domains.inventory.planning import Plan, Progress, gone, in_order
from watchkeeper.domains.inventory.relating import Change, Edges
from watchkeeper.domains.inventory.staleness import close
from watchkeeper.domains.inventory.writing import give, write, write_relations
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import authority, require
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.topology import Identifier


@dataclass
class Applied:
    """What was done: how many of each act, what could not be done and why, and what has changed since the plan."""

    counts: Counter[str] = field(default_factory=Counter)
    conflicts: list[Step] = field(default_factory=list)
    meanwhile: list[Step] = field(default_factory=list)


def apply(
    plan: Plan, actor: Actor, *, confirmed: bool = False, progress: Progress = lambda _: None
) -> Applied:
    """Do what the plan says. Raises Refused when it is in doubt and not `confirmed`, and Forbidden when the actor may
    not import from this source or may not write a kind that it describes."""
    source = plan.source
    require(actor, "import", registry["sources"], source)
    asked = _asked(plan, actor)
    if plan.doubt and not confirmed:
        raise Refused(f"{plan.doubt}. Confirm it if that is right")
    now = timezone.now()
    run = _Run(plan, actor, now, asked)
    for chunk in in_order(list(run.look.described.values())):
        run.take(chunk)
        progress(len(chunk))
    run.contest()
    run.relate()
    if plan.whole:
        for part in chunks(gone(source, run.look.described.keys(), now)):
            with transaction.atomic():
                run.done.counts[Act.CLOSE.value] += close(part, actor, now)
    if run.done.conflicts:
        run.done.counts[Act.CONFLICT.value] = len(run.done.conflicts)
    with transaction.atomic():
        named = {"named": len(run.look.described)} if plan.whole else {}
        Source.objects.filter(pk=source.pk).update(last_read_at=now, **named)
        audit.record(actor, "source.import", source, after=dict(run.done.counts))
    return run.done


def _asked(plan: Plan, actor: Actor) -> frozenset[str]:
    """The kinds of which some records are the actor's to write and others are not, so that each has to be asked for."""
    partly = set()
    kinds = {(s.act, s.kind) for s in plan.steps if s.act in (Act.CREATE, Act.CHANGE)}
    for act, kind in kinds:
        resource = registry[kind] if kind in {r.path for r in registry} else registry["items"]
        require(actor, act.value, resource)
        if authority().decide(actor, act.value, resource).partly:
            partly.add(resource.path)
    return frozenset(partly)


class _Run:
    """One application of a plan."""

    def __init__(self, plan: Plan, actor: Actor, now: dt.datetime, asked: frozenset[str]) -> None:
        self.actor, self.now, self.asked, self.done = actor, now, asked, Applied()
        self.source = plan.source
        self.done.conflicts += [s for s in plan.steps if s.act is Act.CONFLICT]
        self.planned = {s.key: s for s in plan.steps if s.act is not Act.CONFLICT}
        described = {d.source_key: d for d in reversed(plan.described)}  # of two with one key the first
        self.look = Look(plan.source, list(reversed(described.values())), writes=True)
        self.look.refused |= described.keys() - self.planned.keys()
        self._relating: list[Draft] = []
        self._contested: list[tuple[str, Identifier]] = []

    def take(self, chunk: Sequence[Described]) -> None:
        """All of these in one transaction; one by one when something clashes."""
        try:
            with transaction.atomic():
                drafts = self._write(chunk)
        except (IntegrityError, WatchkeeperError) as error:
            self.look.small = type(self.look.small)()  # what was made with them is gone again
            if len(chunk) == 1:
                self._failed(chunk[0], error)
                return
            for one in chunk:
                self.take([one])
            return
        for d in drafts:
            if d.failed:
                self.done.conflicts.append(d.step)
                continue
            self.done.counts[d.step.act.value] += 1
            if d.described.relations or (d.statement and d.statement.relations):
                self._relating.append(d)

    def _write(self, chunk: Sequence[Described]) -> list[Draft]:
        drafts = self.look.at([d for d in chunk if d.source_key in self.planned])
        sound = []
        for d in drafts:
            if d.failed or self._as_planned(d):
                sound.append(d)
            else:
                self.done.meanwhile.append(d.step)
        for d in sound:
            kind = (
                registry[d.after.declared or "items"] if not d.failed and d.step.act is not Act.SAME else None
            )
            if kind is not None and kind.path in self.asked:
                require(self.actor, d.step.act.value, kind, d.before or d.after)
        ready = [d for d in sound if not d.failed]
        write(ready, self.source, self.look.people, self.actor, self.now)
        self._contested += [(d.step.item, x) for d in ready for _, x in d.contested]
        return sound

    def _as_planned(self, d: Draft) -> bool:
        """What was shown is what is done: the same item, in the state in which it was shown."""
        was = self.planned[d.described.source_key]
        before = {n: b for n, (b, _) in was.values.items()}
        return was.item == d.step.item and {n: b for n, (b, _) in d.step.values.items()} == before

    def _failed(self, one: Described, error: Exception) -> None:
        said = (
            error.detail
            if isinstance(error, WatchkeeperError)
            else f"it clashes with another record: {error}"
        )
        step = Step(Act.CONFLICT, one.source_key, one.kind, one.name or one.source_key, because=(said,))
        self.look.refused.add(one.source_key)
        self.done.conflicts.append(step)

    def contest(self) -> None:
        """Names that others bore when they were claimed: given to who claims them if they are free by now, else there
        may be one thing twice."""
        for part in chunks(self._contested):
            with transaction.atomic():
                holders = Holders(x for _, x in part)
                give([(i, x) for i, x in part if holders.of(x) is None], self.now)
                both = ((i, holder.id, x) for i, x in part if (holder := holders.of(x)) is not None)
                duplicates.contested((i, other, x) for i, other, x in both if i != other)

    def relate(self) -> None:
        """The relations, now that both ends are there."""
        edges = Edges(self.look)
        for part in chunks(self._relating, 250):
            changes = [(d, c) for d, c in edges.of(part) if c.opened or c.closed]
            self._related(changes)

    def _related(self, changes: list[tuple[Draft, Change]]) -> None:
        try:
            with transaction.atomic():
                write_relations(changes, self.source, self.now)
        except WatchkeeperError as error:
            if len(changes) == 1:
                d = changes[0][0]
                self.done.conflicts.append(
                    Step(
                        Act.CONFLICT,
                        d.step.key,
                        d.step.kind,
                        d.step.name,
                        d.step.item,
                        because=(error.detail,),
                    )
                )
                return
            for one in changes:
                self._related([one])
