"""The panels of a reader with their answers, each within a bound of time and rows, so that no question about a large
installation holds up the page that everybody begins with."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db.models import QuerySet

from watchkeeper.domains import access
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.bounded import TookTooLong, within
from watchkeeper.kernel.panels import Line, Panel, panels
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.resource import registry

ROWS = 5
COUNTED = 1000
SECONDS = 0.3  # of one panel
ALTOGETHER = 1.5
DEFAULT = frozenset({"IT operator"})  # for whoever has a role that no panel is declared for


@dataclass(frozen=True)
class Answered:
    """A panel with its first lines; `count` of all of them, `more` when that is not the end of it. `late`: the answer
    took too long."""

    panel: Panel
    lines: list[Line]
    count: int = 0
    more: bool = False
    late: bool = False


def answered(actor: Actor) -> list[Answered]:
    """The panels of the actor's roles that they may see, in the order of their roles."""
    if actor.person is None:
        return []
    roles = access.roles_of(actor.person)
    chosen = panels.of(roles if any(p.roles.keys() & roles for p in panels) else roles | DEFAULT)
    until = time.monotonic() + ALTOGETHER
    return [_answer(p, actor, until - time.monotonic()) for p in chosen if _may_see(actor, p)]


def _may_see(actor: Actor, panel: Panel) -> bool:
    if not panel.kind:
        return True
    return may(actor, panel.act, None if panel.kind == "platform" else registry[panel.kind])


def _answer(panel: Panel, actor: Actor, left: float) -> Answered:
    if left <= 0:
        return Answered(panel, [], late=True)
    try:
        with within(min(SECONDS, left)):
            found = panel.find(actor)
            lines = [panel.line(r) for r in found[:ROWS]]
            if len(lines) < ROWS:
                return Answered(panel, lines, len(lines))
    except TookTooLong:
        return Answered(panel, [], late=True)
    try:
        with within(min(SECONDS, left)):
            counted = found.order_by()[: COUNTED + 1].count() if isinstance(found, QuerySet) else len(found)
    except TookTooLong:
        return Answered(panel, lines, len(lines), more=True)
    return Answered(panel, lines, min(counted, COUNTED), counted > COUNTED)
