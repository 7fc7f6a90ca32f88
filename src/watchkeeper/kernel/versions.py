"""Versions of records: a tag of what one holds, and a lock under which it can be compared and then changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Model


def tag_of(shown: Mapping[str, Any]) -> str:
    """The tag of a record's whole content, strong, in its quotes."""
    text = msgspec.json.encode(shown, enc_hook=str)
    return f'"{hashlib.sha256(text).hexdigest()[:32]}"'


def lock(*records: Model) -> bool:
    """Nobody else changes these records of one kind before this transaction ends; whether they have to be read
    again, because somebody may have until now. SQLite's transactions lock the whole database when they begin."""
    if not connection.features.has_select_for_update:
        return False
    rows = type(records[0])._base_manager.select_for_update().order_by("pk")
    len(rows.filter(pk__in=[r.pk for r in records]).values_list("pk"))
    return True
