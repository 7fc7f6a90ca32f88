"""Has the owner of an action told when it is overdue."""

from __future__ import annotations

import datetime as dt

from watchkeeper.domains.problems.models import ProblemAction
from watchkeeper.kernel import outbox

KIND = "problem-action.overdue"
_HOUR = 7  # UTC, of the day after


def later(action: ProblemAction) -> None:
    """Have it told the day after it is due; once for each day that it names."""
    if action.due_on is None or action.done_at is not None:
        return
    at = dt.datetime.combine(action.due_on + dt.timedelta(days=1), dt.time(_HOUR), dt.UTC)
    payload = {"action": action.pk, "due": action.due_on.isoformat()}
    about = f"problem-actions/{action.pk}"
    outbox.add([outbox.Effect(f"{KIND}:{action.pk}:{action.due_on}", KIND, about, payload, at)])
