"""Whether a text is PromQL that can be answered here, without asking anything."""

from __future__ import annotations

import re2

from watchkeeper.telemetry.promql.aggregating import AGGREGATIONS
from watchkeeper.telemetry.promql.errors import BadQuery
from watchkeeper.telemetry.promql.evaluating import KNOWN
from watchkeeper.telemetry.promql.parsing import parse
from watchkeeper.telemetry.promql.syntax import (
    Binary,
    Call,
    Expression,
    Negation,
    Number,
    Range,
    Selector,
    String,
    Subquery,
    parts,
)

_NUMBERS = ("time", "scalar", "pi")


def kind_of(text: str) -> str:
    """What it gives: scalar, vector, matrix or string, in Prometheus' words. Raises BadQuery for what is no PromQL, asks for
    what is not supported, or has a regular expression that is none."""
    node = parse(text, KNOWN, AGGREGATIONS)
    _check(node)
    return _kind(node)


def _kind(node: Expression) -> str:
    match node:
        case Number():
            return "scalar"
        case String():
            return "string"
        case Range() | Subquery():
            return "matrix"
        case Negation(of):
            return _kind(of)
        case Binary(_, left, right):
            return "scalar" if {_kind(left), _kind(right)} == {"scalar"} else "vector"
        case Call(name):
            return "scalar" if name in _NUMBERS else "vector"
        case _:
            return "vector"


def _check(node: Expression) -> None:
    if isinstance(node, Selector):
        for m in node.matchers:
            if m.operator in ("=~", "!~"):
                try:
                    re2.compile(m.value)
                except re2.error as error:
                    raise BadQuery(f"{m.label}{m.operator}{m.value!r} is no regular expression") from error
    for one in parts(node):
        _check(one)
