"""Text to expression: promql-parser's tree as ours. What it knows and we do not is refused by its name."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from typing import Any, Literal

import promql_parser as parser

from watchkeeper.telemetry.promql.errors import BadQuery
from watchkeeper.telemetry.promql.syntax import (
    Aggregation,
    At,
    Binary,
    Call,
    Expression,
    Matching,
    Negation,
    Number,
    Range,
    Selector,
    String,
    Subquery,
)
from watchkeeper.telemetry.queries.series import Matcher

MAX_LENGTH = 10_000  # characters
MAX_DEPTH = 200
_AT = re.compile(r"@ ([0-9.]+)(?: offset -?\w+)?\Z")
_LATEST_S = 253_402_300_799.0  # the end of the year 9999
_MILLISECOND = dt.timedelta(milliseconds=1)
_MATCH = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
_MANY: dict[str, Literal["", "left", "right"]] = {"ManyToOne": "left", "OneToMany": "right"}


def parse(text: str, functions: Collection[str], aggregations: Collection[str]) -> Expression:
    """The expression, which uses only these functions and aggregations. Raises BadQuery."""
    tree = _tree(text)
    try:
        return _Translation(functions, aggregations).node(tree, 0)
    except ValueError as error:  # of a length of time that no timedelta holds
        raise BadQuery(f"parse error: {error}") from error


def matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers of a selector alone, as `match[]` carries them. Raises BadQuery."""
    found = parse(text, (), ())
    if not isinstance(found, Selector) or found.offset_ms or found.at is not None:
        raise BadQuery(f"{text!r} is not a selector of series")
    return found.matchers


def duration_ms(text: str) -> int:
    """A length of time as PromQL writes it, such as 5m. Raises BadQuery."""
    try:
        return _ms(parser.parse_duration(text))
    except ValueError as error:
        raise BadQuery(f"cannot parse {text!r} to a valid duration") from error


def _tree(text: str) -> Any:
    if len(text) > MAX_LENGTH:
        raise BadQuery(f"the query has {len(text)} characters; {MAX_LENGTH} are the most")
    if not text.strip():
        raise BadQuery("1:1: parse error: no expression found in input")
    try:
        return parser.parse(text)
    except ValueError as error:
        raise BadQuery(f"parse error: {error}") from error


class _Translation:
    def __init__(self, functions: Collection[str], aggregations: Collection[str]) -> None:
        self._functions, self._aggregations = functions, aggregations

    def node(self, tree: Any, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise BadQuery(f"the query is nested more than {MAX_DEPTH} deep")
        translate = getattr(self, f"_{type(tree).__name__}", None)
        if translate is None:
            raise BadQuery(f"{type(tree).__name__} is not supported")
        out: Expression = translate(tree, depth + 1)
        return out

    def _NumberLiteral(self, tree: Any, _: int) -> Number:
        return Number(tree.val)

    def _StringLiteral(self, tree: Any, _: int) -> String:
        return String(tree.val)

    def _ParenExpr(self, tree: Any, depth: int) -> Expression:
        return self.node(tree.expr, depth)

    def _UnaryExpr(self, tree: Any, depth: int) -> Negation:
        return Negation(self.node(tree.expr, depth))

    def _VectorSelector(self, tree: Any, _: int) -> Selector:
        if tree.matchers.or_matchers:
            raise BadQuery('"or" between matchers is not supported; use =~, or "or" between selectors')
        name = [Matcher("__name__", tree.name)] if tree.name else []
        found = [Matcher(m.name, m.value, _MATCH[_word(m.op)]) for m in tree.matchers.matchers]
        return Selector((*name, *found), _offset(tree.offset), _at(tree))

    def _MatrixSelector(self, tree: Any, depth: int) -> Range:
        return Range(self._VectorSelector(tree.vector_selector, depth), _ms(tree.range))

    def _SubqueryExpr(self, tree: Any, depth: int) -> Subquery:
        step = _ms(tree.step) if tree.step is not None else None
        return Subquery(
            self.node(tree.expr, depth), _ms(tree.range), step or None, _offset(tree.offset), _at(tree)
        )

    def _Call(self, tree: Any, depth: int) -> Call:
        name = tree.func.name
        if name not in self._functions:
            raise BadQuery(f"the function {name} is not supported")
        return Call(name, tuple(self.node(one, depth) for one in tree.args))

    def _AggregateExpr(self, tree: Any, depth: int) -> Aggregation:
        operator = str(tree.op)
        if operator not in self._aggregations:
            raise BadQuery(f"the aggregation {operator} is not supported")
        modifier = tree.modifier
        parameter = self.node(tree.param, depth) if tree.param is not None else None
        labels = tuple(modifier.labels) if modifier is not None else ()
        without = modifier is not None and _word(modifier.type) == "Without"
        return Aggregation(operator, self.node(tree.expr, depth), parameter, labels, without)

    def _BinaryExpr(self, tree: Any, depth: int) -> Binary:
        left, right = self.node(tree.lhs, depth), self.node(tree.rhs, depth)
        modifier = tree.modifier
        if modifier is None:
            return Binary(str(tree.op), left, right, Matching(), False)
        fill = modifier.fill_values
        if fill is not None and (fill.lhs is not None or fill.rhs is not None):
            raise BadQuery("fill, fill_left and fill_right are not supported")
        by = modifier.matching
        matching = Matching(
            tuple(by.labels) if by is not None else (),
            by is not None and _word(by.type) == "Include",
            _MANY.get(_word(modifier.card), ""),
            tuple(modifier.group_labels or ()),
        )
        return Binary(str(tree.op), left, right, matching, modifier.return_bool)


def _word(member: object) -> str:
    """The name of a member of one of the parser's enumerations, which have no attribute for it."""
    return str(member).rpartition(".")[2]


def _ms(length: dt.timedelta) -> int:
    return length // _MILLISECOND


def _offset(offset: dt.timedelta | None) -> int:
    return _ms(offset) if offset is not None else 0


def _at(tree: Any) -> At:
    """The time that @ fixes. It is read from the text that the parser makes of the tree, where a time before 1970 is 0:
    asked for such a time itself, the parser panics."""
    if tree.at is None:
        return None
    word = _word(tree.at.type)
    if word != "At":
        return "start" if word == "Start" else "end"
    found = _AT.search(tree.prettify())
    assert found, "the parser writes a time as it was always written"
    return round(min(float(found[1]), _LATEST_S) * 1000)
