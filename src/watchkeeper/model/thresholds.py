"""Threshold rules as analysis applies them: what a person has declared, with its exceptions, and which of these hold for
one series. Durations are milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from watchkeeper.model.matching import Matcher
from watchkeeper.model.verdicts import Severity


class Comparison(StrEnum):
    """How a value is compared with the level."""

    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="
    EQUAL = "=="
    OTHER = "!="


class Limits(NamedTuple):
    """What holds for one series. `override`: of whom the exception is, "" when it is the rule's own level."""

    level: float
    recovery: float
    for_ms: int
    override: str = ""


class Override(msgspec.Struct, frozen=True, omit_defaults=True):
    """Another level for an item, a kind of item, or series with these labels; None is as the rule has it."""

    name: str  # of the item, the kind, or the labels as they are written
    item: str = ""
    kind: str = ""
    matchers: tuple[Matcher, ...] = ()
    enabled: bool = True  # False: the rule does not look at these
    level: float | None = None
    recovery: float | None = None
    for_ms: int | None = None

    def holds(self, labels: Mapping[str, str], item: str, kind: str) -> bool:
        """Whether it is about this series."""
        if self.item not in ("", item) or self.kind not in ("", kind):
            return False
        return all(m.matches(labels) for m in self.matchers)

    @property
    def narrow(self) -> tuple[bool, int, bool]:
        """The greater, the more it is about just this one: an item goes before labels, more labels before fewer, and
        labels before a kind."""
        return bool(self.item), len(self.matchers), bool(self.kind)


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule that is on. `absent`: it fires when nothing has come for `for_ms`, and has no level."""

    id: str
    name: str
    metric: str
    matchers: tuple[Matcher, ...] = ()
    item: str = ""  # only series of this item
    item_name: str = ""
    absent: bool = False
    per_second: bool = False  # the growth of a counter a second, instead of its value
    comparison: Comparison = Comparison.ABOVE
    level: float = 0.0
    recovery: float | None = None  # None: the level itself
    for_ms: int = 0
    recover_ms: int = 0
    severity: Severity = Severity.WARNING
    text: str = ""
    runbook: str = ""
    overrides: tuple[Override, ...] = ()

    def covers(self, name: str, labels: Mapping[str, str], item: str) -> bool:
        """Whether it is about this series, whatever its overrides say."""
        here = name == self.metric and (not self.item or item == self.item)
        return here and all(m.matches(labels) for m in self.matchers)

    def limits(self, labels: Mapping[str, str], item: str, kind: str) -> Limits | None:
        """What holds for a series that it covers, by the override that is most about just this one; None when that
        switches it off. An override with a level and no recovery level keeps the rule's distance between the two."""
        own = self.level if self.recovery is None else self.recovery
        there = [o for o in self.overrides if o.holds(labels, item, kind)]
        if not there:
            return Limits(self.level, own, self.for_ms)
        o = max(there, key=lambda one: one.narrow)
        if not o.enabled:
            return None
        level = self.level if o.level is None else o.level
        recovery = own + level - self.level if o.recovery is None else o.recovery
        return Limits(level, recovery, self.for_ms if o.for_ms is None else o.for_ms, o.name)

    def moved(self, became: Mapping[str, str]) -> Rule | None:
        """The rule after items were merged or removed: `became` says what each is now, "" for nothing. None when it was
        about one that is no more; the records say the same."""
        item = became.get(self.item, self.item)
        if self.item and not item:
            return None
        kept = [(o, became.get(o.item, o.item)) for o in self.overrides]
        overrides = tuple(replace(o, item=now) for o, now in kept if now or not o.item)
        return replace(self, item=item, overrides=overrides)
