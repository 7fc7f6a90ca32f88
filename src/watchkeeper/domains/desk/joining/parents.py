"""Parents and children: a big thing, and what is done or suffered because of it."""

from __future__ import annotations

from typing import Any

from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.kernel.problems import Invalid, Refused

_DEEP = 20
_NAMED = 5


def fits(ticket: Ticket, parent: Ticket | None) -> None:
    """Raises Invalid where this parent would make a ring, or a line too long to be meant."""
    line, above = 0, parent
    while above is not None:
        line += 1
        if above.pk == ticket.pk and ticket.pk is not None:
            raise Invalid("a ticket cannot be its own parent, also not by way of others", "parent")
        if line > _DEEP:
            raise Invalid(f"{_DEEP} tickets above one another are too many", "parent")
        above = above.parent


def left(ticket: Ticket) -> list[str]:
    """What is not done yet, in sentences: children that are open, steps without a tick."""
    children = list(
        ticket.children.filter(status__in=rules.OPEN).order_by("pk").values_list("number", flat=True)
    )
    steps = list(ticket.steps.filter(done_at=None).values_list("text", flat=True))
    out = []
    if children:
        out.append(f"{_counted(children, 'child is', 'children are')} open: {_named(children)}")
    if steps:
        out.append(f"{_counted(steps, 'step is', 'steps are')} not ticked: {_named(steps)}")
    return out


def _counted(found: list[str], one: str, many: str) -> str:
    return f"1 {one}" if len(found) == 1 else f"{len(found)} {many}"


def _named(found: list[str]) -> str:
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more


def before_resolving(ticket: Ticket, data: dict[str, Any]) -> None:
    """Raises Refused where something is left and nobody said that it may be; `children` are resolved with it."""
    if data.get("anyway"):
        return
    found = left(ticket)
    if data.get("children"):
        found = [words for words in found if "open:" not in words]
    if found:
        raise Refused(f"{'; '.join(found)}. Do that first, or tick “resolve anyway”")
