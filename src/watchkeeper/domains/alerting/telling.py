"""Tells analysis of the threshold rules: one act a rule, with its overrides, as it is now. What came of an older state is
overtaken by the newer, so it may be told twice."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

import msgspec
from django.utils import timezone

from watchkeeper.domains.alerting import standing
from watchkeeper.domains.alerting.models import Kind, ThresholdOverride, ThresholdRule
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.ports import ports
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.matching import read_matchers
from watchkeeper.model.thresholds import Comparison, Override, Rule

RULES, OVERRIDES = "threshold-rules", "threshold-overrides"
GROUPS = "rule-groups"
BY = "threshold rules"


class Changes:
    """See kernel.events.Listener."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Its own."""
        return [k for k in kinds if k in (RULES, OVERRIDES, GROUPS)]

    def hear(self, events: Sequence[Event]) -> str:
        """Tell of every rule that was touched. Raises NotReady, JournalFull or DiskFull."""
        if any(event.kind == GROUPS for event in events):
            standing.look_again()
        ids: dict[str, None] = {}
        for event in events:
            if event.kind == RULES:
                ids[event.key] = None
            elif event.kind == OVERRIDES:
                states = (event.record, event.before, event.after)
                ids |= {
                    str(s[n]): None
                    for s in states
                    for n in ("threshold_rule", "threshold_rule_id")
                    if s.get(n)
                }
        with ports.together():
            for rule in ids:
                ports.submit(_act(rule))
        return f"told analysis of {len(ids)} rules" if ids else ""


def load_rules() -> list[Act]:
    """The rules that are on, as the acts that tell of them."""
    found = ThresholdRule.objects.filter(enabled=True).order_by("pk").select_related("item")
    return [_told(str(r.pk), as_rule(r)) for r in found.prefetch_related("overrides__item")]


def _act(key: str) -> Act:
    found = ThresholdRule.objects.filter(pk=key, enabled=True).select_related("item").first()
    return _told(key, as_rule(found) if found else None)


def _told(key: str, rule: Rule | None) -> Act:
    data = {"rule": msgspec.to_builtins(rule)} if rule else {}
    now = milliseconds(timezone.now())
    return Act(id=uuid.uuid4().hex, kind=ActKind.RULE, target=key, actor=BY, time_ms=now, data=data)


def as_rule(r: ThresholdRule) -> Rule:
    """A rule with its overrides, as analysis takes it."""
    return Rule(
        id=str(r.pk),
        name=r.name,
        metric=r.metric,
        matchers=read_matchers(r.labels),
        item=r.item_id or "",
        absent=r.kind == Kind.ABSENCE,
        per_second=r.per_second,
        comparison=Comparison(r.comparison),
        level=r.level or 0.0,
        recovery=r.recovery,
        for_ms=1000 * r.for_seconds,
        recover_ms=1000 * r.recovery_seconds,
        severity=r.severity,
        text=r.text,
        runbook=r.runbook,
        overrides=tuple(_override(o) for o in r.overrides.all()),
    )


def _override(o: ThresholdOverride) -> Override:
    return Override(
        name=o.whom,
        item=o.item_id or "",
        kind=o.item_kind,
        matchers=read_matchers(o.labels),
        enabled=o.enabled,
        level=o.level,
        recovery=o.recovery,
        for_ms=None if o.for_seconds is None else 1000 * o.for_seconds,
    )
