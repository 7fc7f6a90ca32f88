"""Rules that wait for what does not come: by item, or by series where no item is known.

Times are those of arrival. A series counts once it has come; while nothing that a rule covers has ever come, the rule
itself is what is missing. What nobody could have received (we were not running) is not held against anybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.detectors.thresholds import ABSENT
from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.stages import detect_thresholds_words as words
from watchkeeper.model.thresholds import Rule
from watchkeeper.model.verdicts import Finding

STALL_MS = 60_000  # between two looks: we were not running
GIVEN_UP_MS = 7 * 86_400_000  # of silence, after which nobody expects it any more


class Group(NamedTuple):
    """What comes from one item, or one series: when it last came, and after how long it is missed."""

    item: str
    labels: Mapping[str, str]
    last_ms: int
    for_ms: int


class Absences:
    """Since when each rule has been waiting."""

    def __init__(self) -> None:
        self._since: dict[str, int] = {}
        self._at = 0

    def begin(self, rule: str, now_ms: int) -> None:
        """Wait from now on, unless that is so already."""
        self._since.setdefault(rule, now_ms)

    def end(self, rule: str) -> None:
        """The rule is no more."""
        self._since.pop(rule, None)

    def look(
        self, work: Work, rules: Mapping[str, Rule], keys: Sequence[tuple[str, int]], rows: NDArray[Any],
        told: dict[str, Finding],
    ) -> list[Finding]:  # fmt: skip
        """What is missing now, and what has come again; `told` is what fires, and is brought up to date."""
        self._pause(work.now_ms, rows)
        out = []
        waiting = {rule.id: dict[str, Group]() for rule in rules.values() if rule.absent}
        for n in np.flatnonzero((rows["operator"] == ABSENT) & (rows["heard"] > 0)).tolist():
            self._gather(waiting[keys[n][0]], rows[n], work)
        for rule, groups in waiting.items():
            out += self._told(rules[rule], groups, work, told)
        return out

    def _gather(self, groups: dict[str, Group], row: Any, work: Work) -> None:
        info = work.series.get(int(row["series"]))
        if info is None or work.now_ms - row["heard"] > GIVEN_UP_MS:
            return
        name, labels = (info.item, {}) if info.item else (f"{info.id:016x}", info.labels)
        last, wait = int(row["heard"]), int(row["for_ms"])
        if (known := groups.get(name)) is not None:
            last, wait = max(last, known.last_ms), max(wait, known.for_ms)
        groups[name] = Group(info.item, labels, last, wait)

    def _told(
        self, rule: Rule, groups: dict[str, Group], work: Work, told: dict[str, Finding]
    ) -> list[Finding]:
        if not groups:
            limits = rule.limits({}, rule.item, "")
            if limits is not None:
                groups = {"": Group(rule.item, {}, self._since.get(rule.id, work.now_ms), limits.for_ms)}
        out, missing = [], set()
        for name, group in groups.items():
            key = words.key(rule.id, name or "any")
            if work.now_ms - group.last_ms <= group.for_ms:
                continue
            missing.add(key)
            if key not in told:
                told[key] = words.absent(rule, name, *group, work.now_ms, work.topology)
                out.append(told[key])
        mine = [k for k in told if words.rule_of(k) == rule.id and k not in missing]
        for k in mine:
            data = told[k].because[0].data
            if data["group"] in groups or not data["group"]:
                out.append(words.over(told.pop(k), "it comes again.", work.now_ms))
            elif work.now_ms - data["since_ms"] > GIVEN_UP_MS:  # else: not known yet since a restart
                out.append(words.over(told.pop(k), "nobody expects it any more.", work.now_ms))
        return out

    def _pause(self, now_ms: int, rows: NDArray[Any]) -> None:
        stalled = now_ms - self._at if self._at else 0
        self._at = now_ms
        if stalled > STALL_MS or stalled < 0:  # then the clock was set back
            rows["heard"][(rows["operator"] == ABSENT) & (rows["heard"] > 0)] += stalled
            self._since = {rule: at + stalled for rule, at in self._since.items()}

    def snapshot(self) -> dict[str, Any]:
        """As plain data."""
        return {"since": self._since, "at": self._at}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back a snapshot; the time until the next look is nobody's silence."""
        self._since, self._at = dict(state["since"]), state["at"]
