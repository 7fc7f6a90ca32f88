"""In what unit an expression's values are, as far as that follows from the units of its metrics."""

from __future__ import annotations

from collections.abc import Callable

from watchkeeper.telemetry.promql.aggregating import AGGREGATIONS
from watchkeeper.telemetry.promql.evaluating import KNOWN
from watchkeeper.telemetry.promql.parsing import parse
from watchkeeper.telemetry.promql.syntax import (
    Aggregation,
    Binary,
    Call,
    Expression,
    Negation,
    Range,
    Selector,
    Subquery,
)
from watchkeeper.telemetry.promql.values import NAME

Units = Callable[[str], str]
"""A metric's unit by its name; "" when it has none or is not known."""
_A_SECOND = frozenset(("rate", "irate", "deriv"))
_SAME = frozenset((
    "increase", "delta", "idelta", "predict_linear", "abs", "ceil", "floor", "round", "clamp", "clamp_min",
    "clamp_max", "sort", "sort_desc", "label_replace", "label_join", "avg_over_time", "min_over_time",
    "max_over_time", "sum_over_time", "last_over_time", "stddev_over_time",
))  # fmt: skip
_OF_SECOND = frozenset(("quantile_over_time", "histogram_quantile"))
_OTHER = frozenset(("count", "group", "count_values", "stdvar"))
_KEEP = frozenset(("+", "-", "and", "or", "unless", "==", "!=", ">", "<", ">=", "<="))


def unit(text: str, of: Units) -> str:
    """The unit of a query's values, "" when it has none or it cannot be told. Raises BadQuery.

    >>> unit("sum(rate(sent_bytes[5m])) > 10", lambda name: "By"), unit("sent_bytes * 8", lambda name: "By")
    ('By/s', '')
    """
    return _unit(parse(text, KNOWN, AGGREGATIONS), of)


def _unit(node: Expression, of: Units) -> str:
    match node:
        case Selector(matchers):
            return next((of(m.value) for m in matchers if m.label == NAME and m.operator == "="), "")
        case Range(inner) | Subquery(inner) | Negation(inner):
            return _unit(inner, of)
        case Call(name, arguments):
            return _of_call(name, [_unit(one, of) for one in arguments])
        case Aggregation(operator, inner):
            return "" if operator in _OTHER else _unit(inner, of)
        case Binary(operator, left, right) if operator in _KEEP and not node.as_bool:
            return _unit(left, of) or _unit(right, of)
    return ""


def _of_call(name: str, units: list[str]) -> str:
    if name in _A_SECOND:
        return f"{units[0]}/s"
    if name in _SAME:
        return units[0]
    return units[1].removesuffix("/s") if name in _OF_SECOND else ""
