"""What of problems is done in the background: overdue actions are told, situations compared."""

from __future__ import annotations

from django.utils import timezone

from watchkeeper.domains import inbox
from watchkeeper.domains.problems import due, looking
from watchkeeper.domains.problems.models import ProblemAction
from watchkeeper.kernel import outbox
from watchkeeper.kernel.events import Event, text
from watchkeeper.kernel.models import OutboxRow


@outbox.handler(due.KIND)
def overdue(row: OutboxRow) -> str:
    """Tell its owner, and the problem's where it has none."""
    found = (
        ProblemAction.objects.select_related("owner", "problem__owner")
        .filter(pk=row.payload["action"])
        .first()
    )
    if found is None or found.done_at is not None or str(found.due_on) != row.payload["due"]:
        return "it is not overdue any more"
    person = found.owner or found.problem.owner
    if person is None:
        return "there is nobody to tell"
    name = f"{found.problem.number}: {found}"[:200]
    event = Event(row.pk, "problem-actions", "remind", str(found.pk), name, text(timezone.now()))
    return f"{inbox.tell([person], event, f'It was due on {found.due_on}.')} told"


@outbox.handler(looking.KIND)
def look(row: OutboxRow) -> str:  # noqa: ARG001
    """Compare the situations of the last 30 days."""
    try:
        return f"{looking.look(timezone.now())} sorts of situations come again and again"
    finally:
        looking.later(timezone.now())
