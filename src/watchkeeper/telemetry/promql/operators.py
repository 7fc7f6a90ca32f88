"""Operators between two sides: numbers, series and a number, series and the series that belong to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from watchkeeper.telemetry.promql.errors import BadQuery, Unanswerable
from watchkeeper.telemetry.promql.syntax import Binary, Matching
from watchkeeper.telemetry.promql.values import (
    NAME,
    Bounded,
    Flags,
    Floats,
    Key,
    Labels,
    Scalar,
    Value,
    Vector,
    key,
    nothing,
    only,
    without,
)

_ARITHMETIC: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "%": np.fmod, "^": np.power, "atan2": np.arctan2,
}  # fmt: skip
_COMPARISONS: dict[str, Callable[[Floats, Floats], Flags]] = {
    "==": np.equal, "!=": np.not_equal, ">": np.greater, "<": np.less, ">=": np.greater_equal, "<=": np.less_equal,
}  # fmt: skip
_NAMED = frozenset(("atan2",))  # keeps the metric's name, as in Prometheus 2
SETS = frozenset(("and", "or", "unless"))


def combine(node: Binary, left: Value, right: Value, bounded: Bounded) -> Value:
    """Both sides joined by the operator. Raises BadQuery for sides that cannot be, Unanswerable where it is not one to one
    which series belong together."""
    match left, right:
        case Scalar(), Scalar():
            values, kept = _apply(node.operator, left.values, right.values)
            return Scalar(values if kept is None else kept.astype(np.float64))
        case Vector(), Scalar():
            return _with_number(node, left, left.values, right.values[None, :])
        case Scalar(), Vector():
            return _with_number(node, right, left.values[None, :], right.values)
        case Vector(), Vector():
            return _sets(node, left, right) if node.operator in SETS else _matched(node, left, right, bounded)
    raise BadQuery("binary expression must contain only scalar and instant vector types")


def _apply(operator: str, left: Floats, right: Floats) -> tuple[Floats, Flags | None]:
    """The values, and for a comparison where it holds; then the values are those of the left side."""
    if operator in _ARITHMETIC:
        return _ARITHMETIC[operator](left, right), None
    if operator not in _COMPARISONS:
        raise BadQuery(f"the operator {operator} is not supported here")
    return left, _COMPARISONS[operator](left, right)


def _with_number(node: Binary, of: Vector, left: Floats, right: Floats) -> Vector:
    values, kept = _apply(node.operator, left, right)
    if kept is None:
        found = replace(of, values=values)
        return found if node.operator in _NAMED else found.nameless()
    if node.as_bool:
        return replace(of, values=kept.astype(np.float64)).nameless()
    return replace(of, present=of.present & kept).seen()


def _signature(matching: Matching) -> Callable[[Labels], Key]:
    if matching.on:
        return lambda labels: key(only(labels, matching.labels))
    gone = (*matching.labels, NAME)
    return lambda labels: key(without(labels, gone))


def _by_signature(of: Vector, sign: Callable[[Labels], Key]) -> dict[Key, list[int]]:
    groups: dict[Key, list[int]] = {}
    for i, labels in enumerate(of.labels):
        groups.setdefault(sign(labels), []).append(i)
    return groups


def _sets(node: Binary, left: Vector, right: Vector) -> Vector:
    sign = _signature(node.matching)
    asking, answering = (right, left) if node.operator == "or" else (left, right)
    there = {s: answering.present[rows].any(axis=0) for s, rows in _by_signature(answering, sign).items()}
    never = np.zeros(asking.present.shape[1], dtype=bool)
    matched = np.array([there.get(sign(labels), never) for labels in asking.labels], dtype=bool)
    matched = matched.reshape(asking.present.shape)
    kept = asking.present & (matched if node.operator == "and" else ~matched)
    found = replace(asking, present=kept).seen()
    if node.operator != "or":
        return found
    return Vector(
        [*left.labels, *found.labels],
        np.concatenate((left.values, found.values)),
        np.concatenate((left.present, found.present)),
    ).merged()


@dataclass(frozen=True)
class _Pairs:
    """Rows of the side that may have many, each with a row of the other that it belongs to."""

    many: Sequence[int]
    one: Sequence[int]
    groups: Sequence[Key]


def _matched(node: Binary, left: Vector, right: Vector, bounded: Bounded) -> Vector:
    matching = node.matching
    many, one = (right, left) if matching.many == "right" else (left, right)
    pairs = _pairs(matching, many, one)
    if not pairs.many:
        return nothing(left.values.shape[1])
    bounded(len(pairs.many), left.values.shape[1])
    present = many.present[list(pairs.many)] & one.present[list(pairs.one)]
    a, b = many.values[list(pairs.many)], one.values[list(pairs.one)]
    values, kept = _apply(node.operator, *((b, a) if matching.many == "right" else (a, b)))
    if kept is not None and node.as_bool:
        values = kept.astype(np.float64)
    elif kept is not None:
        present &= kept
    if not matching.many:
        _alone(pairs.groups, present)
    drops = (kept is None and node.operator not in _NAMED) or node.as_bool
    labels = [_labels(matching, many.labels[i], one.labels[j], drops)
              for i, j in zip(pairs.many, pairs.one, strict=True)]  # fmt: skip
    try:
        return Vector(labels, values, present).seen().merged()
    except Unanswerable as error:
        raise Unanswerable(
            "multiple matches for labels: grouping labels must ensure unique matches"
        ) from error


def _pairs(matching: Matching, many: Vector, one: Vector) -> _Pairs:
    sign = _signature(matching)
    ones = _by_signature(one, sign)
    asked = many.present.any(axis=0)
    for signature, rows in ones.items():
        if len(rows) > 1 and ((one.present[rows].sum(axis=0) > 1) & asked).any():
            side = "left" if matching.many == "right" else "right"
            raise Unanswerable(
                f"found duplicate series for the match group {_shown(dict(signature))} on the {side} hand-side of the "
                f"operation: [{', '.join(_shown(one.labels[i]) for i in rows[:2])}];many-to-many matching not allowed: "
                "matching labels must be unique on one side"
            )
    signs = [sign(labels) for labels in many.labels]
    found = [(i, j, signature) for i, signature in enumerate(signs) for j in ones.get(signature, ())]
    return _Pairs([i for i, _, _ in found], [j for _, j, _ in found], [s for _, _, s in found])


def _alone(groups: Sequence[Key], present: Flags) -> None:
    """Raises Unanswerable when a group has two at the same step."""
    rows: dict[Key, list[int]] = {}
    for i, group in enumerate(groups):
        rows.setdefault(group, []).append(i)
    for same in rows.values():
        if len(same) > 1 and (present[same].sum(axis=0) > 1).any():
            raise Unanswerable(
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            )


def _labels(matching: Matching, many: Labels, one: Labels, drops: bool) -> dict[str, str]:
    """What a pair is called."""
    found = without(many, (NAME,)) if drops else dict(many)
    if not matching.many:
        return only(found, matching.labels) if matching.on else without(found, matching.labels)
    for name in matching.include:
        if name in one:
            found[name] = one[name]
        else:
            found.pop(name, None)
    return found


def _shown(labels: Labels) -> str:
    """Labels as Prometheus writes them in errors.

    >>> _shown({"__name__": "up", "job": "a"})
    'up{job="a"}'
    """
    inner = ", ".join(f'{name}="{value}"' for name, value in key(without(labels, (NAME,))))
    return f"{labels.get(NAME, '')}{{{inner}}}"
