"""Correlate: alerts that began become situations, as the correlator groups them and people decide. A
resolved situation is never reopened by an alert: what comes after it opens a new one that follows it.

A group opens a situation once one of its alerts is worse than info; silenced alerts are not grouped at all,
and a flapping alert whose situation is over opens none until it has calmed down.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from watchkeeper.analysis.correlators.arrival import Correlator, Member
from watchkeeper.analysis.correlators.graph_time import GraphTime
from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.stages.correlate_acts import Acts, kept_by_a_person, until
from watchkeeper.analysis.stages.correlate_arrival import arrival_of
from watchkeeper.analysis.stages.correlate_beside import Beside
from watchkeeper.analysis.stages.correlate_living import LivingSituation, LivingSituations, newest
from watchkeeper.analysis.stages.correlate_rules import Conditions, Rules, ruled
from watchkeeper.analysis.stages.correlate_words import because, title
from watchkeeper.analysis.stages.deduplicate_living import LivingAlerts
from watchkeeper.analysis.stages.deduplicate_waiting import Waiting
from watchkeeper.model.reason import ReasonKind
from watchkeeper.model.topology import NAMESPACE, Topology
from watchkeeper.model.verdicts import (
    Alert,
    AlertStatus,
    Membership,
    Severity,
    Situation,
    SituationState,
)

QUIET_MS = 300_000  # all alerts resolved for so long: the situation resolves by itself
FORGET_MS = 7_200_000  # a resolved situation is kept in mind for so long, and FORGET_MOST of them
FORGET_MOST = 5000
SHADOW_MS = 1_200_000  # and its group for so long, for what comes right after it
LOOSE_MS = 1_800_000  # groups without a situation are forgotten after this
FEW = 8  # members up to which words are made anew at every change; beyond, when it has grown by a quarter …
GROWN = 1.25
LATER_MS = 10_000  # … or so much later


class Correlate:
    """Stage."""

    name = "correlate"

    def __init__(
        self,
        alerts: LivingAlerts,
        situations: LivingSituations | None = None,
        correlator: Correlator | None = None,
        conditions: Conditions | None = None,
    ) -> None:
        self.alerts = alerts
        self.situations = LivingSituations() if situations is None else situations
        self.correlator: Correlator = GraphTime() if correlator is None else correlator
        self.beside = Beside(self.correlator)
        self.by_group: dict[int, str] = {}
        self._acts = Acts(self)
        self.rules = Rules(self, conditions)
        self._flapped: set[str] = set()  # flapping alerts that may open a situation when they calm down
        self._quiet = Waiting()  # situations without a firing alert → when they resolve
        self._expiring = Waiting()  # acknowledged situations → when that ends
        self._over = Waiting()  # resolved situations → when they are forgotten
        self._shadows = Waiting()  # and their groups
        self._wording = Waiting()  # situations that have grown → when they are worded again
        self._restored: list[Situation] = []
        self._loose: list[str] = []
        self._next_sweep_ms = 0
        self.changed: dict[str, LivingSituation] = {}
        self.now_ms = 0
        self.topology = Topology()

    def process(self, work: Work) -> None:
        """Fill `work.situations`, and write their ids into `work.alerts`."""
        self.now_ms, self.topology, self.changed = work.now_ms, work.topology, {}
        if self._restored or self._loose:
            self._rebuild()
        self.rules.take(work.acts)
        self.beside.hear(work.acts, self.situations, work.topology)
        self._acts.take(work.acts, work.alerts)
        self._see(work.alerts.values())
        self.rules.see(work.alerts.values())
        placed = self.rules.place(self._arrivals(work), work.alerts)
        arrivals = list(map(arrival_of, placed.rest))
        touched = placed.touched | self.correlator.place(arrivals, work.topology)
        self.beside.place(arrivals, work.topology)
        self.settle(touched, work.alerts)
        self._pass_time()
        for living in self.changed.values():
            self._finish(living)
            work.situations[living.situation.id] = living.situation
        work.compared += self.beside.compare(self.changed.values(), work.now_ms)

    # --- alerts in ----------------------------------------------------------------------------------
    def _arrivals(self, work: Work) -> list[Alert]:
        began = dict.fromkeys([*work.began, *self.rules.released(work.alerts, work.alerts)])
        for f, alert in work.alerts.items():
            calmed = f in self._flapped and not alert.flapping
            worse = not alert.situation and alert.severity is not Severity.INFO
            if alert.status is AlertStatus.FIRING and (calmed or worse):
                began[f] = None
        return [a for f in began if (a := self._may_open(f, work.alerts)) is not None]

    def _may_open(self, fingerprint: str, alerts: dict[str, Alert]) -> Alert | None:
        """The alert, if it is to be placed (again): it is not held back, and its situation is over."""
        alert = self.alerts.alert(fingerprint)
        if alert is None or alert.suppressed_by:
            return None
        home = self.situations.get(alert.situation) if alert.situation else None
        if home is not None and home.live:
            self.correlator.stir(fingerprint, arrival_of(alert).time_ms)
            return None
        if alert.flapping and alert.situation:
            self._flapped.add(fingerprint)
            return None
        self._flapped.discard(fingerprint)
        number = self.correlator.where(fingerprint)
        if number and number not in self.by_group:
            self.settle({number}, alerts)  # it waited in a group that had nothing worse than info
            if number in self.by_group:
                return None
        self.correlator.release(fingerprint)
        return alert

    def _see(self, alerts: Iterable[Alert]) -> None:
        for alert in alerts:
            home = self.situations.get(alert.situation) if alert.situation else None
            if home is None or alert.fingerprint not in home.members or not home.live:
                continue
            before = (home.severity, bool(home.firing))
            home.see(alert)
            if before != (home.severity, bool(home.firing)) or alert.status is AlertStatus.RESOLVED:
                self.touch(home)
                self._watch_quiet(home)

    def _watch_quiet(self, living: LivingSituation) -> None:
        if living.firing or not living.live:
            self._quiet.remove(living.situation.id)
        else:
            self._quiet.put_earlier(living.situation.id, self.now_ms + QUIET_MS)

    # --- groups become situations ---------------------------------------------------------------------
    def settle(self, touched: Iterable[int], alerts: dict[str, Alert]) -> None:
        """Bring situations in line with the groups that changed; alerts that moved go into `alerts`."""
        lost: list[LivingSituation] = []
        homeless: list[int] = []
        for number in sorted(touched):
            group = self.correlator.group(number)
            living = self.situations.get(self.by_group.get(number, ""))
            if group is not None and group.members:
                if living is None:
                    homeless.append(number)
                else:
                    self._fill(living, group.members, alerts)
            elif living is not None and living.live:
                lost.append(living)
        for number in homeless:
            self._house(number, lost, alerts)
        for living in lost:
            self._dissolve(living)

    def _house(self, number: int, lost: list[LivingSituation], alerts: dict[str, Alert]) -> None:
        """Give a group without a situation one that lost its group to it, or a new one."""
        group = self.correlator.group(number)
        assert group is not None
        heirs = [(sum(f in group.members for f in s.members), s.situation.id, s) for s in lost]
        heirs = [h for h in heirs if h[0]]
        if heirs:
            living = max(heirs, key=lambda h: h[:2])[2]
            lost.remove(living)
            self.bind(living, number)
            for f in list(living.members):  # why they are here has changed too
                living.leave(f)
        else:
            members = [a for f in group.members if (a := self.alerts.alert(f)) is not None]
            if all(a.severity is Severity.INFO for a in members):
                return
            living = self._open(number, group.follows, members)
        self._fill(living, group.members, alerts)

    def _open(self, number: int, follows_group: int, members: Sequence[Alert]) -> LivingSituation:
        first = min(members, key=lambda a: (a.starts_ms, a.fingerprint))
        before = next((a.situation for a in members if a.situation and not self._lives(a.situation)), "")
        follows = before or self.by_group.get(follows_group, "")
        made = uuid.uuid5(NAMESPACE, f"situation|{first.fingerprint}|{first.first_seen_ms}|{first.situation}")
        situation = Situation(
            id=str(made),
            state=SituationState.OPEN,
            severity=max((a.severity for a in members), key=lambda s: s.rank),
            title=first.name,
            opened_ms=self.now_ms,
            updated_ms=self.now_ms,
            follows=follows,
            version=self.correlator.version,
        )
        living = self.situations.add(situation, number)
        self.by_group[number] = situation.id
        return living

    def _lives(self, situation: str) -> bool:
        found = self.situations.get(situation)
        return found is not None and found.live

    def bind(self, living: LivingSituation, number: int) -> None:
        """Its alerts are those of this group from now on."""
        self.by_group.pop(living.group, None)
        living.group = number
        self.by_group[number] = living.situation.id

    def _fill(self, living: LivingSituation, members: dict[str, Member], alerts: dict[str, Alert]) -> None:
        """Make the situation's members those of the group."""
        new = newest(members, living.members)
        if len(living.members) + len(new) != len(members):
            for f in [f for f in living.members if f not in members]:
                living.leave(f)
            new = [f for f in members if f not in living.members]
        for f in new:
            m = members[f]
            living.members[f] = Membership(f, max(m.arrival.time_ms, 0), m.because)
            alert = self.alerts.assign(f, living.situation.id)
            if alert is not None:
                alerts[f] = alert
                living.see(alert)
        self.touch(living)
        self._watch_quiet(living)

    def _dissolve(self, living: LivingSituation) -> None:
        """Its alerts all went elsewhere: it has become part of the situation that most went to."""
        homes = [a.situation for f in living.members if (a := self.alerts.alert(f)) is not None]
        homes = [h for h in homes if h != living.situation.id]
        into = max(sorted(set(homes)), key=homes.count, default="")
        self.end(living, merged_into=into)

    # --- changes --------------------------------------------------------------------------------------
    def touch(self, living: LivingSituation) -> None:
        """It changed: it will be given out."""
        self.changed[living.situation.id] = living

    def end(self, living: LivingSituation, *, at_ms: int = 0, merged_into: str = "") -> None:
        """Resolve a situation, or end it as a part of another."""
        at = at_ms or self.now_ms
        living.situation = replace(
            living.situation, state=SituationState.RESOLVED, resolved_ms=at, merged_into=merged_into
        )
        if merged_into:
            living.members, living.firing = {}, {}
        self.correlator.close(living.group)
        self._quiet.remove(living.situation.id)
        self._expiring.remove(living.situation.id)
        self._over.put(living.situation.id, self.now_ms + FORGET_MS)
        self._shadows.put(living.situation.id, self.now_ms + SHADOW_MS)
        self.touch(living)

    def revive(self, living: LivingSituation) -> None:
        """A person took back what ended it."""
        opened = SituationState.OPEN
        living.situation = replace(living.situation, state=opened, resolved_ms=0, merged_into="")
        self._over.remove(living.situation.id)
        self._shadows.remove(living.situation.id)
        self.touch(living)

    def expire(self, living: LivingSituation, at_ms: int) -> None:
        """Its acknowledgement ends then; 0 never."""
        self._expiring.put(living.situation.id, at_ms)

    def _finish(self, living: LivingSituation) -> None:
        s = living.situation
        reasons, words = s.because, s.title
        if living.live and living.members and self._worth_words(living):
            alerts = [a for f in living.members if (a := self.alerts.alert(f)) is not None]
            people = tuple(r for r in s.because if r.kind is ReasonKind.PERSON)
            reasons = because(living.members.values(), alerts, self.topology) + people
            if alerts and not (s.causes and living.worded):
                words = title(alerts, self.topology)
            living.worded = len(living.members)
        living.situation = replace(
            s,
            severity=living.severity,
            title=words,
            because=reasons,
            updated_ms=self.now_ms,
            members=tuple(living.members.values()),
        )

    def _worth_words(self, living: LivingSituation) -> bool:
        """Whether to word it now, or, as it grows, a little later."""
        n, worded = len(living.members), living.worded
        if (
            n <= FEW
            or not worded <= n < GROWN * worded
            or self._wording.is_due(living.situation.id, self.now_ms)
        ):
            self._wording.remove(living.situation.id)
            return True
        if n != worded:
            self._wording.put_earlier(living.situation.id, self.now_ms + LATER_MS)
        return False

    # --- time -----------------------------------------------------------------------------------------
    def _pass_time(self) -> None:
        for id_ in list(self._wording.due(self.now_ms)):
            living = self.situations.get(id_)
            if living is not None and living.live:
                self._wording.put(id_, self.now_ms)  # it has come: see _worth_words
                self.touch(living)
        for id_ in self._quiet.due(self.now_ms):
            living = self.situations.get(id_)
            if living is not None and living.live and not living.firing:
                self.end(living)
        for id_ in self._expiring.due(self.now_ms):
            living = self.situations.get(id_)
            if living is not None and living.situation.state is SituationState.ACKNOWLEDGED:
                living.situation = replace(living.situation, state=SituationState.OPEN)
                self.touch(living)
        self._forget()
        if self.now_ms >= self._next_sweep_ms:
            self._next_sweep_ms = self.now_ms + LOOSE_MS // 6
            for number in self.correlator.idle(self.now_ms - LOOSE_MS):
                if number not in self.by_group:
                    self.correlator.forget(number)

    def _forget(self) -> None:
        for id_ in self._shadows.due(self.now_ms):
            living = self.situations.get(id_)
            if living is not None and not living.live:
                self.by_group.pop(living.group, None)
                self.correlator.forget(living.group)
        for id_ in [*self._over.due(self.now_ms), *self._over.beyond(FORGET_MOST)]:
            living = self.situations.get(id_)
            if living is not None and self._lives(living.situation.merged_into):
                self._over.put(id_, self.now_ms + FORGET_MS)  # the merge can still be taken back
            else:
                self.situations.drop(id_)

    # --- over a restart -------------------------------------------------------------------------------
    def snapshot(self) -> Any:
        """What the correlator has learned, and what waits for a rule's count; groups are made again from alerts and
        situations."""
        return {**self.correlator.snapshot(), "ruled": self.rules.ruled.snapshot()}

    def restore(self, state: Any, alerts: Sequence[Alert], situations: Sequence[Situation]) -> None:
        """Take back what was learned; groups follow with the first Work, which brings the graph."""
        self.correlator.restore(state)
        if isinstance(state, dict) and "ruled" in state:
            self.rules.ruled.restore(state["ruled"])
        self.rules.recall(alerts)
        self._restored = sorted(situations, key=lambda s: (s.opened_ms, s.id))
        firing = (a for a in alerts if a.status is AlertStatus.FIRING and not a.suppressed_by)
        self._loose = [a.fingerprint for a in firing if not a.situation]

    def _rebuild(self) -> None:
        for s in self._restored:
            over = s.state is SituationState.RESOLVED
            if over and s.resolved_ms < self.now_ms - FORGET_MS:
                continue
            members = [
                Member(arrival_of(a), m.because)
                for m in s.members
                if (a := self.alerts.alert(m.fingerprint)) is not None and a.situation == s.id
            ]
            by_rule = ruled(members)
            kept = by_rule or kept_by_a_person(s)
            number = self.correlator.adopt(members, self.topology, kept=kept, closed=over, apart=by_rule)
            if by_rule and not over:
                self.rules.recall_group(members, number)
            living = self.situations.add(s, number)
            self.by_group[number] = s.id
            living.worded = len(living.members)
            if over:
                self._over.put(s.id, s.resolved_ms + FORGET_MS)
                self._shadows.put(s.id, s.resolved_ms + SHADOW_MS)
                continue
            for m in members:
                alert = self.alerts.alert(m.arrival.id)
                if alert is not None:
                    living.see(alert)
            self._watch_quiet(living)
            if s.state is SituationState.ACKNOWLEDGED:
                self.expire(living, until(s))
        loose = [a for f in self._loose if (a := self.alerts.alert(f)) is not None]
        self.correlator.place([arrival_of(a) for a in loose], self.topology)
        self._restored, self._loose = [], []
