"""Detect: samples and logs become findings, few of them, each in a plain sentence with its numbers.

Three parts look: Levels (a series left its usual range), Silences (who used to send does not), Logs (a new
error message, a message that comes unusually often). This stage feeds them; detect_findings.py words them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from watchkeeper.analysis.detectors.rates import COUNTER, LEARNED_COUNTER
from watchkeeper.analysis.pipeline import SeriesInfo, Work
from watchkeeper.analysis.stages import detect_findings as findings
from watchkeeper.analysis.stages.detect_levels import Change, Levels
from watchkeeper.analysis.stages.detect_logs import Logs, NewMessage
from watchkeeper.analysis.stages.detect_silence import Silences
from watchkeeper.analysis.templates.templater import Templater
from watchkeeper.model.signals import Stream
from watchkeeper.model.topology import Topology
from watchkeeper.model.verdicts import Alert, AlertStatus, Finding, Situation

VERSION = "detect-1"


class Detect:
    """Stage. `templater` is shared with whoever stores log rows, so that template ids agree."""

    name = "detect"

    def __init__(self, templater: Templater | None = None) -> None:
        self.levels = Levels()
        self.silences = Silences()
        self.logs = Logs(templater or Templater())

    def process(self, work: Work) -> None:
        """Add findings of this Work's samples, of its log rows, and of what did not come."""
        changes = self._samples(work) + self.levels.tick(work.now_ms)
        work.findings += [self._level(change, work) for change in changes]
        silences = self.silences.look(work.now_ms, self.levels.by_slot, work.series)
        work.findings += [findings.silence(s, work) for s in silences]
        messages: list[NewMessage] = []
        for offset, stream, batch in work.batches:
            if stream is Stream.LOGS and batch.num_rows:
                messages += self.logs.process(batch, work.log_items.get(offset), work.now_ms)
        over, rates = self.logs.tick(work.now_ms)
        work.findings += [self._message(m, work.topology) for m in messages + over]
        work.findings += [findings.rate(c, self.logs.info(c.series), work.topology) for c in rates]

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        return {
            "version": VERSION, "levels": self.levels.snapshot(), "silences": self.silences.snapshot(),
            "logs": self.logs.snapshot(),
        }  # fmt: skip

    def restore(self, state: Any, alerts: Sequence[Alert], situations: Sequence[Situation]) -> None:
        """Take back a snapshot, and what living alerts say was told after it was made. Without one, or with
        one of another version, all is learned again."""
        del situations
        known = isinstance(state, dict) and state.get("version") == VERSION
        if known and self.levels.restore(state["levels"]):
            self.silences.restore(state["silences"])
            self.logs.restore(state["logs"])
        for alert in alerts:
            if alert.status is AlertStatus.FIRING and alert.source in findings.KINDS and alert.because:
                self._remember(alert, alert.because[0].data)

    def _samples(self, work: Work) -> list[Change]:
        self.levels.declare(work.changed_series, work.series)
        batches = [b for _, stream, b in work.batches if stream is Stream.SAMPLES]
        if not batches:
            return []
        series, times, values = (
            np.concatenate([b.column(name).to_numpy() for b in batches])
            for name in ("series", "time_ms", "value")
        )
        changes = self.levels.process(series, times, values, work.series)
        self.silences.arrived(self.levels.slots_of(series), work.now_ms)
        return changes

    def _level(self, change: Change, work: Work) -> Finding:
        unknown = SeriesInfo(change.series, "value", {}, "unknown", "", "")
        s = self.levels.last(change.series)
        per_second = int(s["rate"]["kind"]) in (COUNTER, LEARNED_COUNTER)
        info = work.series.get(change.series, unknown)
        return findings.level(change, info, per_second, float(s["value"]), work.topology)

    def _message(self, message: NewMessage, topology: Topology) -> Finding:
        return findings.message(message, self.logs.templater.text(message.template), topology)

    def _remember(self, alert: Alert, data: dict[str, Any]) -> None:
        """Take for told what a living alert says, so that its end is told too."""
        if alert.source in ("level", "rate"):
            levels = self.levels if alert.source == "level" else self.logs.rates
            levels.remember(*findings.episode_of(data))
        elif alert.source == "silence":
            self.silences.remember(findings.silence_of(data, alert.item, alert.last_seen_ms))
        else:
            message = findings.message_of(data, alert.item, alert.starts_ms)
            self.logs.remember(message, alert.last_seen_ms)


__all__ = ["VERSION", "Detect"]
