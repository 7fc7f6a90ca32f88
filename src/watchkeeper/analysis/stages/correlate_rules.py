"""The operator's rules beside the learned method: they come as acts, and whatever alert satisfies one is grouped, or held
back, as the rule says. What a rule has done is found again after a restart in the reasons of alerts and members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from watchkeeper.analysis.correlators.arrival import Member
from watchkeeper.analysis.correlators.ruled import Ruled, Verdict, key_of, reason, values_of
from watchkeeper.analysis.stages.correlate_arrival import arrival_of
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.correlation import ANY, GroupingRule, Parameters
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.topology import RelationKind, Topology
from watchkeeper.model.verdicts import Alert, AlertStatus

if TYPE_CHECKING:
    from watchkeeper.analysis.stages.correlate import Correlate

NEEDS = (RelationKind.DEPENDS_ON, RelationKind.RUNS_ON)
STEPS, MOST = 5, 200  # how far up a parent is looked for, and among how many items


class Conditions(Protocol):
    """Evaluates CEL."""

    def ask(self, conditions: Sequence[str], event: Mapping[str, Any]) -> Sequence[bool | str]:
        """What each of them says: true, false, or in words why neither."""
        ...


class Nothing:
    """Where nothing evaluates conditions, none is true."""

    def ask(self, conditions: Sequence[str], event: Mapping[str, Any]) -> list[bool | str]:
        """See Conditions."""
        del event
        return ["nothing evaluates conditions here"] * len(conditions)


class Placed(NamedTuple):
    """The alerts that no rule took, and the groups that changed."""

    rest: list[Alert]
    touched: set[int]


class Rules:
    """Applies rules to the alerts of a Correlate stage. `refused` counts acts that cannot be taken."""

    def __init__(self, stage: Correlate, conditions: Conditions | None = None) -> None:
        self._stage = stage
        self._conditions: Conditions = conditions or Nothing()
        self._rules: dict[str, GroupingRule] = {}
        self._held: dict[str, set[str]] = {}  # firing alert of a parent → those that it holds back
        self._firing: dict[str, dict[str, None]] = {}  # item → its firing alerts
        self.ruled = Ruled()
        self.refused = 0

    # --- rules come and go ----------------------------------------------------------------------------
    def take(self, acts: Iterable[Act]) -> None:
        """Rules and parameters that were declared, changed or removed."""
        for act in acts:
            try:
                if act.kind is ActKind.GROUPING:
                    self._rule(act)
                elif act.kind is ActKind.CORRELATION:
                    told = msgspec.convert(act.data.get("parameters") or {}, Parameters)
                    self._stage.correlator.choose(told)
                    self._stage.beside.choose(told)
            except msgspec.ValidationError:
                self.refused += 1

    def _rule(self, act: Act) -> None:
        new = msgspec.convert(act.data["rule"], GroupingRule) if "rule" in act.data else None
        if self._rules.get(act.target) != new:
            self._rules.pop(act.target, None)
            if act.id[:9] != RESTORED:
                self.ruled.forget(act.target)
            if new is not None:
                self._rules[act.target] = new
            self._rules = dict(sorted(self._rules.items(), key=lambda r: (r[1].position, r[0])))

    def see(self, alerts: Iterable[Alert]) -> None:
        """Take note of what fires where."""
        for alert in alerts:
            if alert.item and alert.status is AlertStatus.FIRING:
                self._firing.setdefault(alert.item, {})[alert.fingerprint] = None
            elif alert.item in self._firing:
                self._firing[alert.item].pop(alert.fingerprint, None)
                if not self._firing[alert.item]:
                    del self._firing[alert.item]

    # --- alerts come ----------------------------------------------------------------------------------
    def place(self, alerts: list[Alert], changed: dict[str, Alert]) -> Placed:
        """Group or hold back what rules are about; alerts that are held back, or no longer, go into `changed`."""
        if not self._rules:
            return Placed(alerts, set())
        rest: list[Alert] = []
        touched: set[int] = set()
        for alert in sorted(alerts, key=lambda a: (a.starts_ms, a.fingerprint)):
            facts = self.facts(alert)
            rule = self._first(facts)
            if rule is None:
                rest.append(alert)
            elif (parent := self._parent(alert, rule)) is not None:
                self._hold(alert, rule, parent, changed)
            elif not self._group(alert, rule, values_of(rule, facts), touched):
                rest.append(alert)
        return Placed(rest, touched)

    def facts(self, alert: Alert) -> dict[str, Any]:
        """What a condition may ask about, as `record`."""
        item = self._stage.topology.items.get(alert.item)
        return facts_of(alert, item.name if item else "", item.kind if item else "")

    def _first(self, facts: Mapping[str, Any]) -> GroupingRule | None:
        rules = list(self._rules.values())
        said = self._conditions.ask([r.condition for r in rules], {"record": facts})
        return next((r for r, yes in zip(rules, said, strict=True) if yes is True), None)

    def _group(self, alert: Alert, rule: GroupingRule, values: tuple[str, ...], touched: set[int]) -> bool:
        arrival = arrival_of(alert)
        verdict = self.ruled.offer(rule, values, alert.fingerprint, arrival.time_ms)
        if verdict.group and not self._lives(verdict.group):
            self.ruled.end(verdict.key)
            verdict = self.ruled.offer(rule, values, alert.fingerprint, arrival.time_ms)
        because = (reason(rule, values),)
        if verdict.group:
            touched.add(self._stage.correlator.where(alert.fingerprint))
            self._stage.correlator.add(verdict.group, Member(arrival, because))
            touched.add(verdict.group)
        elif verdict.members:
            self._found(verdict, because, touched)
        return bool(verdict.group or verdict.members)

    def _lives(self, number: int) -> bool:
        """Whether alerts may still join: its situation is open, or it has none yet."""
        if self._stage.correlator.group(number) is None:
            return False
        living = self._stage.situations.get(self._stage.by_group.get(number, ""))
        return living is None or living.live

    def _found(self, verdict: Verdict, because: tuple[Reason, ...], touched: set[int]) -> None:
        firing = [a for f in verdict.members if (a := self._stage.alerts.alert(f)) is not None]
        members = [Member(arrival_of(a), because) for a in firing]
        touched.update(self._stage.correlator.where(m.arrival.id) for m in members)
        number = self._stage.correlator.adopt(members, self._stage.topology, kept=True, apart=True)
        self.ruled.founded(verdict.key, min(m.arrival.time_ms for m in members), number)
        touched.add(number)

    # --- held back by a parent ------------------------------------------------------------------------
    def _parent(self, alert: Alert, rule: GroupingRule) -> Alert | None:
        """A firing alert of something that this one's item needs, named as the rule says."""
        if not rule.parent or not alert.item:
            return None
        above = needed(alert.item, self._stage.topology)
        for item in sorted(above):
            for fingerprint in self._firing.get(item, ()):
                found = self._stage.alerts.alert(fingerprint)
                if found is None or found.item != item or found.suppressed_by:
                    continue
                if found.status is AlertStatus.FIRING and rule.parent in (ANY, found.name):
                    return found
        return None

    def _hold(self, alert: Alert, rule: GroupingRule, parent: Alert, changed: dict[str, Alert]) -> None:
        self._held.setdefault(parent.fingerprint, set()).add(alert.fingerprint)
        what = self._stage.topology.name(parent.item)
        text = f"The rule “{rule.name}” holds it back: {what}, which it needs, has {parent.name}."
        because = (*_own(alert), Reason(ReasonKind.RULE, text, 0.0, {"held_by": rule.id}))
        held = self._stage.alerts.hold(alert.fingerprint, f"alert:{parent.fingerprint}", because)
        if held is not None:
            changed[alert.fingerprint] = held

    def released(self, alerts: Mapping[str, Alert], changed: dict[str, Alert]) -> list[str]:
        """Those held back whose parent's alert is over: they begin to be noticed."""
        over = [f for f, a in alerts.items() if a.status is AlertStatus.RESOLVED and f in self._held]
        free = sorted(f for parent in over for f in self._held.pop(parent))
        for f in free:
            alert = self._stage.alerts.alert(f)
            if alert is not None and alert.suppressed_by.startswith("alert:"):
                freed = self._stage.alerts.hold(f, "", _own(alert))
                if freed is not None:
                    changed[f] = freed
        return free

    # --- over a restart -------------------------------------------------------------------------------
    def recall(self, alerts: Sequence[Alert]) -> None:
        """Find again what fires, and what is held back."""
        self.see(alerts)
        for a in alerts:
            kind, _, parent = a.suppressed_by.partition(":")
            if kind == "alert" and a.status is AlertStatus.FIRING:
                self._held.setdefault(parent, set()).add(a.fingerprint)

    def recall_group(self, members: Sequence[Member], number: int) -> None:
        """A group was made again; perhaps a rule's."""
        key = key_of(members[0].because) if members else None
        if key is not None:
            self.ruled.founded(key, min(m.arrival.time_ms for m in members), number)


