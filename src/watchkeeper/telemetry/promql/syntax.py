"""An expression as a tree of its parts. Times and lengths of time are in milliseconds; brackets are gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from watchkeeper.telemetry.queries.series import Matcher

At = int | Literal["start", "end"] | None


@dataclass(frozen=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True)
class String:
    """A text."""

    value: str


@dataclass(frozen=True)
class Selector:
    """Series whose labels match, each with its newest sample; `at` fixes the time, `offset_ms` goes back from it."""

    matchers: tuple[Matcher, ...]
    offset_ms: int = 0
    at: At = None


@dataclass(frozen=True)
class Range:
    """All samples of the last `range_ms`."""

    of: Selector
    range_ms: int


@dataclass(frozen=True)
class Subquery:
    """An expression, evaluated every `step_ms` (None: the default) of the last `range_ms`."""

    of: Expression
    range_ms: int
    step_ms: int | None
    offset_ms: int = 0
    at: At = None


@dataclass(frozen=True)
class Call:
    """A function of these."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Aggregation:
    """Many series as one of each group: of the same values of `labels`, or (`without`) of all the others."""

    operator: str
    of: Expression
    parameter: Expression | None
    labels: tuple[str, ...]
    without: bool


@dataclass(frozen=True)
class Matching:
    """Which series of both sides belong together: by these `labels` (`on`), or by all others. `many` is the side that may
    have several of one group; `include` are labels that it takes over from the other."""

    labels: tuple[str, ...] = ()
    on: bool = False
    many: Literal["", "left", "right"] = ""
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class Binary:
    """Two sides and an operator; `as_bool`: a comparison gives 0 or 1 and drops nothing."""

    operator: str
    left: Expression
    right: Expression
    matching: Matching
    as_bool: bool


@dataclass(frozen=True)
class Negation:
    """A minus before."""

    of: Expression


Expression = Number | String | Selector | Range | Subquery | Call | Aggregation | Binary | Negation


def parts(expression: Expression) -> Iterator[Expression]:
    """What an expression is made of directly."""
    match expression:
        case Range(of) | Subquery(of) | Negation(of):
            yield of
        case Call(_, arguments):
            yield from arguments
        case Aggregation(_, of, parameter):
            yield of
            if parameter is not None:
                yield parameter
        case Binary(_, left, right):
            yield left
            yield right
        case _:
            return


def ranges(expression: Expression) -> set[int]:
    """The lengths, in milliseconds, of the times that an expression looks back over."""
    own = {expression.range_ms} if isinstance(expression, Range | Subquery) else set[int]()
    return own.union(*map(ranges, parts(expression)))
