"""Records of rule groups as groups that can be evaluated, and files of Prometheus as records: a file replaces the groups
that it brought before."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db import transaction

from watchkeeper.domains.alerting.models import RuleGroup
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.telemetry.rulefiles import Alerting, BadRules, Group, Rule, doubles, read_file, read_rules

PATH = "rule-groups"
SHORTEST, LONGEST = 1, 86_400  # seconds between evaluations
DEFAULT = 60


@dataclass
class Imported:
    """What a file came to, by names of groups; `odd` are warnings in sentences."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)


@lru_cache(maxsize=1024)
def rules_of(text: str, group: str) -> tuple[Rule, ...]:
    """The rules of a text. Raises BadRules."""
    return read_rules(text, group)


def as_group(record: RuleGroup) -> Group:
    """A record as it is evaluated. Raises BadRules, for a text that an older version took."""
    rules = rules_of(record.rules, record.name)
    return Group(record.name, rules, 1000 * record.interval_seconds, limit=record.series_limit)


def in_words(record: RuleGroup) -> str:
    """How many rules of which sort."""
    try:
        rules = rules_of(record.rules, record.name)
    except BadRules:
        return "cannot be read"
    alerts = sum(isinstance(r, Alerting) for r in rules)
    parts = [(alerts, "alerting"), (len(rules) - alerts, "recording")]
    return ", ".join(f"{n} {word}" for n, word in parts if n) or "no rules"


def import_file(actor: Actor, source: str, text: str) -> Imported:
    """Make the groups of this source those of the file, all or none. Groups that it no longer has are removed; whether a
    group is on stays. Raises Invalid, with the line, and a WatchkeeperError."""
    try:
        groups = read_file(text)
    except BadRules as error:
        raise Invalid(error.detail) from error
    out = Imported(odd=doubles(groups))
    resource = registry[PATH]
    with transaction.atomic():
        known = {r.name: r for r in RuleGroup.objects.filter(source=source)}
        for group in groups:
            _take(actor, source, group, known.pop(group.name, None), out)
        for gone in known.values():
            doing.remove(resource, actor, gone)
            out.removed.append(gone.name)
    return out


def _take(actor: Actor, source: str, group: Group, record: RuleGroup | None, out: Imported) -> None:
    resource = registry[PATH]
    data = _fields(source, group)
    if record is not None and all(getattr(record, name) == value for name, value in data.items()):
        out.same.append(group.name)
        return
    made: Any = serializer_of(resource)(
        record, data=data, partial=record is not None, context={"actor": actor}
    )
    if not made.is_valid():
        raise Invalid(f"group {group.name!r}: {made.errors}")
    if record is None:
        doing.create(resource, actor, made)
        out.created.append(group.name)
    else:
        doing.change(resource, actor, record, made)
        out.changed.append(group.name)


def _fields(source: str, group: Group) -> dict[str, Any]:
    seconds = max(SHORTEST, min(LONGEST, round(group.interval_ms / 1000))) if group.interval_ms else DEFAULT
    return {
        "name": group.name, "source": source, "interval_seconds": seconds, "series_limit": group.limit,
        "rules": group.source or "[]\n",
    }  # fmt: skip
