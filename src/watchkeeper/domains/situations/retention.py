"""Forgets what is old: alerts and situations that ended long ago, and what was noted about them."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django.db.models import Q, QuerySet

from watchkeeper.domains.situations import models
from watchkeeper.jobs.slicing import delete
from watchkeeper.kernel.fields import moment
from watchkeeper.kernel.models import OutboxRow

KEEP_DAYS = 90
_DAY_MS = 24 * 3600 * 1000


def forget(now_ms: int, keep_days: int = KEEP_DAYS, slices: int = 20) -> int:
    """Delete up to `slices` slices of each kind of what ended more than `keep_days` ago; return how many records
    went. Call it again while that is more than 0. What was told of a situation stays as long as it is open: by that it
    is known that its end is to be told, and its opening is not."""
    before = moment(max(1, now_ms - keep_days * _DAY_MS))
    going_on = models.Situation.objects.exclude(state="resolved").values("pk")
    kinds: list[QuerySet[Any]] = [
        models.Situation.objects.filter(state="resolved", resolved_at__lt=before),
        models.Alert.objects.filter(status="resolved", last_seen_at__lt=before).filter(
            Q(situation=None) | ~Q(situation__in=models.Situation.objects.values("pk"))
        ),
        models.Silence.objects.filter(ends_at__lt=before),
        models.Judgement.objects.filter(Q(ended_at__lt=before) | Q(until__lt=before)),
        models.AppliedAct.objects.filter(applied_at__lt=before),
        OutboxRow.objects.filter(created_at__lt=before).exclude(state="due").exclude(subject__in=going_on),
    ]
    return sum(sum(islice(delete(kind), slices)) for kind in kinds)
