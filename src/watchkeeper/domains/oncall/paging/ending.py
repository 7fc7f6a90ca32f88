"""How escalations end: somebody has acknowledged, it is over, it was stopped, or nobody answered."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from watchkeeper.domains.oncall.paging.models import Escalation, Page, PageDelivery

RUNNING = Escalation.State.RUNNING


def running_of(kind: str, record: str) -> QuerySet[Escalation]:
    """Those that still run about a record."""
    return Escalation.objects.filter(kind=kind, record=record, state=RUNNING)


def end(found: QuerySet[Escalation], state: str, by: str, now: dt.datetime, note: str = "") -> int:
    """End those of these that still run, so that nobody else is told. Returns how many."""
    with transaction.atomic():
        keys = list(found.filter(state=RUNNING).select_for_update().values_list("pk", flat=True))
        changed = Escalation.objects.filter(pk__in=keys).update(
            state=state, ended_at=now, ended_by=by[:150], due_at=None, note=note[:300]
        )
        give_up(keys)
    return changed


def give_up(escalations: list[int]) -> None:
    """What of these has not been sent yet no longer is."""
    waiting = PageDelivery.objects.filter(
        page__escalation__in=escalations, state=PageDelivery.State.DUE, at=None
    )
    waiting.update(state=PageDelivery.State.GIVEN_UP)
    Page.objects.filter(escalation__in=escalations, state=Page.State.DUE).update(state=Page.State.GIVEN_UP)
