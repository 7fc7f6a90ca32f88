"""How escalations end: somebody has acknowledged, it is over, it was stopped, or nobody answered. Of the last nobody else is
told, but it is not over: what was on its way comes, and who was told can still answer, as long as the links hold."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Case, Q, QuerySet, Value, When

from watchkeeper.domains.oncall.paging import links
from watchkeeper.domains.oncall.paging.models import Escalation, Page, PageDelivery

UNANSWERED = Escalation.State.UNANSWERED
_WAITING = (Escalation.State.RUNNING, UNANSWERED)


def waits(escalation: Escalation, now: dt.datetime) -> bool:
    """Whether somebody can still answer it: it runs, or ended unanswered not long ago."""
    ended = escalation.ended_at
    return escalation.state in _WAITING and (ended is None or ended > now - links.LIFE)


def waiting(now: dt.datetime, prefix: str = "") -> Q:
    """The same as a condition."""
    ended = f"{prefix}ended_at"
    recent = Q(**{ended: None}) | Q(**{f"{ended}__gt": now - links.LIFE})
    return Q(**{f"{prefix}state__in": _WAITING}) & recent


def end(found: QuerySet[Escalation], state: str, by: str, now: dt.datetime, note: str = "") -> int:
    """End those of these that still wait for an answer, so that nobody else is told. Returns how many."""
    late = When(state=UNANSWERED, then=Value("Nobody had answered in time."))
    with transaction.atomic():
        keys = list(found.filter(waiting(now)).select_for_update().values_list("pk", flat=True))
        changed = Escalation.objects.filter(pk__in=keys).update(
            state=state,
            ended_at=now,
            ended_by=by[:150],
            due_at=None,
            note=Case(late, default=Value(note[:300])),
        )
        give_up(keys)
    return changed


def give_up(escalations: list[int], after: dt.datetime | None = None) -> None:
    """What of these has not been sent yet no longer is; only what is due later than `after`, if that is said."""
    due = PageDelivery.State.DUE
    left = PageDelivery.objects.filter(page__escalation__in=escalations, state=due, at=None)
    (left.filter(due_at__gt=after) if after else left).update(state=PageDelivery.State.GIVEN_UP)
    pages = Page.objects.filter(escalation__in=escalations, state=Page.State.DUE)
    pages.exclude(deliveries__state=due).update(state=Page.State.GIVEN_UP)
