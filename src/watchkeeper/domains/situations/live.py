"""Two quick questions that open pages ask again and again: how many situations are open, did anything change."""

from __future__ import annotations

from typing import Any

from django.db import close_old_connections
from django.db.models import Max, QuerySet

from watchkeeper.domains.situations.models import Situation, TimelineEntry


def open_count(among: QuerySet[Situation] | None = None) -> int:
    """Situations that are not resolved, of all or among these."""
    found = Situation.objects.all() if among is None else among
    return found.filter(state__in=("open", "acknowledged")).count()


def change_mark() -> Any:
    """A value that is another one after the writer has written a situation."""
    close_old_connections()  # asked from event streams, where no request begins or ends
    newest = Situation.objects.aggregate(newest=Max("updated_at"))["newest"]
    return newest, TimelineEntry.objects.aggregate(last=Max("id"))["last"]
