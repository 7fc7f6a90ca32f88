"""What of problems may need somebody: their own actions that are open, and situations that come again and again."""

from __future__ import annotations

from typing import Any

from watchkeeper.domains.problems.models import ProblemAction, Recurring
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.panels import EVERYONE, Line, Panel, panels
from watchkeeper.kernel.permissions import visible


def _mine(actor: Actor) -> Any:
    if actor.person is None:
        return []
    found = ProblemAction.objects.filter(owner=actor.person, done_at=None).select_related("problem")
    return visible(actor, "problem-actions", found).order_by("due_on", "id")


def _action(a: ProblemAction) -> Line:
    due = f"due on {a.due_on}" if a.due_on else ""
    return Line(f"{a.problem.number}: {a.what}", f"/problem-actions/{a.pk}/", due, a.state)


def _recurring(actor: Actor) -> Any:
    return visible(actor, "recurring-situations", Recurring.objects.filter(status=Recurring.State.OPEN))


def _again(r: Recurring) -> Line:
    return Line(
        f"{r.count} times: {r.title}", f"/recurring-situations/{r.pk}/", "; ".join(r.because), at=r.last_at
    )


_LEADS = {"operations manager": 40, "incident and security manager": 40}
panels.add(
    Panel(
        "problem-actions", "Your actions for problems", {EVERYONE: 30}, _mine, _action, "",
        "/problem-actions/", "problem-actions",
    ),
    Panel(
        "recurring-situations", "Situations that come again", _LEADS, _recurring, _again,
        "No situation comes again and again.", "/recurring-situations/", "recurring-situations",
    ),
)  # fmt: skip
