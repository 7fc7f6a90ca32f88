"""DetermineCause: what is behind each situation that changed, from its alerts, from changes, and from metrics: these
are asked for (asking.py), read by whoever runs the pipeline, and come back as acts.

The work of one Work is bounded: what does not fit waits for the next, and a large situation is looked at again only
when it has grown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from watchkeeper.analysis.causes.clue import CauseFinder, Change, Clue
from watchkeeper.analysis.causes.joined import joined
from watchkeeper.analysis.causes.ranking import CHANGED_MS, Ranking
from watchkeeper.analysis.pipeline import Stage, Work
from watchkeeper.analysis.shade import Shade
from watchkeeper.analysis.stages.asking import Asking
from watchkeeper.analysis.stages.correlate import Correlate
from watchkeeper.analysis.stages.correlate_living import RANKS, LivingSituation, LivingSituations
from watchkeeper.analysis.stages.correlate_words import title
from watchkeeper.analysis.stages.deduplicate import Deduplicate
from watchkeeper.analysis.stages.deduplicate_living import LivingAlerts
from watchkeeper.model.act import ActKind
from watchkeeper.model.topology import Topology
from watchkeeper.model.verdicts import Alert, Cause, Situation
from watchkeeper.model.versions import CAUSE

BUDGET = 4000  # alerts looked at in one Work, and one situation at least
LARGE = 8  # from so many alerts on, a situation is looked at again when it has grown by a quarter …
AGAIN_MS = 10_000  # … or after this
CHANGES_MS = 7_200_000  # changes are remembered for so long
CHANGES_MOST = 10_000
VERSION = "metrics-1"
LEAD = 1.15  # how much better than the second a cause must be for the title to speak of it


class DetermineCause:
    """Stage."""

    name = "determine_cause"

    def __init__(
        self, alerts: LivingAlerts, situations: LivingSituations, finder: CauseFinder | None = None
    ) -> None:
        self.alerts, self.situations = alerts, situations
        self.finder: CauseFinder = Ranking() if finder is None else finder
        self._waiting: dict[str, int] = {}  # situation → not before
        self._looked: dict[str, tuple[int, int]] = {}  # situation → alerts it had, and when
        self._changes: dict[str, list[Change]] = {}
        self._measured: dict[str, list[Cause]] = {}  # what metrics say of living situations
        self.shade = Shade(CAUSE)
        self._asking = Asking(lambda living: self._alerts(living.situation))

    def process(self, work: Work) -> None:
        """Set causes of situations in `work.situations`, and of others that waited."""
        self._note_changes(work)
        if self.shade.hear(work.acts):  # other versions judge anew what metrics have spoken of
            self._waiting |= dict.fromkeys(self._measured, work.now_ms)
        for id_, situation in work.situations.items():
            living = self.situations.get(id_)
            if living is None or not living.live:
                self._over(situation, work.topology)
            else:
                self._enqueue(living, work.now_ms)
                self._asking.hear(living, work.now_ms)
        self._take_measured(work)
        budget = BUDGET
        for id_ in [k for k, at in self._waiting.items() if at <= work.now_ms]:
            if budget <= 0:
                break
            del self._waiting[id_]
            living = self.situations.get(id_)
            if living is not None and living.live:
                budget -= max(1, len(living.members))
                self._look(living, work)
        self._asking.ask(work, self.situations.get)

    def _enqueue(self, living: LivingSituation, now_ms: int) -> None:
        id_, size = living.situation.id, len(living.members)
        looked, at = self._looked.get(id_, (0, 0))
        if size == looked:
            return
        soon = looked < LARGE or not looked <= size < 1.25 * looked
        self._again(id_, now_ms if soon else at + AGAIN_MS)

    def _again(self, situation: str, soonest_ms: int) -> None:
        self._waiting[situation] = min(self._waiting.get(situation, 2**62), soonest_ms)

    def _look(self, living: LivingSituation, work: Work) -> None:
        self._looked[living.situation.id] = (len(living.members), work.now_ms)
        alerts = self._alerts(living.situation)
        clues = [_clue(a) for a in alerts]
        told = self.finder.rank(clues, work.topology, self._changes)
        measured = self._measured.get(living.situation.id, [])
        causes = joined(told, measured, self.shade.decides)
        if self.shade.shade and measured:
            self._compare(living.situation, causes, joined(told, measured, self.shade.shade), work)
        if causes == living.situation.causes:
            return
        versions = [living.situation.version.split(" ")[0], self.finder.version, *[VERSION] * bool(measured)]
        version = " ".join(versions)
        words = self._title(causes, alerts, living.situation, work.topology)
        situation = self.situations.explain(living.situation.id, causes=causes, version=version, title=words)
        if situation is not None:
            work.situations[situation.id] = situation

    def _compare(
        self, situation: Situation, ours: Sequence[Cause], other: Sequence[Cause], work: Work
    ) -> None:
        first = [causes[0].item if causes else "" for causes in (ours, other)]
        work.compared.append(self.shade.compared(situation.id, situation.title, *first))

    def _alerts(self, situation: Situation) -> list[Alert]:
        found = (self.alerts.alert(m.fingerprint) for m in situation.members)
        return [a for a in found if a is not None]

    def _title(
        self, causes: Sequence[Cause], alerts: Sequence[Alert], situation: Situation, topology: Topology
    ) -> str:
        if not alerts:
            return situation.title
        if causes and (len(causes) == 1 or causes[0].score >= LEAD * causes[1].score):
            items = dict.fromkeys(a.item for a in alerts if a.item)
            sufferers = self.finder.suffering(causes[0].item, items, topology)
            if 2 * len(sufferers) >= len(items):
                return title(alerts, topology, causes[0].item, sufferers)
        return title(alerts, topology)

    def _over(self, situation: Situation, topology: Topology) -> None:
        self._waiting.pop(situation.id, None)
        self._measured.pop(situation.id, None)
        self._asking.forget(situation.id)
        if self._looked.pop(situation.id, None) is not None and not situation.merged_into:
            self.finder.learn([_clue(a) for a in self._alerts(situation)], topology)

    def _take_measured(self, work: Work) -> None:
        for act in work.acts:
            living = self.situations.get(act.target) if act.kind is ActKind.MEASURED else None
            if living is not None and living.live:
                self._measured[act.target] = msgspec.convert(act.data.get("causes", []), list[Cause])
                self._waiting[act.target] = work.now_ms

    def _note_changes(self, work: Work) -> None:
        told = [
            Change(event.id, event.item, event.name, event.starts_ms or event.received_ms)
            for event in work.events
            if event.kind == "change" and event.item
        ]
        if told:
            self._reconsider(told, work)
        for change in told:
            self._changes.setdefault(change.item, []).append(change)
        old = work.now_ms - CHANGES_MS
        if sum(map(len, self._changes.values())) > CHANGES_MOST or any(
            c[0].time_ms < old for c in self._changes.values()
        ):
            kept = {k: [c for c in v if c.time_ms >= old][-50:] for k, v in self._changes.items()}
            self._changes = dict([(k, v) for k, v in kept.items() if v][-CHANGES_MOST:])

    def _reconsider(self, told: Sequence[Change], work: Work) -> None:
        """Changes may be told after what they broke: situations that they can be behind are looked at again."""
        oldest = min(c.time_ms for c in told)
        near: dict[str, list[str]] = {}  # item → situations with alerts of it
        for id_ in self._looked:
            living = self.situations.get(id_)
            if living is not None and living.live and living.situation.opened_ms <= oldest + CHANGED_MS:
                for alert in self._alerts(living.situation):
                    near.setdefault(alert.item, []).append(id_)
        for change in told:
            for item in (change.item, *self.finder.suffering(change.item, near, work.topology)):
                for id_ in near.get(item, ()):
                    size, at = self._looked[id_]
                    self._again(id_, work.now_ms if size < LARGE else at + AGAIN_MS)

    def snapshot(self) -> Any:
        """What the finder has learned, recent changes, and what metrics said."""
        changes = [msgspec.to_builtins(c) for v in self._changes.values() for c in v]
        measured = {k: msgspec.to_builtins(v) for k, v in self._measured.items()}
        return {"finder": self.finder.snapshot(), "changes": changes, "measured": measured}

    def restore(self, state: Any, alerts: Sequence[Alert], situations: Sequence[Situation]) -> None:
        """Take it back. Causes found before lie in the situations, which are asked about again."""
        del alerts  # deduplication has taken them back
        if isinstance(state, dict) and "finder" in state:
            self.finder.restore(state["finder"])
            for plain in state["changes"]:
                change = Change(*plain)
                self._changes.setdefault(change.item, []).append(change)
            self._measured = msgspec.convert(state.get("measured", {}), dict[str, list[Cause]])
        self._looked = {s.id: (len(s.members), 0) for s in situations if s.causes}


def _clue(alert: Alert) -> Clue:
    return Clue(alert.item, alert.name, alert.starts_ms, RANKS[alert.severity])


def alert_stages() -> tuple[Stage, Stage, Stage]:
    """Deduplicate, correlate and determine cause, sharing the alerts and situations that live."""
    alerts, situations = LivingAlerts(), LivingSituations()
    return (
        Deduplicate(alerts),
        Correlate(alerts, situations),
        DetermineCause(alerts, situations),
    )