RESTORED = "restored-"  # with which the ids of acts begin that only tell again what there was


def facts_of(alert: Alert, item: str, item_kind: str) -> dict[str, Any]:
    """What is asked about an alert and what rules group by: its item's name and kind are among it."""
    return {
        "name": alert.name, "severity": alert.severity.value, "summary": alert.summary, "labels": alert.labels,
        "annotations": alert.annotations, "source": alert.source, "item": item, "item_kind": item_kind,
    }  # fmt: skip


def needed(item: str, topology: Topology) -> set[str]:
    """What an item needs, directly or by what it needs: what it depends on and what it runs on."""
    found: set[str] = set()
    ring = [item]
    for _ in range(STEPS):
        ring = [
            r.target
            for x in ring
            for r in topology.outgoing.get(x, ())
            if r.kind in NEEDS and r.target not in found and r.target != item
        ]
        found.update(ring)
        if not ring or len(found) > MOST:
            break
    return found


def ruled(members: Sequence[Any]) -> bool:
    """Whether a rule has put these together (Member or Membership)."""
    return bool(members) and key_of(members[0].because) is not None


def _own(alert: Alert) -> tuple[Reason, ...]:
    return tuple(r for r in alert.because if "held_by" not in r.data or r.kind is not ReasonKind.RULE)
