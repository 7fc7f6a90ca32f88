"""The one writer of what analysis decides: discoveries, alerts, situations, their timeline, and the journal offset
that they came from, in one transaction, with the outbox rows that follow from them.

Rows are made before the transaction begins, so that the database is held for as short as it can be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from watchkeeper.domains.inventory import as_now, names_of, write_discoveries
from watchkeeper.domains.situations import judging, models, telling
from watchkeeper.domains.situations.active import load_situations
from watchkeeper.domains.situations.happenings import Witness
from watchkeeper.domains.situations.rows import alert_row, member_row, situation_row
from watchkeeper.domains.situations.rules import Change, changes, told
from watchkeeper.kernel.fields import document, moment, storable
from watchkeeper.kernel.upserts import upsert, when
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.judgements import HeldBack
from watchkeeper.model.reach import Reach
from watchkeeper.model.topology import Discovery
from watchkeeper.model.verdicts import Alert, Situation, SituationState

_CHUNK = 500


class Overtaken(WatchkeeperError):
    """The records are further than what was to be written: another writer is at work."""

    reason = "overtaken"


class AnalysisWriter:
    """Inert until the first `write`. It remembers unresolved situations as written, to write only what differs."""

    def __init__(self) -> None:
        self._known: dict[str, Situation] = {}

    def write(
        self,
        alerts: Mapping[str, Alert],
        situations: Mapping[str, Situation],
        discoveries: Sequence[Discovery] = (),
        acts: Sequence[Act] = (),
        held: Sequence[HeldBack] = (),
        *,
        offset: int,
        now_ms: int,
    ) -> None:
        """Write all or none: alerts and situations as they now are, and the offset up to which that is so.
        Raises Overtaken, or django.db.OperationalError after which it may be tried again."""
        alert_rows = [alert_row(a) for a in alerts.values()]
        situation_rows = [situation_row(s) for s in situations.values()]
        before = self._before(situations)
        pairs = [(before.get(s.id), s) for s in situations.values()]
        joined, left = _memberships(pairs)
        with transaction.atomic():
            _pass(offset)
            witness = Witness(alerts, situations)
            if discoveries:
                write_discoveries(discoveries, now_ms)
            upsert(models.Situation, situation_rows)
            upsert(models.Alert, alert_rows)
            for situation, fingerprints in left:
                models.Membership.objects.filter(situation=situation, alert__in=fingerprints).delete()
            upsert(models.Membership, joined, key=("situation_id", "alert_id"))
            fresh = _apply(acts, now_ms)
            judging.note(held)
            _timeline(pairs, fresh, alerts, now_ms)
            telling.tell(pairs, now_ms)
            witness.tell(fresh, now_ms)
        for s in situations.values():
            if s.state is SituationState.RESOLVED:
                self._known.pop(s.id, None)
            else:
                self._known[s.id] = s

    def _before(self, situations: Mapping[str, Situation]) -> dict[str, Situation]:
        """These situations as they were written last, from memory or else from the records."""
        before = {i: self._known[i] for i in situations if i in self._known}
        missing = [i for i in situations if i not in before]
        for start in range(0, len(missing), _CHUNK):
            records = models.Situation.objects.filter(pk__in=missing[start : start + _CHUNK])
            before |= {s.id: s for s in load_situations(records)}
        return before


def _pass(offset: int) -> None:
    moved = models.AnalysisOffset.objects.filter(pk=1, offset__lte=offset).update(offset=offset)
    if not moved:
        row, made = models.AnalysisOffset.objects.get_or_create(pk=1, defaults={"offset": offset})
        if not made:
            raise Overtaken(f"the records are at offset {row.offset}, this is only {offset}")


def _memberships(
    pairs: Iterable[tuple[Situation | None, Situation]],
) -> tuple[list[tuple[Any, ...]], list[tuple[str, list[str]]]]:
    """Rows that joined or changed, and fingerprints that left, by situation."""
    joined: list[tuple[Any, ...]] = []
    left: list[tuple[str, list[str]]] = []
    for old, new in pairs:
        if old is not None and old.members == new.members:
            continue
        had = {m.fingerprint: (n, m) for n, m in enumerate(old.members)} if old else {}
        for n, m in enumerate(new.members):
            if had.pop(m.fingerprint, None) != (n, m):
                joined.append(member_row(new.id, n, m))
        gone = list(had)
        left += [(new.id, gone[i : i + _CHUNK]) for i in range(0, len(gone), _CHUNK)]
    return joined, left


def _apply(acts: Sequence[Act], now_ms: int) -> list[Act]:
    """Note the acts, and write silences; return those that had not been noted before."""
    if not acts:
        return []
    known = set(models.AppliedAct.objects.filter(pk__in=[a.id for a in acts]).values_list("pk", flat=True))
    fresh = list({a.id: a for a in acts if a.id not in known}.values())
    upsert(
        models.AppliedAct,
        [
            (
                a.id,
                a.kind.value,
                a.target,
                storable(a.actor)[:150],
                when(a.time_ms or 1),
                when(now_ms),
                document(a.data),
            )
            for a in fresh
        ],
        keep=True,
    )
    for act in fresh:
        if act.kind is ActKind.SILENCE:
            _silence(act)
        elif act.kind is ActKind.UNSILENCE:
            at = moment(act.time_ms or now_ms)
            models.Silence.objects.filter(pk=act.target, ends_at__gt=at).update(ends_at=at, updated_at=at)
        elif act.kind is ActKind.USUAL:
            judging.write(act)
        elif act.kind is ActKind.UNUSUAL:
            judging.end(act, now_ms)
    return fresh


def _silence(act: Act) -> None:
    at = when(act.time_ms or 1)
    items = act.data.get("items", [])
    row = (
        act.target,
        document(act.data.get("matchers", [])),
        when(act.data["starts_ms"] or 1),
        when(act.data["ends_ms"] or 1),
        storable(act.actor)[:150],
        storable(act.data.get("comment", "")),
        at,
        at,
        bool(items),
        act.data.get("reach", Reach.ITEMS.value),
    )
    changed = ("matchers", "starts_at", "ends_at", "created_by", "comment", "updated_at", "of_items", "reach")
    upsert(models.Silence, [row], update=changed)
    models.Silence(pk=act.target).items.set(as_now(items) if items else ())


_OF_NO_SITUATION = {
    ActKind.SILENCE, ActKind.UNSILENCE, ActKind.MAINTENANCE, ActKind.RULE, ActKind.GROUPING, ActKind.CORRELATION,
    ActKind.UNUSUAL, ActKind.TEMPLATE,
}  # fmt: skip


def _timeline(
    pairs: Sequence[tuple[Situation | None, Situation]],
    acts: Sequence[Act],
    alerts: Mapping[str, Alert],
    now_ms: int,
) -> None:
    acted: dict[str, list[Act]] = defaultdict(list)
    for act in acts:
        if act.kind not in _OF_NO_SITUATION:
            target = alerts[act.target].situation if act.target in alerts else act.target
            acted[target].append(act)
    tops = {s.causes[0].item for _, s in pairs if s.causes}
    names = names_of(tops) if tops else {}
    rows = []
    for old, new in pairs:
        kinds = [a.kind for a in acted[new.id]]
        lines = changes(old, new, kinds, lambda item: names.get(item, item))
        rows += [(new.id, new.updated_ms or now_ms, line) for line in lines]
    there = {s.id for _, s in pairs}
    there |= set(models.Situation.objects.filter(pk__in=acted.keys() - there).values_list("pk", flat=True))
    rows += [(i, a.time_ms or now_ms, told(a)) for i in acted if i in there for a in acted[i]]
    upsert(models.TimelineEntry, [_line(*row) for row in rows])


def _line(situation: str, at_ms: int, line: Change) -> tuple[Any, ...]:
    return (
        situation,
        when(at_ms),
        line.kind,
        storable(line.actor)[:150],
        storable(line.text),
        document(line.data),
    )
