"""What is done about one described thing, as it is shown (Step), and what has to be written for it (Draft)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from watchkeeper.domains.inventory.describing import Described
from watchkeeper.domains.inventory.models import Statement
from watchkeeper.domains.inventory.shapes import Shape
from watchkeeper.model.topology import Identifier


class Act(StrEnum):
    """What is done about a described thing."""

    CREATE = "create"
    CHANGE = "change"
    CLOSE = "close"  # the source does not name it any more
    CONFLICT = "conflict"  # it cannot be done; the reasons say why
    SAME = "same"


@dataclass
class Step:
    """One thing: `item` is the id it has or gets, `values` what is shown before and after."""

    act: Act
    key: str
    kind: str
    name: str
    item: str = ""
    values: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    because: tuple[str, ...] = ()


@dataclass
class Draft:
    """What a step stands on, and what has to be written for it."""

    described: Described
    shape: Shape
    step: Step
    values: dict[str, Any] = field(default_factory=dict)
    names: tuple[Identifier, ...] = ()
    before: Any = None  # the record as it is
    after: Any = None  # and as it shall be
    statement: Statement | None = None
    others: list[Statement] = field(default_factory=list)
    people: dict[str, Any] = field(default_factory=dict)
    opened: list[tuple[str, Identifier]] = field(default_factory=list)  # item, name
    closed: list[tuple[str, Identifier]] = field(default_factory=list)
    contested: list[tuple[str, Identifier]] = field(default_factory=list)  # item that has it, name

    def fail(self, *because: str) -> None:
        """It cannot be done."""
        self.step.act, self.step.because = Act.CONFLICT, because

    @property
    def failed(self) -> bool:
        """Whether it cannot be done."""
        return self.step.act is Act.CONFLICT
