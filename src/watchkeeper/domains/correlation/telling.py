"""Tells analysis of grouping rules and of the parameters in use: one act each, as it is now. What came of an older state is
overtaken by the newer, so it may be told twice."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

import msgspec
from django.utils import timezone

from watchkeeper.domains.correlation.models import CorrelationSetting, GroupingRule
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.ports import ports
from watchkeeper.model import correlation
from watchkeeper.model.act import Act, ActKind

RULES, SETTINGS = "grouping-rules", "correlation-settings"
BY = "correlation"


class Changes:
    """See kernel.events.Listener."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Its own."""
        return [k for k in kinds if k in (RULES, SETTINGS)]

    def hear(self, events: Sequence[Event]) -> str:
        """Tell of everything that was touched. Raises NotReady, JournalFull or DiskFull."""
        rules = dict.fromkeys(e.key for e in events if e.kind == RULES)
        acts = [
            _rule(key, GroupingRule.objects.filter(pk=key, enabled=True).first(), _now()) for key in rules
        ]
        if any(e.kind == SETTINGS for e in events):
            acts.append(_parameters(_now()))
        with ports.together():
            for act in acts:
                ports.submit(act)
        return f"told analysis of {len(acts)} changes"


def load(now_ms: int) -> list[Act]:
    """The rules that are on and the parameters in use. Their ids say that they only tell again what there was."""
    rules = GroupingRule.objects.filter(enabled=True).order_by("pk")
    found = [*(_rule(str(r.pk), r, now_ms) for r in rules), _parameters(now_ms)]
    return [msgspec.structs.replace(a, id=f"restored-{a.id}") for a in found]


def as_rule(r: GroupingRule) -> correlation.GroupingRule:
    """A rule as analysis takes it."""
    return correlation.GroupingRule(
        id=str(r.pk),
        name=r.name,
        position=r.position,
        condition=r.condition,
        group_by=tuple(r.group_by),
        window_ms=1000 * r.window_seconds,
        count=r.at_least,
        parent=r.parent_alert,
    )


def _rule(key: str, rule: GroupingRule | None, now_ms: int) -> Act:
    data = {"rule": msgspec.to_builtins(as_rule(rule))} if rule else {}
    return Act(id=uuid.uuid4().hex, kind=ActKind.GROUPING, target=key, actor=BY, time_ms=now_ms, data=data)


def _parameters(now_ms: int) -> Act:
    used = CorrelationSetting.objects.filter(in_use=True).first()
    data = {"parameters": msgspec.to_builtins(used.parameters)} if used else {}
    act = ActKind.CORRELATION
    return Act(id=uuid.uuid4().hex, kind=act, target="parameters", actor=BY, time_ms=now_ms, data=data)


def _now() -> int:
    return milliseconds(timezone.now())
