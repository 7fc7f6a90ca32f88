"""Deletes many rows slice by slice, so that the database is never held for long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

_SLICE = 500


def delete(found: QuerySet[Any]) -> Iterator[int]:
    """Delete these, each slice in a short transaction of its own; how many went with each. It goes on as it is asked."""
    while keys := list(found.order_by().values_list("pk", flat=True)[:_SLICE]):
        with transaction.atomic():
            found.model._default_manager.filter(pk__in=keys).delete()
        yield len(keys)
        if len(keys) < _SLICE:
            return
