"""How rule groups stand, as the evaluator of this process knows: only the web process has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchkeeper.domains.alerting.evaluating import Evaluator, Watched

_evaluator: Evaluator | None = None


def begin(evaluator: Evaluator) -> None:
    """This one evaluates."""
    global _evaluator
    _evaluator = evaluator


def groups() -> list[Watched]:
    """Those that are evaluated, in order of file and name."""
    return _evaluator.groups() if _evaluator else []


def group(key: str) -> Watched | None:
    """The one of this record, None while it is not evaluated."""
    return _evaluator.group(key) if _evaluator else None


def look_again() -> None:
    """Records of groups have changed."""
    if _evaluator is not None:
        _evaluator.look_again()
