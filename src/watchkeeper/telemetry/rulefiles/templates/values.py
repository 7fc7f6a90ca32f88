"""What templates work with, and how Go sees it: numbers as floats, what counts as true, what can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchkeeper.telemetry.rulefiles.templates.lexing import BadTemplate


@dataclass(frozen=True)
class Sample:
    """A series of a query's result: its labels, the name of the metric among them, and its value."""

    Labels: Mapping[str, str]
    Value: float

    def __str__(self) -> str:
        return f"{{{dict(self.Labels)} {self.Value}}}"


def as_float(value: Any) -> float:
    """A number, or a text that is one. Raises BadTemplate."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadTemplate(f"{value!r} is no number")
    try:
        return float(value)
    except ValueError as error:
        raise BadTemplate(f"{value!r} is no number") from error


def as_text(value: Any) -> str:
    """A text. Raises BadTemplate."""
    if not isinstance(value, str):
        raise BadTemplate(f"a text is needed, not {value!r}")
    return value


def as_samples(value: Any) -> list[Sample]:
    """The result of a query. Raises BadTemplate."""
    if not isinstance(value, list) or not all(isinstance(v, Sample) for v in value):
        raise BadTemplate("the result of query is needed")
    return value


def as_sample(value: Any) -> Sample:
    """One series of a result. Raises BadTemplate."""
    if not isinstance(value, Sample):
        raise BadTemplate("one series of the result of query is needed, such as first gives")
    return value


def true(value: Any) -> bool:
    """Whether it is neither empty nor 0."""
    return value is not None and (isinstance(value, Sample) or bool(value))


def field(of: Any, name: str) -> Any:
    """`.name` of a value; what a map does not have is an empty text. Raises BadTemplate."""
    if isinstance(of, Mapping):
        return of.get(name, "")
    if isinstance(of, Sample) and name in ("Labels", "Value"):
        return getattr(of, name)
    raise BadTemplate(f"there is no .{name} of {of!r}")


def same(a: Any, b: Any) -> bool:
    """Whether both are equal. Raises BadTemplate for what Go does not compare."""
    _comparable(a, b)
    return bool(a == b)


def less(a: Any, b: Any) -> bool:
    """Whether one comes before the other. Raises BadTemplate for what Go does not compare."""
    _comparable(a, b)
    if isinstance(a, bool):
        raise BadTemplate("invalid type for comparison")
    return bool(a < b)


def _comparable(a: Any, b: Any) -> None:
    if not isinstance(a, bool | int | float | str) or type(a) is not type(b):
        raise BadTemplate("incompatible types for comparison")
