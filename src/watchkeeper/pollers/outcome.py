"""What came of asking one target: whether it did as expected, what was measured, and what is wrong in words that go on
a sentence which begins with the target's name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

DOWN, SLOW, CERTIFICATE = "down", "slow", "certificate"


class Measured(NamedTuple):
    """One sample beside those that every outcome has."""

    name: str
    value: float
    labels: dict[str, str] = {}


class Complaint(NamedTuple):
    """What is wrong: a severity of model.verdicts, and words."""

    severity: str
    words: str


@dataclass
class Outcome:
    """`complaints` by condition; a condition with None was looked at and is fine, one that is not there was not looked
    at. `ends_ms` is when the certificate ends, 0 when there was none."""

    seconds: float = 0.0
    measured: list[Measured] = field(default_factory=list)
    complaints: dict[str, Complaint | None] = field(default_factory=dict)
    ends_ms: int = 0

    @property
    def ok(self) -> bool:
        """Whether the target did as expected."""
        return self.complaints.get(DOWN) is None
