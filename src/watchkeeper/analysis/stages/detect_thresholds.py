"""Threshold rules at work: which series each looks at, what turned, and what is told of it.

Rules are matched with series when either is declared or changes, never for a sample. They arrive as acts, so that a
replay gives the same; what is being told comes back from living alerts, how each watch stands from the snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import msgspec
import numpy as np

from watchkeeper.analysis.detectors.thresholds import ABSENT, ASKED, OPERATORS, WATCH, Thresholds, Turn
from watchkeeper.analysis.pipeline import SeriesInfo, Work
from watchkeeper.analysis.stages import detect_thresholds_words as words
from watchkeeper.analysis.stages.detect_thresholds_absent import Absences
from watchkeeper.analysis.stages.detect_thresholds_words import SOURCE
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.signals import Stream
from watchkeeper.model.thresholds import Limits, Rule
from watchkeeper.model.verdicts import Alert, Finding

VERSION = 1
LOOK_MS = 15_000
LOST_MS = 3_600_000  # without a value, after which nothing is said of it any more
MOST = 500_000  # watches
GONE, CHANGED = "the rule was removed or switched off.", "the rule was changed."
LOST = "there are no more values."
Key = tuple[str, int]  # rule, series


class ThresholdRules:
    """Part of Detect."""

    def __init__(self) -> None:
        self.refused = 0  # acts that are no rule
        self.not_watched = 0  # series beyond MOST
        self._rules: dict[str, Rule] = {}
        self._table = Thresholds()
        self._keys: list[Key] = []  # by row
        self._limits: list[Limits] = []
        self._told: dict[str, Finding] = {}  # by key, what is firing
        self._kept: dict[Key, Any] = {}  # rows of the snapshot that are not taken up yet
        self._absences = Absences()
        self._looked_ms = self._began_ms = 0
        self._restored = False

    def process(self, work: Work) -> list[Finding]:
        """What is to be told of this Work."""
        self._began_ms = self._began_ms or work.now_ms
        out = self._follow(work)
        if self._restored:  # the rules there are come with the first Work
            self._restored = False
            out += self._gone(k for k in self._told if words.rule_of(k) not in self._rules)
        if not self._rules:
            return out
        for turn in self._samples(work):
            out += self._turn(turn, work)
        if not 0 <= work.now_ms - self._looked_ms < LOOK_MS:
            out += self._absences.look(work, self._rules, self._keys, self._table.rows, self._told)
            out += self._lost(work.now_ms)
            self._looked_ms = work.now_ms
        return out

    # --- which series each rule looks at --------------------------------------------------------------
    def _follow(self, work: Work) -> list[Finding]:
        """Take changed rules and series."""
        before = dict(self._rules)
        changed = {a.target for a in work.acts if a.kind is ActKind.RULE and self._take(a)}
        changed |= self._move(work.became)
        if not changed and not work.changed_series:
            return []
        metrics: dict[str, list[Rule]] = {}
        for rule in self._rules.values():
            metrics.setdefault(rule.metric, []).append(rule)
        anew = {i: s for i in work.changed_series if (s := work.series.get(i)) and s.name in metrics}
        if not changed and not anew:
            return []
        wanted = {(rule.id, i): info for i, info in anew.items() for rule in metrics[info.name]}
        for rule in (self._rules[r] for r in changed if r in self._rules):
            wanted |= {(rule.id, i): info for i, info in work.series.items() if info.name == rule.metric}
            self._absences.begin(rule.id, work.now_ms)
        turned = self._replace(changed, anew.keys(), wanted, work)
        return self._ended(turned, {r: before.get(r) for r in changed})

    def _take(self, act: Act) -> bool:
        """Whether this act changes a rule."""
        try:
            found = act.data.get("rule")
            rule = msgspec.convert(found, Rule) if found else None
        except msgspec.ValidationError:
            self.refused += 1
            return False
        before = self._rules.pop(act.target, None)
        if rule is not None:
            self._rules[act.target] = rule
        return before != rule

    def _move(self, became: Mapping[str, str]) -> set[str]:
        """Rules about items that were merged or removed."""
        moved = {r.id: (r, r.moved(became)) for r in self._rules.values()} if became else {}
        changed = {key: now for key, (before, now) in moved.items() if now != before}
        for key, now in changed.items():
            del self._rules[key]
            if now is not None:
                self._rules[key] = now
        return set(changed)

    def _replace(
        self, rules: Set[str], series: Set[int], wanted: Mapping[Key, SeriesInfo], work: Work
    ) -> dict[str, int]:
        """Watch these in place of what there was of these rules and series; what is asked as before goes on. What does
        not, by key, with the time of its last value."""
        rows = self._table.rows
        gone = {n for n, (rule, i) in enumerate(self._keys) if rule in rules or i in series}
        old = {self._keys[n]: rows[n] for n in gone}
        stay = [n for n in range(len(self._keys)) if n not in gone]
        self._keys, self._limits = [self._keys[n] for n in stay], [self._limits[n] for n in stay]
        made, turned = [], {}
        for key, info in wanted.items():
            row, name = self._watch(key, info, work), words.key(key[0], f"{key[1]:016x}")
            known = old.pop(key, None)
            known = self._kept.pop(key, None) if known is None else known
            if row is not None and known is not None and all(known[f] == row[f] for f in ASKED):
                row = known
            elif known is not None:
                turned[name] = int(known["time"])
            elif row is not None:
                row["firing"] = name in self._told
            if row is not None:
                made.append(row)
        self._table.place(np.concatenate((rows[stay], np.array(made, WATCH))))
        return turned | {words.key(r, f"{i:016x}"): int(row["time"]) for (r, i), row in old.items()}

    def _watch(self, key: Key, info: SeriesInfo, work: Work) -> Any:
        rule = self._rules[key[0]]
        item = work.topology.items.get(info.item)
        if not rule.covers(info.name, info.labels, info.item):
            return None
        limits = rule.limits(info.labels, info.item, item.kind if item else "")
        if limits is None or len(self._keys) >= MOST:
            self.not_watched += limits is not None
            return None
        row = np.zeros((), WATCH)
        row["series"], row["level"], row["recovery"], row["for_ms"] = info.id, *limits[:3]
        row["rate"], row["recover_ms"] = rule.per_second, rule.recover_ms
        row["operator"] = ABSENT if rule.absent else OPERATORS.index(rule.comparison)
        self._keys.append(key)
        self._limits.append(limits)
        return row

    def _ended(self, turned: Mapping[str, int], changed: Mapping[str, Rule | None]) -> list[Finding]:
        """Ends of what is watched no more, or otherwise than before. `changed`: rule → what it was."""
        out = self._gone(k for k in self._told if words.rule_of(k) in changed.keys() - self._rules.keys())
        for name, time_ms in turned.items():
            if told := self._told.pop(name, None):
                out.append(words.over(told, CHANGED, time_ms))
        for rule, before in changed.items():
            now = self._rules.get(rule)
            if now is None:
                self._absences.end(rule)
            elif before is not None and before.absent and _looks_at(before) != _looks_at(now):
                mine = [k for k in self._told if words.rule_of(k) == rule]
                out += [words.over(self._told.pop(k), CHANGED, 0) for k in mine]
        return out

    def _gone(self, keys: Iterable[str]) -> list[Finding]:
        return [words.over(self._told.pop(k), GONE, 0) for k in list(keys)]

    # --- what is told ---------------------------------------------------------------------------------
    def _samples(self, work: Work) -> list[Turn]:
        batches = [b for _, stream, b in work.batches if stream is Stream.SAMPLES]
        if not batches:
            return []
        series, times, values = (
            np.concatenate([b.column(name).to_numpy() for b in batches])
            for name in ("series", "time_ms", "value")
        )
        return self._table.update(series, times, values, work.now_ms)

    def _turn(self, turn: Turn, work: Work) -> list[Finding]:
        rule, series = self._keys[turn.row]
        name, info = words.key(rule, f"{series:016x}"), work.series.get(series)
        if info is None:
            return []
        if turn.firing:
            found = words.beyond(self._rules[rule], self._limits[turn.row], turn, info, work.topology)
            self._told[name] = found
            return [found]
        told = self._told.pop(name, None)
        return [words.recovered(told, self._rules[rule], turn, info)] if told else []

    def _lost(self, now_ms: int) -> list[Finding]:
        """What fires and has had no value for an hour."""
        rows, out, firing = self._table.rows, [], set()
        rows["heard"][rows["firing"] & (rows["heard"] == 0)] = now_ms  # not since a restart
        for n in np.flatnonzero(rows["firing"]).tolist():
            name = words.key(self._keys[n][0], f"{self._keys[n][1]:016x}")
            firing.add(name)
            if now_ms - rows["heard"][n] > LOST_MS:
                rows["firing"][n], rows["since"][n] = False, 0
                if told := self._told.pop(name, None):
                    out.append(words.over(told, LOST, int(rows["time"][n])))
        if now_ms - self._began_ms > LOST_MS:  # told before a restart, of series that are known no more
            unknown = [k for k, f in self._told.items() if k not in firing and words.has_series(f)]
            out += [words.over(self._told.pop(k), LOST, 0) for k in unknown]
        return out

    # --- over a restart -------------------------------------------------------------------------------
    def snapshot(self) -> dict[str, Any]:
        """How every watch stands, as plain data."""
        return {
            "version": VERSION, "rules": [rule for rule, _ in self._keys], "absences": self._absences.snapshot(),
            "rows": {name: np.ascontiguousarray(self._table.rows[name]) for name in WATCH.names or ()},
        }  # fmt: skip

    def restore(self, state: dict[str, Any] | None, told: Sequence[Alert]) -> None:
        """Take back a snapshot, and what living alerts say is firing."""
        self._told = {f.key: f for f in map(words.found_of, told)}
        self._restored = True
        if not state or state.get("version") != VERSION:
            return
        rows = np.zeros(len(state["rules"]), WATCH)
        for name, column in state["rows"].items():
            rows[name] = column
        for rule, row in zip(state["rules"], rows, strict=True):
            row["firing"] = words.key(rule, f"{int(row['series']):016x}") in self._told
            self._kept[rule, int(row["series"])] = row
        self._absences.restore(state["absences"])


def _looks_at(rule: Rule) -> tuple[Any, ...]:
    return rule.metric, rule.matchers, rule.item, rule.absent


__all__ = ["SOURCE", "ThresholdRules"]
