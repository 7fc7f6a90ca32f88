"""Works off the timers of escalations: each is a row with `due_at`, found by an index, so that a kill loses none. What is
due is done in batches: a step's pages and messages are written in the transaction that sets the next time, so that a step
is done once, whoever does it. Sending is the outbox's."""

from __future__ import annotations

import datetime as dt
import logging
import threading

from django.db import DatabaseError, close_old_connections, connection, transaction
from django.utils import timezone

from watchkeeper.domains.inbox import telling
from watchkeeper.domains.oncall.paging import subjects
from watchkeeper.domains.oncall.paging.ending import give_up
from watchkeeper.domains.oncall.paging.models import Escalation
from watchkeeper.domains.oncall.paging.planning import Plan, Steps
from watchkeeper.domains.oncall.paging.writing import write
from watchkeeper.kernel.upserts import row_of, upsert
from watchkeeper.model.errors import WatchkeeperError

BATCH = 100  # escalations in one transaction
_BREATH = (
    0.02  # seconds in which others may write: SQLite lets in whoever asks, not whoever has waited longest
)
HOLD = dt.timedelta(minutes=1)  # how often is looked whether alerts are still held back
_CHANGED = ("state", "note", "round", "position", "due_at", "ended_at")
_log = logging.getLogger(__name__)
State = Escalation.State


class Pager:
    """Inert until `run`."""

    def __init__(self, poll: float = 0.5) -> None:
        self.poll = poll  # seconds

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set. Several processes may: each escalation's step is one's."""
        try:
            while not stop.is_set():
                try:
                    close_old_connections()
                    done = climb(timezone.now())
                    stop.wait(self.poll if done < BATCH else _BREATH)
                except (DatabaseError, WatchkeeperError) as error:
                    _log.warning("escalations that are due are not done, trying again: %s", error)
                    stop.wait(2.0)
        finally:
            connection.close()


def climb(now: dt.datetime, most: int = BATCH) -> int:
    """Do what is due of at most so many escalations; returns of how many."""
    due = Escalation.objects.filter(state=State.RUNNING, due_at__lte=now).order_by("due_at")
    if not due.values("pk")[:1].exists():
        return 0
    with transaction.atomic():
        locks = connection.features.has_select_for_update_skip_locked
        found = list((due.select_for_update(skip_locked=True) if locks else due)[:most])
        if found:
            _do(found, now)
    return len(found)


def _do(found: list[Escalation], now: dt.datetime) -> None:
    standing = subjects.standing(found)
    going_on = [e for e in found if e.pk not in standing]
    steps = Steps(going_on, now)
    plans: list[Plan] = []
    for escalation in found:
        match standing.get(escalation.pk):
            case None:
                plans += steps.next(escalation)
            case subjects.HELD:
                escalation.due_at = now + HOLD
                escalation.note = "All of its alerts are held back by silences or maintenance."
            case state:
                _end(escalation, state, now)
    write(plans, now)
    rows = [row_of(Escalation, escalation) for escalation in found]
    upsert(Escalation, rows, key=("cause",), update=_CHANGED)  # a tenth of what bulk_update takes
    ended = [e for e in found if e.state != State.RUNNING]
    if ended:
        give_up([e.pk for e in ended if e.state != State.UNANSWERED])
        for escalation in ended:
            if escalation.state == State.UNANSWERED:
                said = f"Nobody has answered: {escalation.title}"
                telling.alarm(f"unanswered:{escalation.pk}", said[:500])


def _end(escalation: Escalation, state: str, now: dt.datetime) -> None:
    escalation.state, escalation.due_at, escalation.ended_at = state, None, now
