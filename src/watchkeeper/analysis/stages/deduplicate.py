"""Deduplicate: what was told (events, findings) becomes one living alert per fingerprint. Every resolve is
recorded, also of a silenced alert; a repeat costs no write until something that people see has changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from msgspec.structs import replace

from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.stages.deduplicate_living import FIRING, Living, LivingAlerts
from watchkeeper.analysis.stages.deduplicate_told import Told, from_event, from_finding
from watchkeeper.analysis.stages.deduplicate_waiting import Flapping, Waiting
from watchkeeper.analysis.stages.holding import ACTS, Holds
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.errors import Malformed
from watchkeeper.model.verdicts import DEDUP_KEY, Alert, AlertStatus, Severity

LATE_MS = 300_000  # a firing that began before the last resolve is late news for so long after that resolve
TEXT_MS = 30_000  # new texts of a repeat are written at most this often
COUNT_MS = 300_000  # and mere counts this often
KEEP_MS = 86_400_000  # a resolved alert that comes back within a day is the same living thing
PATIENT_MS = 60_000  # after a start senders get so long to tell again what they told before
CAUGHT_UP = 16_384  # a read of fewer rows has no backlog behind it
KEEP_MOST = 50_000  # resolved alerts kept in memory, the last resolved
_OF_ALERTS = (ActKind.ACKNOWLEDGE, ActKind.UNACKNOWLEDGE)
_time = attrgetter("time_ms")


class Deduplicate:
    """Stage. Fingerprints are those of the whole label set (events) or of the detector's key (findings)."""

    name = "deduplicate"

    def __init__(self, living: LivingAlerts | None = None) -> None:
        self.living = LivingAlerts() if living is None else living
        self.holds = Holds()
        self.refused = 0  # acts that could not be taken
        self._flapping = Flapping()
        self._unwritten = Waiting()  # fingerprint → when its counts or texts are due to be written
        self._timeouts = Waiting()
        self._acknowledged = Waiting()
        self._over = Waiting()  # resolved alerts → when they are forgotten
        self._texts: dict[
            str, tuple[str, dict[str, str], str]
        ] = {}  # summary, annotations, url not yet written
        self._restored = False
        self._patient_until_ms = 0
        self._heard_ms = 0  # the newest arrival seen: while there is a backlog it lags behind the clock
        self._changed: dict[str, Living] = {}
        self._began: list[str] = []

    def process(self, work: Work) -> None:
        """Fill `work.alerts` and `work.began`."""
        self._changed, self._began = {}, []
        self._acts(work.acts)
        if work.became or work.belongs:
            self._move(work.became, work.belongs)
        if self.holds.advance(work.now_ms, work.topology) or self._restored:
            self._look_again()
        if self._restored:
            self._restored, self._patient_until_ms = False, work.now_ms + PATIENT_MS
        acknowledged = deque(sorted((a for a in work.acts if a.kind in _OF_ALERTS), key=_time))
        for event in work.events:
            if event.kind == "alert":
                while acknowledged and acknowledged[0].time_ms < event.received_ms:
                    self._acknowledge(acknowledged.popleft())
                self._tell(from_event(event), work.now_ms)
        for act in acknowledged:
            self._acknowledge(act)
        for finding in work.findings:
            self._tell(from_finding(finding, work.now_ms), work.now_ms)
        self._pass_time(work.now_ms, self._reached(work))
        work.alerts.update((k, v.current()) for k, v in self._changed.items())
        work.began.extend(self._began)

    def _reached(self, work: Work) -> int:
        """The time up to which everything that arrived has been seen: only so far may silence be held against
        a sender, or a backlog worked off after a stop would end alerts whose repeats are still in it."""
        if work.events:
            self._heard_ms = max(self._heard_ms, max(e.received_ms for e in work.events))
            return min(self._heard_ms, work.now_ms)
        caught_up = sum(rows.num_rows for _, _, rows in work.batches) < CAUGHT_UP
        return work.now_ms if caught_up and work.now_ms >= self._patient_until_ms else self._heard_ms

    # --- what is told -----------------------------------------------------------------------------
    def _tell(self, told: Told, now_ms: int) -> None:
        known = self.living.get(told.fingerprint)
        if known is None:
            # What ends by its key alone says nothing of itself: there is no alert to show.
            if told.firing or DEDUP_KEY not in told.labels:
                self._first(told, now_ms)
        elif told.firing and known.alert.status is not FIRING:
            self._again(known, told, now_ms)
        elif told.firing:
            self._repeat(known, told, now_ms)
        else:
            self._resolve(known, told, now_ms)

    def _first(self, told: Told, now_ms: int) -> None:
        alert = Alert(
            fingerprint=told.fingerprint,
            item=told.item,
            name=told.name,
            severity=Severity.parse(told.severity),
            status=FIRING if told.firing else AlertStatus.RESOLVED,
            summary=told.summary,
            labels=told.labels,
            annotations=told.annotations,
            url=told.url,
            source=told.source,
            starts_ms=told.starts_ms,
            ends_ms=0 if told.firing else told.ends_ms,
            first_seen_ms=told.seen_ms,
            last_seen_ms=told.seen_ms,
            times_out_ms=told.times_out_ms,
            score=told.score,
            because=told.because,
        )
        held = self.holds.first(alert)
        living = self.living.add(replace(alert, suppressed_by=held) if held else alert)
        self._changed[told.fingerprint] = living
        if told.firing:
            self._began.append(told.fingerprint)
            self._timeouts.put(told.fingerprint, told.times_out_ms)
        else:
            self._over.put(told.fingerprint, now_ms + KEEP_MS)

    def _again(self, known: Living, told: Told, now_ms: int) -> None:
        """A firing after a resolve; unless it is late news of what was already resolved."""
        known.count += 1
        known.last_seen_ms = max(known.last_seen_ms, told.seen_ms)
        ended = known.alert.ends_ms
        if told.starts_ms <= ended and not known.timed_out and told.seen_ms <= ended + LATE_MS:
            self._write_later(told.fingerprint, now_ms + COUNT_MS)
            return
        known.times_out_ms, known.timed_out = told.times_out_ms, False
        alert = replace(
            known.current(),
            status=FIRING,
            starts_ms=max(told.starts_ms, ended),
            ends_ms=0,
            item=told.item,
            firings=known.alert.firings + 1,
            acknowledged_by="",
            acknowledged_until_ms=0,
            summary=told.summary,
            annotations=told.annotations,
            url=told.url,
            severity=Severity.parse(told.severity),
            score=told.score,
            because=told.because,
            flapping=self._flapping.changed(known, now_ms),
        )
        known.alert = replace(alert, suppressed_by=self.holds.first(alert))
        self._changed[told.fingerprint] = known
        self._began.append(told.fingerprint)
        self._over.remove(told.fingerprint)
        self._acknowledged.remove(told.fingerprint)
        self._timeouts.put(told.fingerprint, told.times_out_ms)

    def _repeat(self, known: Living, told: Told, now_ms: int) -> None:
        known.count += 1
        if told.seen_ms > known.last_seen_ms:
            known.last_seen_ms = told.seen_ms
        a = known.alert
        if told.times_out_ms != known.times_out_ms and (
            told.times_out_ms > known.times_out_ms or not told.times_out_ms
        ):
            known.times_out_ms = told.times_out_ms
            self._timeouts.put(told.fingerprint, told.times_out_ms)
            if a.times_out_ms and a.times_out_ms < now_ms + 2 * COUNT_MS:  # the record would time out first
                self._write_later(
                    told.fingerprint, now_ms + min(COUNT_MS, max(0, a.times_out_ms - now_ms) // 3)
                )
        severity = Severity.parse(told.severity)
        starts = min(told.starts_ms, a.starts_ms) if a.firings == 1 else a.starts_ms
        if severity is not a.severity or told.item != a.item or starts != a.starts_ms:
            known.alert = replace(a, severity=severity, item=told.item, starts_ms=starts)
            self._changed[told.fingerprint] = known
            if told.item != a.item:
                self._reconsider(known)
        if told.summary != a.summary or told.annotations != a.annotations or told.url != a.url:
            self._texts[told.fingerprint] = (told.summary, told.annotations, told.url)
            self._write_later(told.fingerprint, now_ms + TEXT_MS)
        else:
            self._write_later(told.fingerprint, now_ms + COUNT_MS)

    def _resolve(self, known: Living, told: Told, now_ms: int) -> None:
        known.count += 1
        known.last_seen_ms = max(known.last_seen_ms, told.seen_ms)
        a = known.alert
        if a.status is FIRING and told.ends_ms >= a.starts_ms:
            self._end(told.fingerprint, known, told.ends_ms, now_ms)
        elif a.status is not FIRING and told.ends_ms > a.ends_ms:
            known.timed_out = False
            known.alert = replace(a, ends_ms=told.ends_ms)
            self._changed[told.fingerprint] = known
        else:  # the end of a firing before the present one, or news already known
            self._write_later(told.fingerprint, now_ms + COUNT_MS)

    def _end(self, fingerprint: str, known: Living, ends_ms: int, now_ms: int) -> None:
        flapping = self._flapping.changed(known, now_ms)
        known.alert = replace(
            known.current(), status=AlertStatus.RESOLVED, ends_ms=ends_ms, flapping=flapping
        )
        self._changed[fingerprint] = known
        self._over.put(fingerprint, now_ms + KEEP_MS)

    # --- acts ---------------------------------------------------------------------------------------
    def _acts(self, acts: Sequence[Act]) -> None:
        """What holds back; who acknowledges does so between the events of one read, for it may be about one of them."""
        for act in acts:
            if act.kind in ACTS:
                try:
                    self.holds.take(act)
                except Malformed:
                    self.refused += 1

    def _acknowledge(self, act: Act) -> None:
        known = self.living.get(act.target)
        if known is None or known.alert.status is not FIRING:
            return
        by = act.actor if act.kind is ActKind.ACKNOWLEDGE else ""
        until = int(act.data.get("until_ms", 0)) if by else 0
        known.alert = replace(known.alert, acknowledged_by=by, acknowledged_until_ms=until)
        self._acknowledged.put(act.target, until)
        self._changed[act.target] = known

    def _move(self, became: Mapping[str, str], belongs: Mapping[str, str]) -> None:
        """Items were merged, told apart or removed: alerts are about what these are now."""
        self.holds.move(became)
        for known in self.living:
            a = known.alert
            item = belongs.get(a.fingerprint, became.get(a.item, a.item))
            if item != a.item:
                known.alert = replace(a, item=item)
                self._changed[a.fingerprint] = known
                self._reconsider(known)

    def _look_again(self) -> None:
        """What holds alerts back changed: who is held back, and who no longer."""
        for known in self.living:
            self._reconsider(known)

    def _reconsider(self, known: Living) -> None:
        """Whether this alert is held back now; one that fires and is no longer, begins to be noticed."""
        a = known.alert
        held = self.holds.first(a)
        if held == a.suppressed_by:
            return
        known.alert = replace(a, suppressed_by=held)
        self._changed[a.fingerprint] = known
        if not held and a.status is FIRING:
            self._began.append(a.fingerprint)
            if a.suppressed_by.startswith("maintenance:") and not a.situation:
                known.alert = replace(known.alert, because=(*a.because, self.holds.held_back(a)))

    # --- time ---------------------------------------------------------------------------------------
    def _pass_time(self, now_ms: int, reached_ms: int) -> None:
        for f in self._timeouts.due(reached_ms):
            known = self.living.get(f)
            if known is not None and known.alert.status is FIRING and 0 < known.times_out_ms <= reached_ms:
                known.timed_out = True
                self._end(f, known, known.times_out_ms, now_ms)
        for f in self._acknowledged.due(now_ms):
            known = self.living.get(f)
            if known is not None and known.alert.acknowledged_by:
                known.alert = replace(known.alert, acknowledged_by="", acknowledged_until_ms=0)
                self._changed[f] = known
        for known in self._flapping.calmed(now_ms):
            known.alert = replace(known.alert, flapping=False)
            self._changed[known.alert.fingerprint] = known
        for f in self._unwritten.due(now_ms):
            known = self.living.get(f)
            if known is not None and (known.stale or f in self._texts):
                self._changed[f] = known
        for f in list(self._over.due(now_ms)) + self._over.beyond(KEEP_MOST):
            self.living.drop(f)
            self._unwritten.remove(f)
        for f, known in self._changed.items():
            self._unwritten.remove(f)
            told = self._texts.pop(f, None)
            if told and known.alert.status is FIRING:
                known.alert = replace(known.alert, summary=told[0], annotations=told[1], url=told[2])

    def _write_later(self, fingerprint: str, at_ms: int) -> None:
        self._unwritten.put_earlier(fingerprint, at_ms)

    # --- over a restart -----------------------------------------------------------------------------
    def snapshot(self) -> Any:
        """When alerts changed within the flapping window; alerts, silences and windows have their records."""
        return {"version": 2, "changes": self._flapping.snapshot(self.living)}

    def restore(self, state: Any, alerts: Sequence[Alert], situations: Sequence[object]) -> None:
        """Take the alerts back; `state` of another version is as good as none. Silences and windows come as acts."""
        del situations  # nothing of them is needed here
        for alert in alerts:
            held = self.living.add(alert)
            f = alert.fingerprint
            if alert.status is FIRING:
                self._timeouts.put(f, alert.times_out_ms)
                self._acknowledged.put(f, alert.acknowledged_until_ms)
            else:
                held.timed_out = alert.times_out_ms == alert.ends_ms
                self._over.put(f, alert.ends_ms + KEEP_MS)
        known = isinstance(state, dict) and state.get("version") == 2
        self._flapping.restore(state["changes"] if known else {}, self.living)
        self._restored = True
