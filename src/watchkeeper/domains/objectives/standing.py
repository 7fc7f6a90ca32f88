"""How an objective stands at a time: what was measured in its window, without planned maintenance, and what follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchkeeper.domains.maintenance.planned import Planned
from watchkeeper.domains.objectives import rules, slots
from watchkeeper.domains.objectives.excluding import flags
from watchkeeper.domains.objectives.models import ServiceLevelObjective, Standing
from watchkeeper.domains.objectives.putting import BurnRule, Method
from watchkeeper.domains.objectives.rules import Counted
from watchkeeper.kernel.fields import moment

_HOUR = 3600
_State = Standing.State


@dataclass(frozen=True, slots=True)
class Window:
    """What a window came to: its slots, and how many there are in all of it when it is over."""

    begins_ms: int
    ends_ms: int
    counted: Counted
    slices: int  # of the whole window without what is left out; 0: events are counted
    unmeasured: int  # slots so far without a value


def window(of: ServiceLevelObjective, begins_ms: int, ends_ms: int, now_ms: int, planned: Planned) -> Window:
    """What was counted in a window until now."""
    step = of.step_s * 1000
    until = min(ends_ms, now_ms)
    good, total = slots.read(of, begins_ms, until)
    first = begins_ms // step * step
    spans = planned.of(of.service_id, begins_ms, ends_ms) if of.exclude_maintenance and of.service_id else []
    out = flags(spans, first, len(good), step)
    found = rules.counted(good, total, out, Method(of.method), of.slice_target / 100)
    whole = 0
    if of.method != Method.OCCURRENCES:
        number = (ends_ms - first) // step
        whole = number - int(flags(spans, first, number, step).sum())
    return Window(begins_ms, ends_ms, found, whole, int((~np.isfinite(total) & ~out).sum()))


def stand(of: ServiceLevelObjective, standing: Standing, now_ms: int, planned: Planned) -> Counted:
    """Set how it stands now, without saving it; return of what the window was made."""
    begins, ends = of.window.period(now_ms)
    found = window(of, begins, ends, now_ms, planned)
    left = rules.budget(found.counted, of.share, found.slices)
    fires = rules.burning(_recent(of, found, now_ms, planned), of.share, of.step_s, of.burn_rules)
    standing.begins_at, standing.ends_at = moment(begins), moment(ends)
    standing.excluded_seconds = found.counted.excluded * of.step_s
    standing.unmeasured_seconds = found.unmeasured * of.step_s
    standing.attained = round(left.attained * 100, 5) if left else None
    standing.left = round(left.left * 100, 2) if left else None
    per_hour = _HOUR // of.step_s
    standing.burn_hour = round(rules.burn(found.counted, of.share, per_hour), 3) if left else None
    standing.burn_day = round(rules.burn(found.counted, of.share, 24 * per_hour), 3) if left else None
    standing.severity = fires[0].severity if fires else ""
    standing.alerting_since = (standing.alerting_since or moment(now_ms)) if fires else None
    standing.state = _state(left, fires)
    standing.said = said(of, standing, fires)
    at, value = rules.left_over_time(found.counted, of.share, found.slices)
    first = begins // (of.step_s * 1000) * of.step_s * 1000
    standing.chart = {
        **standing.chart, "at": [first + n * of.step_s * 1000 for n in at], "left": value,
        "excluded": planned.of(of.service_id, begins, min(ends, now_ms)) if found.counted.excluded else [],
    }  # fmt: skip
    return found.counted


def _recent(of: ServiceLevelObjective, found: Window, now_ms: int, planned: Planned) -> Counted:
    """As far back as the rules of alerts look: a window that has just begun is too short for them."""
    longest = max((r.long_s for r in of.burn_rules), default=0) * 1000
    if now_ms - found.begins_ms >= longest:
        return found.counted
    return window(of, now_ms - longest, now_ms, now_ms, planned).counted


def _state(left: rules.Budget | None, fires: tuple[BurnRule, float] | None) -> str:
    if left is None:
        return _State.UNKNOWN
    if left.left <= 0:
        return _State.BROKEN
    return _State.AT_RISK if fires else _State.KEPT


def said(of: ServiceLevelObjective, standing: Standing, fires: tuple[BurnRule, float] | None) -> str:
    """In a sentence."""
    if standing.left is None or standing.attained is None:
        return standing.error or "Nothing has been measured in its window."
    attained = f"{standing.attained:.4g}" if standing.attained < 99 else f"{standing.attained:.6g}"
    text = f"{attained} % over {of.window_in_words}; {of.target:g} % is promised."
    spent = 100 - standing.left
    text += (
        f" {spent:.3g} % of the error budget is spent."
        if spent < 1000
        else " The error budget is spent many times over."
    )
    if fires:
        rule, rate = fires
        text += f" It burns {rate:.3g} times as fast as it may, over the last {_span(rule.long_s)} and now."
    return text


def _span(seconds: int) -> str:
    hours, days = seconds / 3600, seconds / 86_400
    if days >= 2:
        return f"{days:g} days"
    return f"{hours:g} hours" if hours > 1 else f"{seconds // 60} minutes" if hours < 1 else "hour"
