"""Groups by rule: what an operator has said belongs together, to the letter, whatever the learned method thinks of it.

Of the rules that an alert satisfies, the first decides. Its alerts with the same values are one group while they begin
within the rule's window of the group's first; below the rule's count nothing is decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from watchkeeper.model.correlation import GroupingRule
from watchkeeper.model.reason import Reason, ReasonKind

WAITING = 10_000  # alerts that wait for others, over all rules; the oldest go
GROUPS = 20_000  # groups that may still grow

Key = tuple[str, tuple[str, ...]]  # rule, values


class Verdict(NamedTuple):
    """What becomes of an alert: it joins a `group` that there is, or founds one with the `members` that waited; with
    neither it waits."""

    key: Key
    group: int = 0
    members: tuple[str, ...] = ()


class Ruled:
    """The groups that rules have made and that may still grow, and what waits for its count."""

    def __init__(self) -> None:
        self._open: dict[Key, tuple[int, int]] = {}  # begin of the first, number of the group
        self._waiting: dict[Key, list[tuple[int, str]]] = {}
        self._count = 0

    def offer(self, rule: GroupingRule, values: tuple[str, ...], alert: str, time_ms: int) -> Verdict:
        """An alert that satisfies a rule began."""
        key = (rule.id, values)
        first, number = self._open.get(key, (0, 0))
        if number and abs(time_ms - first) <= rule.window_ms:
            return Verdict(key, number)
        waiting = [w for w in self._waiting.pop(key, ()) if abs(time_ms - w[0]) <= rule.window_ms]
        if all(alert != a for _, a in waiting):
            waiting.append((time_ms, alert))
        if len(waiting) >= rule.count:
            return Verdict(key, members=tuple(a for _, a in sorted(waiting)))
        self._waiting[key] = waiting
        self._bound()
        return Verdict(key)

    def founded(self, key: Key, first_ms: int, number: int) -> None:
        """A group was made of a verdict's members, the first of which began at this time."""
        self._open.pop(key, None)
        self._open[key] = (first_ms, number)
        if len(self._open) > GROUPS:
            del self._open[next(iter(self._open))]

    def end(self, key: Key) -> None:
        """Its situation is over: what comes begins a new group."""
        self._open.pop(key, None)

    def forget(self, rule: str) -> None:
        """A rule has changed or is no more: its groups stay as they are, and nothing joins them."""
        self._open = {k: v for k, v in self._open.items() if k[0] != rule}
        self._waiting = {k: v for k, v in self._waiting.items() if k[0] != rule}

    def _bound(self) -> None:
        self._count += 1
        if self._count % 1000 == 0:
            while len(self._waiting) > 1 and sum(map(len, self._waiting.values())) > WAITING:
                del self._waiting[next(iter(self._waiting))]

    def snapshot(self) -> list[Any]:
        """What waits, as plain data; groups are found again from their members' reasons."""
        return [
            [rule, list(values), [list(w) for w in found]] for (rule, values), found in self._waiting.items()
        ]

    def restore(self, state: Any) -> None:
        """Take a snapshot back."""
        self._waiting = {
            (str(rule), tuple(map(str, values))): [(int(t), str(a)) for t, a in found]
            for rule, values, found in state
        }


def values_of(rule: GroupingRule, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """An alert's values of what the rule groups by: labels first, then what else there is; "" for what it lacks.

    >>> rule = GroupingRule("1", "", 0, "true", group_by=("site", "item"))
    >>> values_of(rule, {"labels": {"site": "a"}, "item": "db-1"})
    ('a', 'db-1')
    """
    labels = facts.get("labels") or {}
    return tuple(str(labels.get(n, "" if n == "labels" else facts.get(n) or "")) for n in rule.group_by)


def reason(rule: GroupingRule, values: Sequence[str]) -> Reason:
    """Why an alert is in a group of a rule."""
    same = ", ".join(f"{n} {v}" if v else f"no {n}" for n, v in zip(rule.group_by, values, strict=True))
    text = f"The rule “{rule.name}” puts alerts with the same {same} together." if same else (
        f"The rule “{rule.name}” puts these alerts together."
    )  # fmt: skip
    return Reason(ReasonKind.RULE, text, 1.0, {"rule": rule.id, "values": list(values)})


def key_of(because: Sequence[Reason]) -> Key | None:
    """The rule and values that put an alert where it is; None when no rule did."""
    for r in because:
        if r.kind is ReasonKind.RULE and "rule" in r.data:
            return str(r.data["rule"]), tuple(map(str, r.data.get("values", ())))
    return None
