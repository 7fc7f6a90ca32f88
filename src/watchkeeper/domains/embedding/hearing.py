"""Hears what was done to records of which vectors are kept, and marks theirs; keeping makes them anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.conf import settings
from django.db import transaction

from watchkeeper.domains.embedding.models import Vector
from watchkeeper.domains.embedding.sources import Source, sources
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.upserts import upsert


class Changes:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Kinds of which vectors are kept, where there is a model."""
        return sources.keys() & set(kinds) if settings.EMBEDDING else ()

    def hear(self, events: Sequence[Event]) -> str:
        """Mark them."""
        marked = sum(
            _mark(source, {int(e.key) for e in events if e.kind == source.kind})
            for source in sources.values()
        )
        return f"{marked} to be embedded" if marked else ""


def _mark(source: Source, keys: set[int]) -> int:
    """Only what is to be found, or was until now."""
    there = set(source.among().filter(pk__in=keys).values_list("pk", flat=True)) if keys else set()
    there |= set(Vector.objects.filter(kind=source.kind, record__in=keys).values_list("record", flat=True))
    rows = [(source.kind, key, "", "", b"", True) for key in sorted(there)]
    with transaction.atomic():
        upsert(Vector, rows, key=("kind", "record"), update=("waiting",))
    return len(rows)
