"""What people do to situations: acknowledge, assign, resolve, merge, split, and take a merge or split back.
What a person decided stands: the correlator adds to such groups, but takes nothing out of them again. How to
take it back is kept in the situation's own reasons, so that it survives a restart."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from watchkeeper.analysis.correlators.arrival import Member
from watchkeeper.analysis.stages.correlate_living import LivingSituation
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.topology import NAMESPACE
from watchkeeper.model.verdicts import Alert, Severity, Situation, SituationState

if TYPE_CHECKING:
    from watchkeeper.analysis.stages.correlate import Correlate

REMEMBERED = 10_000  # ids of acts, against a second delivery


class Acts:
    """Applies acts to the situations of a Correlate stage. `refused` counts those that cannot be applied."""

    def __init__(self, stage: Correlate) -> None:
        self._stage = stage
        self._seen: dict[str, None] = {}
        self.refused = 0

    def take(self, acts: Sequence[Act], alerts: dict[str, Alert]) -> None:
        """Apply acts in order; alerts that moved go into `alerts`."""
        for act in acts:
            living = self._stage.situations.get(act.target)
            if living is None or act.id in self._seen:
                continue
            self._seen[act.id] = None
            if len(self._seen) > REMEMBERED:
                del self._seen[next(iter(self._seen))]
            if not self._apply(act, living, alerts):
                self.refused += 1

    def _apply(self, act: Act, living: LivingSituation, alerts: dict[str, Alert]) -> bool:
        if act.kind is ActKind.UNDO:
            return self._undo(act, living, alerts)
        if act.kind in (ActKind.ASSIGN, ActKind.NOTE):
            if act.kind is ActKind.ASSIGN:
                living.situation = replace(living.situation, assignee=str(act.data.get("assignee", "")))
            self._stage.touch(living)
            return True
        if not living.live:
            return False
        if act.kind is ActKind.RESOLVE:
            self._say(living, act, f"{act.actor} resolved it.")
            self._stage.end(living, at_ms=act.time_ms)
        elif act.kind in (ActKind.ACKNOWLEDGE, ActKind.UNACKNOWLEDGE):
            self._acknowledge(act, living)
        elif act.kind is ActKind.MERGE:
            return self._merge(act, living, alerts)
        elif act.kind is ActKind.SPLIT:
            return self._split(act, living, alerts)
        return True

    def _acknowledge(self, act: Act, living: LivingSituation) -> None:
        self._unsay(living, "acknowledge")
        on = act.kind is ActKind.ACKNOWLEDGE
        state = SituationState.ACKNOWLEDGED if on else SituationState.OPEN
        living.situation = replace(living.situation, state=state)
        until_ms = int(act.data.get("until_ms", 0)) if on else 0
        if on:
            self._say(living, act, f"{act.actor} acknowledged it.", until_ms=until_ms)
        self._stage.expire(living, until_ms)
        self._stage.touch(living)

    def _merge(self, act: Act, living: LivingSituation, alerts: dict[str, Alert]) -> bool:
        found = [self._stage.situations.get(str(x)) for x in act.data.get("others", ())]
        others = [s for s in found if s is not None and s is not living and s.live]
        if not others:
            return False
        parts = {s.situation.id: list(s.members) for s in others}
        reason = Reason(
            ReasonKind.PERSON, f"{act.actor} merged it into this situation.", 1.0, {"act": act.id}
        )
        members = list(self._members(living.members))
        for s in others:
            members += [_with(m, reason) for m in self._members(s.members)]
        names = ", ".join(f"“{s.situation.title}”" for s in others)
        self._say(living, act, f"{act.actor} merged {names} into it.", parts=parts)
        self._regroup(living, members, alerts)
        for s in others:
            self._stage.end(s, merged_into=living.situation.id)
        return True

    def _split(self, act: Act, living: LivingSituation, alerts: dict[str, Alert]) -> bool:
        wanted = {str(x) for x in act.data.get("alerts", ())} & set(living.members)
        if not wanted or len(wanted) == len(living.members):
            return False
        text = f"{act.actor} split it from “{living.situation.title}”."
        reason = Reason(ReasonKind.PERSON, text, 1.0, {"act": act.id})
        going = [_with(m, reason) for m in self._members(sorted(wanted))]
        staying = list(self._members(f for f in living.members if f not in wanted))
        made = str(uuid.uuid5(NAMESPACE, f"split|{act.id}"))
        self._say(living, act, f"{act.actor} split {len(wanted)} alerts from it.", into=made)
        new = replace(
            living.situation, id=made, state=SituationState.OPEN, opened_ms=self._stage.now_ms, causes=(),
            members=(), because=(replace(reason, text=text),), severity=Severity.INFO, follows="",
        )  # fmt: skip
        self._regroup(living, staying, alerts)
        self._regroup(self._stage.situations.add(new, -1), going, alerts)
        return True

    def _undo(self, act: Act, living: LivingSituation, alerts: dict[str, Alert]) -> bool:
        wanted = act.data.get("act")
        said = next((r for r in living.situation.because if r.data.get("act") == wanted), None)
        if said is None or not living.live:
            return False
        undo = self._undo_merge if "parts" in said.data else self._undo_split
        done = undo(said, living, alerts)
        if done:
            because = tuple(r for r in living.situation.because if r is not said)
            living.situation = replace(living.situation, because=because)
        return done

    def _undo_merge(self, said: Reason, living: LivingSituation, alerts: dict[str, Alert]) -> bool:
        back = {k: [f for f in v if f in living.members] for k, v in said.data["parts"].items()}
        homes = {k: s for k, v in back.items() if v and (s := self._stage.situations.get(k)) is not None}
        leaving = {f for k in homes for f in back[k]}
        if not homes or len(leaving) == len(living.members):
            return False
        groups = {k: [_without(m, said) for m in self._members(back[k])] for k in homes}
        self._regroup(living, list(self._members(f for f in living.members if f not in leaving)), alerts)
        for k, home in homes.items():
            self._stage.revive(home)
            self._regroup(home, groups[k], alerts)
        return True

    def _undo_split(self, said: Reason, living: LivingSituation, alerts: dict[str, Alert]) -> bool:
        other = self._stage.situations.get(str(said.data.get("into", "")))
        if other is None or not other.live:
            return False
        back = [_without(m, said) for m in self._members(other.members)]
        self._regroup(living, [*self._members(living.members), *back], alerts)
        self._stage.end(other, merged_into=living.situation.id)
        return True

    def _members(self, fingerprints: Iterable[str]) -> Iterator[Member]:
        """Members as the correlator has them; alerts long over have gone from it and are left out."""
        for f in fingerprints:
            group = self._stage.correlator.group(self._stage.correlator.where(f))
            if group is not None:
                yield group.members[f]

    def _regroup(self, living: LivingSituation, members: list[Member], alerts: dict[str, Alert]) -> None:
        number = self._stage.correlator.adopt(members, self._stage.topology, kept=True)
        self._stage.bind(living, number)
        living.worded = 0
        self._stage.settle({number}, alerts)

    def _say(self, living: LivingSituation, act: Act, text: str, **data: Any) -> None:
        reason = Reason(ReasonKind.PERSON, text, 0.0, {"act": act.id, "did": act.kind.value, **data})
        living.situation = replace(living.situation, because=(*living.situation.because, reason))

    def _unsay(self, living: LivingSituation, did: str) -> None:
        because = tuple(r for r in living.situation.because if r.data.get("did") != did)
        living.situation = replace(living.situation, because=because)


def kept_by_a_person(situation: Situation) -> bool:
    """Whether a person merged or split it, so that its alerts stay where they are."""
    kept = ("merge", "split")
    return any(r.kind is ReasonKind.PERSON and r.data.get("did", "split") in kept for r in situation.because)


def until(situation: Situation) -> int:
    """When its acknowledgement ends; 0 never."""
    ends = (r.data["until_ms"] for r in situation.because if "until_ms" in r.data)
    return int(next(ends, 0))


def _with(member: Member, reason: Reason) -> Member:
    return member._replace(because=(reason, *member.because))


def _without(member: Member, said: Reason) -> Member:
    because = tuple(r for r in member.because if r.data.get("act") != said.data["act"])
    return member._replace(because=because)
