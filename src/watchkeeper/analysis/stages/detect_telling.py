"""What of all that was found is told: not what a person called usual; and with the change that it began after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.stages import detect_findings as findings
from watchkeeper.analysis.stages.detect_changes import Changes, phrase, reason
from watchkeeper.analysis.stages.detect_episodes import Change
from watchkeeper.analysis.stages.detect_usual import Judgements
from watchkeeper.model.act import Act
from watchkeeper.model.errors import Malformed
from watchkeeper.model.verdicts import Finding


class Telling:
    """Adds findings to a Work; knows by key what is told, and what is held back by which judgement."""

    def __init__(self) -> None:
        self.judgements = Judgements()
        self.changes = Changes()
        self.refused = 0  # acts that could not be taken
        self._told: dict[str, None] = {}
        self._held: dict[str, str] = {}

    def hear(self, work: Work) -> None:
        """Take in the changes among the events of this Work."""
        self.changes.hear(work)

    def episode(self, change: Change, finding: Finding, work: Work) -> None:
        """A series' episode that begins or is over; it knows itself whether it is held back."""
        e = change.episode
        if change.active and e.held:
            self.judgements.note(e.held, e.began_ms, finding.summary)
            return
        if change.active and (found := self.changes.before(finding.item, e.began_ms, work.topology)):
            e.changed = phrase(found, work.topology)
        self._add(finding, work)

    def tell(self, finding: Finding, work: Work, *, dated: bool = True) -> None:
        """Something without a range: it is held back when a judgement is about its like. `dated` when it is known to the
        minute since when, so that it can have begun after a change."""
        key = finding.key
        if not finding.active:
            if self._held.pop(key, "") == "":
                self._add(finding, work)
        elif found := self.judgements.cover(key, finding.time_ms):
            self._held[key] = found.id
            self.judgements.note(found.id, finding.time_ms, finding.summary)
        else:
            self._add(finding, work, dated=dated)

    def _add(self, finding: Finding, work: Work, *, dated: bool = True) -> None:
        if not finding.active:
            self._told.pop(finding.key, None)
        else:
            self._told[finding.key] = None
            if dated and (found := self.changes.before(finding.item, finding.time_ms, work.topology)):
                because = (*finding.because, reason(found, finding.time_ms, work.topology))
                finding = msgspec.structs.replace(finding, because=because)
        work.findings.append(finding)

    def usual(self, act: Act, work: Work) -> bool:
        """A person calls something usual; what was told of it is over. False when the act cannot be taken."""
        try:
            made = self.judgements.take(act)
        except Malformed:
            self.refused += 1
            return False
        if made.key in self._told:
            del self._told[made.key]
            self._held[made.key] = made.id
            work.findings.append(findings.ended(act, work.now_ms))
        return True

    def remember(self, key: str) -> None:
        """A living alert says that this was told."""
        self._told[key] = None

    def snapshot(self) -> dict[str, Any]:
        """As plain data; judgements have their records."""
        return {"changes": self.changes.snapshot(), "held": dict(self._held)}

    def restore(self, state: Mapping[str, Any] | None) -> None:
        """Take back a snapshot."""
        if state is not None:
            self.changes.restore(state["changes"])
            self._held = dict(state["held"])
