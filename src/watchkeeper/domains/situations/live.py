"""Cheap answers to "has anything changed?" and "how much is open?", asked every second while pages are open."""

from __future__ import annotations

from django.db.models import Count, Max

from watchkeeper.domains.situations.models import Alert, Situation, TimelineEntry


def open_count() -> int:
    """Situations that are not resolved."""
    return Situation.objects.exclude(state="resolved").count()


def change_mark() -> tuple[object, ...]:
    """A value that differs when an alert or a situation has changed since it was last asked for."""
    situations = Situation.objects.aggregate(Max("updated_at"), Count("pk"))
    alerts = Alert.objects.order_by("-last_seen_at").values_list("last_seen_at", "fingerprint").first()
    return (*situations.values(), alerts, TimelineEntry.objects.aggregate(Max("id"))["id__max"])
