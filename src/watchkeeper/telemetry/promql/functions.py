"""Functions of values that are there: by name, each takes its arguments and the times of the steps in Unix ms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from watchkeeper.telemetry.promql import histograms
from watchkeeper.telemetry.promql.elementwise import DATES, MATHS, OneOf, clamped, rounded
from watchkeeper.telemetry.promql.errors import BadQuery
from watchkeeper.telemetry.promql.relabelling import label_join, label_replace
from watchkeeper.telemetry.promql.syntax import Expression, Range, Selector
from watchkeeper.telemetry.promql.values import NAME, Flags, Floats, Scalar, Text, Value, Vector, Whole

Arguments = Sequence[Value]
Function = Callable[[Arguments, Whole], Value]
V = TypeVar("V", Scalar, Text, Vector)


def absent(node: Expression, of: Value, steps: int) -> Vector:
    """1 at the steps at which there is no series, with the labels that the selector asks for by =."""
    there: Flags = np.zeros(steps, dtype=bool)
    if isinstance(of, Vector):
        there |= of.present.any(axis=0)
    selector = node.of if isinstance(node, Range) else node
    labels: dict[str, str] = {}
    if isinstance(selector, Selector):
        names = [m.label for m in selector.matchers if m.operator == "=" and m.label != NAME]
        labels = {m.label: m.value for m in selector.matchers
                  if m.operator == "=" and m.value and names.count(m.label) == 1}  # fmt: skip
    return Vector([labels], np.ones((1, steps)), ~there[None, :]).seen()


def _given(arguments: Arguments, at: int, kind: type[V]) -> V:
    found = arguments[at] if at < len(arguments) else None
    if not isinstance(found, kind):
        raise BadQuery(f"the argument {at + 1} has to be a {kind.__name__.lower()}")
    return found


def _scalar(arguments: Arguments, _: Whole) -> Scalar:
    """The value of the only series, NaN where there is not exactly one."""
    of = _given(arguments, 0, Vector)
    if not len(of.labels):
        return Scalar(np.full(of.values.shape[1], np.nan))
    only = np.where(of.present, of.values, 0.0).sum(axis=0)
    return Scalar(np.where(of.present.sum(axis=0) == 1, only, np.nan))


def _vector(arguments: Arguments, _: Whole) -> Vector:
    values = _given(arguments, 0, Scalar).values[None, :]
    return Vector([{}], values, np.ones(values.shape, dtype=bool))


def _each(function: OneOf) -> Function:
    def apply(arguments: Arguments, _: Whole) -> Vector:
        of = _given(arguments, 0, Vector)
        return replace(of, values=function(of.values)).nameless()

    return apply


def _date(function: OneOf) -> Function:
    def apply(arguments: Arguments, times: Whole) -> Value:
        if not arguments:
            return _vector([Scalar(function(times / 1000))], times)
        return _each(function)(arguments, times)

    return apply


def _numbers(arguments: Arguments, default: tuple[float, ...]) -> list[Floats]:
    """The numbers behind the series, by step, and what they are where they are not given."""
    return [
        _given(arguments, i, Scalar).values[None, :] if i < len(arguments) else np.array([[value]])
        for i, value in enumerate(default, start=1)
    ]


def _round(arguments: Arguments, _: Whole) -> Vector:
    of = _given(arguments, 0, Vector)
    return replace(of, values=rounded(of.values, *_numbers(arguments, (1.0,)))).nameless()


def _clamp(arguments: Arguments, _: Whole) -> Vector:
    of = _given(arguments, 0, Vector)
    least, most = _numbers(arguments, (-np.inf, np.inf))
    return replace(
        of, values=clamped(of.values, least, most), present=of.present & ~(least > most)
    ).seen().nameless()  # fmt: skip


def _clamp_max(arguments: Arguments, _: Whole) -> Vector:
    of, most = _given(arguments, 0, Vector), _given(arguments, 1, Scalar)
    return replace(of, values=np.minimum(of.values, most.values[None, :])).nameless()


def _clamp_min(arguments: Arguments, _: Whole) -> Vector:
    of, least = _given(arguments, 0, Vector), _given(arguments, 1, Scalar)
    return replace(of, values=np.maximum(of.values, least.values[None, :])).nameless()


def _texts(arguments: Arguments, start: int) -> list[str]:
    return [_given(arguments, i, Text).value for i in range(start, len(arguments))]


def _label_replace(arguments: Arguments, _: Whole) -> Vector:
    target, template, source, pattern = _texts(arguments, 1)
    return label_replace(_given(arguments, 0, Vector), target, template, source, pattern)


def _label_join(arguments: Arguments, _: Whole) -> Vector:
    target, separator, *sources = _texts(arguments, 1)
    return label_join(_given(arguments, 0, Vector), target, separator, sources)


def _sorted(*, falling: bool) -> Function:
    """In order of the last step's values, which is what an instant query shows; NaN comes last."""

    def apply(arguments: Arguments, _: Whole) -> Vector:
        of = _given(arguments, 0, Vector)
        last = of.values[:, -1]
        return of.take(np.lexsort((-last if falling else last, np.isnan(last))))

    return apply


def _histogram_quantile(arguments: Arguments, _: Whole) -> Vector:
    return histograms.quantile(_given(arguments, 0, Scalar), _given(arguments, 1, Vector))


FUNCTIONS: dict[str, Function] = {
    **{name: _each(function) for name, function in MATHS.items()},
    **{name: _date(function) for name, function in DATES.items()},
    "pi": lambda _, times: Scalar(np.full(len(times), np.pi)),
    "scalar": _scalar, "vector": _vector, "round": _round,
    "clamp": _clamp, "clamp_max": _clamp_max, "clamp_min": _clamp_min,
    "label_replace": _label_replace, "label_join": _label_join,
    "sort": _sorted(falling=False), "sort_desc": _sorted(falling=True),
    "histogram_quantile": _histogram_quantile,
}  # fmt: skip
