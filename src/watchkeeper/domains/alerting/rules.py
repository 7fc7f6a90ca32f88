"""When a threshold rule, and an exception to it, can be one. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from watchkeeper.model.matching import read_matchers
from watchkeeper.model.thresholds import Comparison

LONGEST = 30 * 86_400  # seconds
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:./-]*")


def wrong_with_rule(given: Mapping[str, Any]) -> dict[str, str]:
    """Field → what is wrong with it; `given` has every field of the rule."""
    wrong = {}
    if not _METRIC.fullmatch(given["metric"]):
        wrong["metric"] = "the name of a metric is needed, such as system.memory.utilization or node_load1"
    if text := wrong_labels(given["labels"]):
        wrong["labels"] = text
    if given["kind"] == "absence":
        if not given["for_seconds"]:
            wrong["for_seconds"] = "after how long it is missed has to be said"
        return wrong
    if given["level"] is None:
        wrong["level"] = "a level is needed to alert on a value"
    elif text := wrong_recovery(given["comparison"], given["level"], given["recovery"]):
        wrong["recovery"] = text
    return wrong | _not_finite(given)


def wrong_with_override(given: Mapping[str, Any], rule: Mapping[str, Any]) -> dict[str, str]:
    """Field → what is wrong with an exception to this rule."""
    wrong = {}
    if not (given["item"] or given["item_kind"] or given["labels"]):
        wrong["item"] = "an item, a kind of item or labels are needed"
    if text := wrong_labels(given["labels"]):
        wrong["labels"] = text
    values = [given[name] for name in ("level", "recovery", "for_seconds")]
    if given["enabled"] and all(v is None for v in values):
        wrong["level"] = (
            "say what is different: a level, a recovery level, a duration; or that the rule does not apply"
        )
    if rule["kind"] == "absence":
        wrong |= {
            n: "a rule about missing values has none" for n in ("level", "recovery") if given[n] is not None
        }
        return wrong
    level = rule["level"] if given["level"] is None else given["level"]
    recovery = given["recovery"]
    if recovery is None and given["level"] is None:
        recovery = rule["recovery"]
    if "level" not in wrong and (text := wrong_recovery(rule["comparison"], level, recovery)):
        wrong["recovery"] = text
    return wrong | _not_finite(given)


def wrong_recovery(comparison: str, level: float, recovery: float | None) -> str:
    """What is wrong with a level of recovery; "" when nothing is."""
    if recovery is None:
        return ""
    if comparison in (Comparison.EQUAL, Comparison.OTHER):
        return "only what is above or below a level has one of recovery"
    rising = comparison in (Comparison.ABOVE, Comparison.AT_LEAST)
    if rising and recovery > level:
        return f"it has to lie at or below the level, {level:g}"
    if not rising and recovery < level:
        return f"it has to lie at or above the level, {level:g}"
    return ""


def wrong_labels(labels: str) -> str:
    """What is wrong with conditions on labels; "" when nothing is."""
    try:
        read_matchers(labels)
    except ValueError as error:
        return str(error)
    return ""


def _not_finite(given: Mapping[str, Any]) -> dict[str, str]:
    numbers = {name: given[name] for name in ("level", "recovery") if given[name] is not None}
    return {
        name: "this is no number that can be reached" for name, x in numbers.items() if not math.isfinite(x)
    }
