"""Forgets what rules did, what people were told and the effects behind it, once it is old: an effect of the outbox, due
once on a day on which anything happens."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from watchkeeper.domains import inbox
from watchkeeper.domains.automation.hearing import FORGET, KIND
from watchkeeper.domains.automation.models import Firing, Outcome
from watchkeeper.jobs.slicing import delete
from watchkeeper.kernel import events, outbox
from watchkeeper.kernel.models import OutboxRow, OutboxState

KEEP = dt.timedelta(days=90)
_KINDS = (events.KIND, KIND, FORGET, inbox.MAIL)


@outbox.handler(FORGET)
def forget(_: OutboxRow) -> str:
    """Delete what ended long ago, in slices, so that the database is never held for long; how much it was."""
    before = timezone.now() - KEEP
    old: tuple[QuerySet[Any], ...] = (
        Firing.objects.filter(at__lt=before).exclude(outcome=Outcome.WAITING),
        OutboxRow.objects.filter(kind__in=_KINDS, created_at__lt=before).exclude(state=OutboxState.DUE),
        inbox.told_before(before),
    )
    return ", ".join(f"{sum(delete(found))} {found.model._meta.verbose_name_plural}" for found in old)
