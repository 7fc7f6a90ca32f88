"""Why an entity is blamed for what metrics show: how far it left its normal range, who needs it and suffers too,
what it leaves unexplained, and whether it was itself dragged along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from watchkeeper.model.reason import Reason, ReasonKind

if TYPE_CHECKING:
    from watchkeeper.analysis.causes.metrics import Table

MOST_TOLD = 999.0  # scales; what was constant in normal times leaves it by any number of them


def plain(key: tuple[str, str, str], value: float) -> str:
    """A value without its unit, which is not known.

    >>> plain(("db", "latency", "mean"), 0.123456)
    '0.1235'
    """
    del key
    return f"{value:.4g}"


def reasons(
    table: Table,
    i: int,
    kind: int,
    named: Callable[[str], str],
    shown: Callable[[tuple[str, str, str], float], str],
) -> tuple[Reason, ...]:
    """Whole sentences about the entity and its telling series; weights are shares of the evidence for it."""
    name, (metric, statistic) = named(table.entities[i]), table.kinds[kind]
    z = float(table.z[i, kind, 0])
    what = f"{metric} ({statistic})" if statistic else metric
    far = f"{z:.1f}" if z < MOST_TOLD else "hundreds of"
    key = (table.entities[i], metric, statistic)
    before, now = (shown(key, float(level[i, kind])) for level in (table.level, table.now))
    text = f"{what} of {name} went from {before} to {now}, {far} times as far as it usually wanders."
    said = [(ReasonKind.LEVEL, 1.0, text)]
    if table.edges:
        said += _about_others(table, i, kind, named)
    whole = sum(weight for _, weight, _ in said)
    return tuple(Reason(kind, text, round(weight / whole, 3)) for kind, weight, text in said)


def _about_others(
    table: Table, i: int, kind: int, named: Callable[[str], str]
) -> list[tuple[ReasonKind, float, str]]:
    name, said = named(table.entities[i]), []
    reached, others = ([named(table.entities[j]) for j in found] for found in table.explained(i))
    if reached:
        verb, also = ("needs", "suffers") if len(reached) == 1 else ("need", "suffer")
        said.append((ReasonKind.DIRECTION, 1.0, f"{_listed(reached)} {verb} {name} and {also} too."))
    if others:
        told = f"It leaves unexplained what {_listed(others)} {'shows' if len(others) == 1 else 'show'}."
        said.append((ReasonKind.COVERAGE, 0.0, told))
    elif reached:
        told = "That explains all that left its normal range."
        said.append((ReasonKind.COVERAGE, 0.5, told))
    needs = [b for a, b in table.edges if a == i]
    if not any(table.z[b, kind, 0] > 1.0 for b in needs):
        metric = table.kinds[kind][0]
        said.append(
            (ReasonKind.DIRECTION, 0.5, f"Nothing that {name} needs left its normal range in {metric}.")
        )
    return said


def _listed(names: Sequence[str]) -> str:
    """Three of them, and how many more."""
    shown = sorted(names)[:3]
    if len(names) > 3:
        return f"{', '.join(shown)} and {len(names) - 3} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
