"""Forgets what is old: alerts and situations that ended long ago, and what was noted about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from watchkeeper.domains.situations import models
from watchkeeper.kernel.fields import moment
from watchkeeper.kernel.models import OutboxRow

KEEP_DAYS = 90
_SLICE = 500
_DAY_MS = 24 * 3600 * 1000


def forget(now_ms: int, keep_days: int = KEEP_DAYS, slices: int = 20) -> int:
    """Delete up to `slices` slices of each kind of what ended more than `keep_days` ago; return how many records
    went. Call it again while that is more than 0."""
    before = moment(max(1, now_ms - keep_days * _DAY_MS))
    kinds: list[QuerySet[Any]] = [
        models.Situation.objects.filter(state="resolved", resolved_at__lt=before),
        models.Alert.objects.filter(status="resolved", last_seen_at__lt=before).filter(
            Q(situation=None) | ~Q(situation__in=models.Situation.objects.values("pk"))
        ),
        models.Silence.objects.filter(ends_at__lt=before),
        models.Judgement.objects.filter(Q(ended_at__lt=before) | Q(until__lt=before)),
        models.AppliedAct.objects.filter(applied_at__lt=before),
        OutboxRow.objects.filter(created_at__lt=before).exclude(state="due"),
    ]
    return cut(kinds, slices)


def cut(kinds: Iterable[QuerySet[Any]], slices: int = 20) -> int:
    """Delete up to `slices` slices of each of these, each in a short transaction of its own; return how many went."""
    gone = 0
    for kind in kinds:
        for _ in range(slices):
            with transaction.atomic():
                ids = list(kind.values_list("pk", flat=True)[:_SLICE])
                kind.model._default_manager.filter(pk__in=ids).delete()
            gone += len(ids)
            if len(ids) < _SLICE:
                break
    return gone
