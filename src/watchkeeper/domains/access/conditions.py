"""Rules as database conditions: all but the record is known, so what is left of a rule is a condition over the
record's columns.

An expression of Cedar is true, false or an error, and an error makes its rule count for nothing. So every expression
becomes two conditions, when it is true and when it is false; where neither holds it is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cedarpy import pst
from django.db.models import Q

from watchkeeper.domains.access import leaves
from watchkeeper.domains.access.facts import ITEM, PRINCIPAL_ATTRIBUTES, Column, Question, ScopedRole, Uid
from watchkeeper.domains.access.language import BadPolicy, Rule
from watchkeeper.domains.access.leaves import Condition, both, either, opposite

LARGEST = 300  # tests in one condition
_ORDER: dict[str, tuple[str, str, Callable[[int, int], bool]]] = {
    # by operator: the look-up, the same with the sides turned, and what it says of two numbers
    "less": ("lt", "gt", lambda a, b: a < b),
    "less_eq": ("lte", "gte", lambda a, b: a <= b),
    "greater": ("gt", "lt", lambda a, b: a > b),
    "greater_eq": ("gte", "lte", lambda a, b: a >= b),
}


class Unsupported(BadPolicy):
    """A part of a rule that no filter can express."""


@dataclass(frozen=True, slots=True)
class Known:
    """A value that does not depend on the record: text, number, truth or entity; a tuple is a set of them."""

    value: Any


@dataclass(frozen=True, slots=True)
class Truth:
    """When an expression is true, and when it is false. `sure`: always one of them."""

    true: Condition
    false: Condition
    sure: bool = False


BROKEN = Truth(False, False)  # an error for every record
_ANY_TEXT = Column("", "", "text", False)
Meaning = Known | Column | Truth


def sure(condition: Condition) -> Truth:
    """What is false where it is not true."""
    return Truth(condition, opposite(condition), True)


def condition_of(rule: Rule, question: Question) -> Condition:
    """The records for which the rule applies. Raises Unsupported."""
    tree, meaning = rule.tree, _Meanings(question)
    found = both(meaning.principal(tree.principal), meaning.action(tree.action))
    found = both(found, meaning.resource(tree.resource))
    if found is False and not question.kind.strict:
        return False
    for clause in tree.clauses:
        truth = _truth(meaning.of(clause.expr))
        found = both(found, truth.true if isinstance(clause, pst.When) else truth.false)
    return found


class _Meanings:
    """Of the expressions of a rule, once the question is known. Whether a part is supported depends on how it is
    written alone, so that a rule that was taken once is never refused later."""

    def __init__(self, question: Question) -> None:
        self._asked = question

    def principal(self, scope: pst.PrincipalOrResourceConstraint) -> Condition:
        """Whether the rule is about this person."""
        match scope:
            case pst.ScopeAny():
                return True
            case pst.ScopeEq(entity=pst.EntityUid() as entity):
                return _uid(entity) == self._asked.principal.uid
            case pst.ScopeIn(entity=pst.EntityUid() as entity):
                return self._person_in(_uid(entity))
            case pst.ScopeIs(entity_type=kind):
                return str(kind) == "User"
            case pst.ScopeIsIn(entity_type=kind, entity=pst.EntityUid() as entity):
                return both(str(kind) == "User", self._person_in(_uid(entity)))
        raise Unsupported("principal: a slot cannot be used")

    def action(self, scope: pst.ActionConstraint) -> Condition:
        """Whether the rule is about this action."""
        match scope:
            case pst.ActionEq(entity=entity):
                return _uid(entity) == Uid("Action", self._asked.action)
            case pst.ActionIn(entities=entities):
                return any(self._action_in(_uid(e)) for e in entities)
        return True

    def resource(self, scope: pst.PrincipalOrResourceConstraint) -> Condition:
        """Whether the rule is about this kind."""
        match scope:
            case pst.ScopeAny():
                return True
            case pst.ScopeEq(entity=pst.EntityUid() as entity):
                return _uid(entity) == Uid("Kind", self._asked.kind.path)
            case pst.ScopeIn(entity=pst.EntityUid() as entity):
                return self._kind_in(_uid(entity))
            case pst.ScopeIs(entity_type=kind):
                return str(kind) == "Kind"
            case pst.ScopeIsIn(entity_type=kind, entity=pst.EntityUid() as entity):
                return both(str(kind) == "Kind", self._kind_in(_uid(entity)))
        raise Unsupported("resource: a slot cannot be used")

    def of(self, expression: pst.Expr) -> Meaning:
        """What it means. Raises Unsupported naming the part."""
        match expression:
            case pst.BoolLit(value=value) | pst.LongLit(value=value) | pst.StringLit(value=value):
                return Known(value)
            case pst.EntityLit(value=entity):
                return Known(_uid(entity))
            case pst.Var(name=name) if name != "context":
                return Known(self._variable(name))
            case pst.GetAttr(base=pst.Var(name=name), attr=attribute):
                return self._attribute(name, attribute)
            case pst.HasAttr(base=pst.Var(name=name), attrs=(attribute,)):
                return self._has(name, attribute)
            case pst.Set(elements=elements):
                return Known(tuple(_plain(self.of(e)) for e in elements))
            case pst.UnaryOp(op="not", arg=inner):
                truth = _truth(self.of(inner))
                return Truth(truth.false, truth.true, truth.sure)
            case pst.Like(base=base, pattern=pattern):
                return _like(self.of(base), pattern)
            case pst.Is(base=pst.Var(name=name), entity_type=kind, in_expr=inside):
                is_it = sure(self._variable(name).type == str(kind))
                return is_it if inside is None else _and(is_it, self._in(name, inside))
            case pst.IfThenElse(cond=condition, then_expr=then, else_expr=other):
                return self._bounded(_if(*(_truth(self.of(e)) for e in (condition, then, other))))
            case pst.BinaryOp():
                return self._binary(expression)
        raise Unsupported(f"{_said(expression)} cannot be made a filter")

    def _binary(self, e: pst.BinaryOp) -> Truth:
        match e.op:
            case "and":
                return self._bounded(_and(_truth(self.of(e.left)), _truth(self.of(e.right))))
            case "or":
                return self._bounded(_or(_truth(self.of(e.left)), _truth(self.of(e.right))))
            case "eq":
                return _equal(self.of(e.left), self.of(e.right))
            case "not_eq":
                same = _equal(self.of(e.left), self.of(e.right))
                return Truth(same.false, same.true, same.sure)
            case "in" if isinstance(e.left, pst.Var):
                return self._in(e.left.name, e.right)
            case "contains" if isinstance(e.left, pst.Set | pst.GetAttr):
                return _contains(self.of(e.left), self.of(e.right))
            case "less" | "less_eq" | "greater" | "greater_eq":
                return _ordered(e.op, self.of(e.left), self.of(e.right))
        raise Unsupported(f"{_said(e)} cannot be made a filter")

    def _bounded(self, truth: Truth) -> Truth:
        if self._asked.kind.strict and _tests(truth.true) + _tests(truth.false) > LARGEST:
            raise Unsupported(f"a condition of more than {LARGEST} tests; write it as several policies")
        return truth

    def _variable(self, name: str) -> Uid:
        match name:
            case "principal":
                return self._asked.principal.uid
            case "action":
                return Uid("Action", self._asked.action)
            case "resource":
                return Uid("Kind", self._asked.kind.path)
        raise Unsupported("context has nothing but context.scope")

    def _attribute(self, name: str, attribute: str) -> Meaning:
        if name == "resource":
            column = self._asked.kind.column(attribute)
            if column is None and self._asked.kind.strict:
                known = ", ".join(sorted(c.name for c in self._asked.kind.columns)) or "none"
                raise Unsupported(f"resource.{attribute} is not known; there are: {known}")
            return column or BROKEN
        if name == "principal" and attribute in PRINCIPAL_ATTRIBUTES:
            return Known(getattr(self._asked.principal, attribute))
        if (name, attribute) == ("principal", "teams"):
            return Known(self._asked.principal.teams)
        if (name, attribute) == ("context", "scope"):
            return Known(self._asked.scope)
        raise Unsupported(f"{name}.{attribute} is not known")

    def _has(self, name: str, attribute: str) -> Truth:
        found = self._attribute(name, attribute)
        return sure(leaves.present(found) if isinstance(found, Column) else found is not BROKEN)

    def _in(self, name: str, groups: pst.Expr) -> Truth:
        elements = groups.elements if isinstance(groups, pst.Set) else (groups,)
        inside = {"principal": self._person_in, "action": self._action_in, "resource": self._kind_in}.get(
            name
        )
        found: Condition = False
        for element in elements:
            if inside is None or not isinstance(element, pst.EntityLit):
                raise Unsupported(f"{name} in {_said(groups)}: only groups named by their type and name")
            found = either(found, inside(_uid(element.value)))
        return sure(found)

    def _person_in(self, group: Uid) -> Condition:
        person = self._asked.principal
        if group == person.uid or group in person.within:
            return True
        if self._asked.kind.strict and group.type == "Role":
            return Q(("pk", None))  # somebody may have it for some records only: it counts as a test
        found: Condition = False
        for scoped in person.scoped:
            if group == Uid("Role", scoped.role):
                found = either(found, self._covered(scoped))
        return found

    def _covered(self, scoped: ScopedRole) -> Condition:
        """The records for which the role counts; see ScopedRole.covers."""
        column, item = self._asked.kind.column(scoped.attribute), self._asked.kind.column(ITEM)
        there = leaves.present(column) if column is not None else False
        named = both(there, leaves.one_of(column, scoped.names)) if column is not None else False
        if item is None or not scoped.items:
            return named
        belongs = both(leaves.present(item), leaves.one_of(item, scoped.items))
        return either(named, both(opposite(there), belongs))

    def _action_in(self, group: Uid) -> bool:
        return group.type == "Action" and (group.id == self._asked.action or group.id in self._asked.groups)

    def _kind_in(self, group: Uid) -> bool:
        kind = self._asked.kind
        return group == Uid("Kind", kind.path) or (group.type == "Area" and group.id in kind.areas)


def _truth(meaning: Meaning) -> Truth:
    """As a condition; what is none is an error."""
    match meaning:
        case Truth():
            return meaning
        case Known(value=bool() as value):
            return sure(value)
        case Column(sort="truth"):
            return _tested(meaning, leaves.one_of(meaning, (True,)))
    return BROKEN


def _tested(column: Column, test: Condition) -> Truth:
    """A test of a column is an error where the record does not have it."""
    there = leaves.present(column)
    return Truth(both(there, test), both(there, opposite(test)), there is True)


def _and(a: Truth, b: Truth) -> Truth:
    true = both(a.true, b.true)
    false = either(a.false, b.false if a.sure else both(a.true, b.false))
    return Truth(true, false, a.sure and b.sure)


def _or(a: Truth, b: Truth) -> Truth:
    turned = _and(Truth(a.false, a.true, a.sure), Truth(b.false, b.true, b.sure))
    return Truth(turned.false, turned.true, turned.sure)


def _if(condition: Truth, then: Truth, other: Truth) -> Truth:
    true = either(both(condition.true, then.true), both(condition.false, other.true))
    false = either(both(condition.true, then.false), both(condition.false, other.false))
    return Truth(true, false, condition.sure and then.sure and other.sure)


def _equal(a: Meaning, b: Meaning) -> Truth:
    if a is BROKEN or b is BROKEN:
        return BROKEN
    match a, b:
        case Known(value=tuple()), _:
            raise Unsupported("sets cannot be compared; write [..].contains(..)")
        case Known(value=x), Known(value=y) if not isinstance(y, tuple):
            return sure(type(x) is type(y) and x == y)
        case (Column() as column, Known(value=value)) | (Known(value=value), Column() as column):
            if isinstance(value, tuple):
                raise Unsupported("sets cannot be compared; write [..].contains(..)")
            return _tested(column, leaves.one_of(column, (value,)))
        case Column(name=x), Column(name=y):
            raise Unsupported(f"resource.{x} and resource.{y}: two attributes cannot be compared")
    raise Unsupported("conditions cannot be compared with one another")


def _contains(values: Meaning, element: Meaning) -> Truth:
    match values, element:
        case Known(value=tuple() as found), Column():
            return _tested(element, leaves.one_of(element, found))
        case Known(value=tuple() as found), Known(value=value) if not isinstance(value, tuple):
            return sure(any(type(v) is type(value) and v == value for v in found))
    if element is BROKEN:
        return BROKEN
    raise Unsupported("[..].contains(..) takes an attribute or a value")


def _ordered(operator: str, a: Meaning, b: Meaning) -> Truth:
    lookup, turned, compare = _ORDER[operator]
    match a, b:
        case Column(), Column():
            raise Unsupported(f"resource.{a.name} and resource.{b.name}: two attributes cannot be compared")
        case Known(value=x), Known(value=y):
            return sure(compare(x, y)) if type(x) is type(y) is int else BROKEN
        case (Column() as column, Known(value=number)) | (Known(value=number), Column() as column):
            if column.sort != "long" or type(number) is not int:
                return BROKEN
            return _tested(column, leaves.compared(column, lookup if a is column else turned, number))
    if a is BROKEN or b is BROKEN:
        return BROKEN
    raise Unsupported("conditions cannot be compared with one another")


def _like(base: Meaning, pattern: tuple[pst.PatternElem, ...]) -> Truth:
    if leaves.like(_ANY_TEXT, pattern) is None:
        raise Unsupported('like: write "a*", "*a", "a*b" or "*a*"')
    match base:
        case Column(sort="text" | "severity"):
            return _tested(base, leaves.like(base, pattern) or False)
        case Known(value=str() as text):
            return sure(bool(leaves.matching(pattern)(text)))
        case Truth() if base is not BROKEN:
            raise Unsupported("like takes an attribute")
    return BROKEN


def _plain(element: Meaning) -> Any:
    if isinstance(element, Known) and not isinstance(element.value, tuple):
        return element.value
    raise Unsupported("a set can hold values only, and no attributes of the resource")


def _tests(condition: Any) -> int:
    return sum(map(_tests, condition.children)) if isinstance(condition, Q) else 1


def _uid(entity: pst.EntityUid) -> Uid:
    return Uid(str(entity.type), entity.id)


def _said(expression: pst.Expr) -> str:
    """The part in words close to how it was written."""
    match expression:
        case pst.BinaryOp(op=op):
            return f"the operator {op}"
        case pst.UnaryOp(op=op):
            return f"{op}(..)"
        case pst.GetAttr(attr=attribute) | pst.HasAttr(attrs=(attribute, *_)):
            return f"an attribute of another thing than principal, resource or context (.{attribute})"
    return type(expression).__name__.lower()
