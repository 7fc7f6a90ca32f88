"""Detect: samples and logs become findings, few of them, each in a plain sentence with its numbers.

Eight parts look: Levels (a series left its usual range), Together (several of an item stray a little), Drifts (a series
moves one way, slowly, for long), Silences (who used to send does not), StuckValues (what always changed stands still), Logs
(a new error message, a message that comes unusually often), Talkers (an item asks whom it never asked), Thresholds (a rule
that a person made holds). This stage feeds them; detect_findings.py words them, detect_thresholds_words.py those of the
rules, and Telling decides what people hear of: not what one of them called usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from watchkeeper.analysis.detectors.rates import COUNTER, LEARNED_COUNTER
from watchkeeper.analysis.pipeline import SeriesInfo, Work
from watchkeeper.analysis.shade import Compared
from watchkeeper.analysis.stages import detect_findings as findings
from watchkeeper.analysis.stages.detect_beside import Pair
from watchkeeper.analysis.stages.detect_drift import Drifts
from watchkeeper.analysis.stages.detect_episodes import Change, Episode
from watchkeeper.analysis.stages.detect_joint import Together
from watchkeeper.analysis.stages.detect_levels import Levels
from watchkeeper.analysis.stages.detect_logs import Logs
from watchkeeper.analysis.stages.detect_logs_words import KINDS as LOG_KINDS
from watchkeeper.analysis.stages.detect_resting import Resting
from watchkeeper.analysis.stages.detect_silence import Silences
from watchkeeper.analysis.stages.detect_stuck import StuckValues
from watchkeeper.analysis.stages.detect_talkers import Talkers
from watchkeeper.analysis.stages.detect_telling import Telling
from watchkeeper.analysis.stages.detect_thresholds import SOURCE, ThresholdRules
from watchkeeper.analysis.stages.detect_usual import ACTS, widened
from watchkeeper.analysis.templates.templater import Templater
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.signals import Stream
from watchkeeper.model.verdicts import Alert, AlertStatus, Finding, Situation

VERSION = "detect-1"


class Detect:
    """Stage. `templater` is shared with whoever stores log rows, so that template ids agree."""

    name = "detect"

    def __init__(self, templater: Templater | None = None) -> None:
        self.resting = Resting()
        self.telling = Telling()
        self.levels = Levels(self.resting, self.telling.judgements.of("level"))
        self.together = Together(self.levels)
        self.silences = Silences()
        self.stuck = StuckValues(self.levels)
        self.drifts = Drifts(self.levels)
        self.talkers = Talkers()
        self.logs = Logs(templater or Templater(), self.resting)
        self.logs.rates.episodes.usual = self.telling.judgements.of("rate")
        self.rules = ThresholdRules()
        self._newest_ms = 0  # of the points of the present Work

    def process(self, work: Work) -> None:
        """Add findings of this Work's samples, of its log rows, and of what did not come."""
        self.resting.hear(work)
        self.telling.hear(work)
        self._acts(work)
        self.levels.beside.hear(work.acts)
        changes = self._samples(work) + self.levels.tick(work.now_ms)
        for change in changes:
            self.telling.episode(change, self._level(change, work), work)
        work.compared += [self._compared(pair, work) for pair in self.levels.beside.take()]
        for joined in self.together.look(self._newest_ms, work.series):
            rates = {p.series: self._per_second(p.series) for p in joined.parts}
            self.telling.tell(findings.joint(joined, work, rates), work)
        rest = self.levels.rest.at(work.now_ms)
        for silence in self.silences.look(work.now_ms, self.levels.by_slot, work.series, rest):
            self.telling.tell(findings.silence(silence, work), work)
        for standing in self.stuck.look(work.now_ms, work.series):
            self.telling.tell(findings.stuck(standing, work), work)
        for drifted in self.drifts.look(work.now_ms, work.series):
            self.telling.tell(findings.drift(drifted, work), work, dated=False)
        for talk in self.talkers.look(work):
            self.telling.tell(findings.new_talk(talk, work.topology), work)
        self._logs(work)
        work.findings += self.rules.process(work)
        work.held += self.telling.judgements.take_held()

    def _logs(self, work: Work) -> None:
        self.logs.hear(work.acts)
        for offset, stream, batch in work.batches:
            if stream is Stream.LOGS and batch.num_rows:
                items = work.log_items.get(offset)
                for finding in self.logs.process(batch, items, work.now_ms, work.topology):
                    self.telling.tell(finding, work)
        said, rates = self.logs.tick(work.now_ms, work.topology)
        for finding in said:
            self.telling.tell(finding, work)
        for change in rates:
            info = self.logs.info(change.series)
            self.telling.episode(change, findings.rate(change, info, work.topology), work)

    def _acts(self, work: Work) -> None:
        """What people call usual, and take back."""
        for n, act in enumerate(work.acts):
            if act.kind not in ACTS:
                continue
            kind, _, key = str(act.data.get("key", "")).partition("|")
            levels = {"level": self.levels, "rate": self.logs.rates}.get(kind)
            if act.kind is ActKind.UNUSUAL:
                self.telling.judgements.end(act.target)
                self.levels.episodes.release(act.target)
                self.logs.rates.episodes.release(act.target)
            elif levels is None:
                self.telling.usual(act, work)
            else:
                series = int(key, 16)
                work.acts[n] = (
                    self._as_far_as_it_went(act, levels.episodes.of(series), work) if kind == "level" else act
                )
                if self.telling.usual(work.acts[n], work):
                    levels.episodes.hold(series, act.id)

    def _as_far_as_it_went(self, act: Act, episode: Episode | None, work: Work) -> Act:
        if episode is None:
            return act
        finding = self._level(Change(int(act.data["key"].partition("|")[2], 16), episode, True), work)
        data = finding.because[0].data
        text = f"{data['what']} {'up' if episode.up else 'down'} to {data['now']}"
        return widened(act, episode.value, episode.up, text)

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        return {
            "version": VERSION, "levels": self.levels.snapshot(), "silences": self.silences.snapshot(),
            "logs": self.logs.snapshot(), "rules": self.rules.snapshot(), "together": self.together.snapshot(),
            "telling": self.telling.snapshot(), "talkers": self.talkers.snapshot(),
            "stuck": self.stuck.snapshot(), "drifts": self.drifts.snapshot(),
        }  # fmt: skip

    def restore(self, state: Any, alerts: Sequence[Alert], situations: Sequence[Situation]) -> None:
        """Take back a snapshot, and what living alerts say was told after it was made. Each part that is of another
        version is learned again, and says nothing until it knows enough."""
        del situations
        known = isinstance(state, dict) and state.get("version") == VERSION
        if known:
            if self.levels.restore(state["levels"]) and "together" in state:
                self.together.restore(state["together"])
            self.silences.restore(state["silences"])
            self.logs.restore(state["logs"])
            self.telling.restore(state.get("telling"))
            self.talkers.restore(state.get("talkers"))
            self.stuck.restore(state.get("stuck"))
            self.drifts.restore(state.get("drifts"))
        told = [a for a in alerts if a.status is AlertStatus.FIRING and a.source == SOURCE and a.because]
        self.rules.restore(state.get("rules") if known else None, told)
        for alert in alerts:
            if (
                alert.status is AlertStatus.FIRING
                and alert.source in (*findings.KINDS, *LOG_KINDS)
                and alert.because
            ):
                self._remember(alert, alert.because[0].data)

    def _samples(self, work: Work) -> list[Change]:
        self.levels.declare(work.changed_series, work.series)
        batches = [b for _, stream, b in work.batches if stream is Stream.SAMPLES]
        series, times, values = (
            _column(batches, name, kind)
            for name, kind in (("series", np.uint64), ("time_ms", np.int64), ("value", np.float64))
        )
        if (empty := np.isnan(values)).any():  # marks that a series ended
            series, times, values = series[~empty], times[~empty], values[~empty]
        self.resting.look(work.now_ms, times, work.topology)
        changes = self.levels.process(series, times, values, work.series)
        slots = self.levels.slots_of(series)
        self.stuck.arrived(slots, times, values)
        self.drifts.arrived(slots, times, values, work.now_ms)
        self.silences.arrived(slots, work.now_ms, self.levels.rest.at(work.now_ms))
        self._newest_ms = min(int(times.max()), work.now_ms) if len(times) else 0
        return changes

    def _per_second(self, series: int) -> bool:
        return int(self.levels.last(series)["rate"]["kind"]) in (COUNTER, LEARNED_COUNTER)

    def _level(self, change: Change, work: Work) -> Finding:
        unknown = SeriesInfo(change.series, "value", {}, "unknown", "", "")
        value = float(self.levels.last(change.series)["value"])
        info = work.series.get(change.series, unknown)
        return findings.level(change, info, self._per_second(change.series), value, work.topology)

    def _compared(self, pair: Pair, work: Work) -> Compared:
        info = work.series.get(pair.series, SeriesInfo(pair.series, "value", {}, "unknown", "", ""))
        name = findings.subject(info, work.topology)
        subject = f"{pair.series:016x}.{pair.since_ms}"
        return self.levels.beside.shade.compared(subject, name, pair.deciding, pair.shade)

    def _remember(self, alert: Alert, data: dict[str, Any]) -> None:
        """Take for told what a living alert says, so that its end is told too."""
        if "key" in data:
            self.telling.remember(data["key"])
        if alert.source in ("level", "rate"):
            levels = self.levels if alert.source == "level" else self.logs.rates
            levels.remember(*findings.episode_of(data))
        elif alert.source == "silence":
            self.silences.remember(findings.silence_of(data, alert.item, alert.last_seen_ms))
        elif alert.source == "stuck":
            self.stuck.remember(findings.stuck_of(data, alert.item))
        elif alert.source == "drift":
            self.drifts.remember(*findings.drift_of(data))
        elif alert.source == "joint":
            self.together.remember(findings.joint_of(data, alert.item))
        elif alert.source == "new_talker":
            self.talkers.remember(findings.new_talk_of(data))
        else:
            self.logs.remember(alert, data)


def _column(batches: Sequence[pa.RecordBatch], name: str, kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([b.column(name).to_numpy() for b in batches]) if batches else np.empty(0, kind)


__all__ = ["VERSION", "Detect"]
