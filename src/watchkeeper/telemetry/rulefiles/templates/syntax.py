"""A template as a tree of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Literal:
    """A text, number, true, false or nil."""

    value: Any


@dataclass(frozen=True)
class Dot:
    """What the template is about here."""


@dataclass(frozen=True)
class Variable:
    """`$name`."""

    name: str


@dataclass(frozen=True)
class Function:
    """A function of nothing yet."""

    name: str


@dataclass(frozen=True)
class Field:
    """`.name` of something."""

    of: Term
    name: str


@dataclass(frozen=True)
class Pipeline:
    """Commands, each a list of terms; what one comes to is the last argument of the next. `variable` takes the result;
    `declares`: it is a new one."""

    commands: tuple[tuple[Term, ...], ...]
    variable: str = ""
    declares: bool = False


Term = Literal | Dot | Variable | Function | Field | Pipeline


@dataclass(frozen=True)
class Output:
    """A pipeline whose result is written."""

    pipeline: Pipeline


@dataclass(frozen=True)
class Branch:
    """if or with: `rebinds` makes the value the dot."""

    condition: Pipeline
    then: Sequence[Part]
    otherwise: Sequence[Part]
    rebinds: bool


@dataclass(frozen=True)
class Loop:
    """range, with the names of the variables of index and element."""

    over: Pipeline
    body: Sequence[Part]
    otherwise: Sequence[Part]
    names: tuple[str, ...] = field(default=())


Part = str | Output | Branch | Loop
