"""Entries as they lie in the database, ready to be sealed or held against their seals. Times and documents are
read as text, so that what somebody garbled is read too."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from watchkeeper.domains.audit.rules import Entry, content_of
from watchkeeper.kernel.models import AuditEntry

_OURS = ("sealed_no", "seal")
_DOCUMENTS = ("before", "after")
_PLAIN = tuple(
    f.attname for f in AuditEntry._meta.concrete_fields if f.attname not in (*_OURS, "at", *_DOCUMENTS)
)
_TEXTS = {f"{name}_text": Cast(name, TextField()) for name in ("at", *_DOCUMENTS)}


def entries(found: QuerySet[Any]) -> Iterator[Entry]:
    """These entries, in one query; number 0 stands for none."""
    rows = found.annotate(**_TEXTS).values_list("sealed_no", "seal", *_TEXTS, *_PLAIN)
    for number, seal, at_text, before, after, *plain in rows:
        at = _time(at_text)
        fields = dict(zip(_PLAIN, plain, strict=True))
        fields["at"] = at.isoformat(timespec="microseconds") if at else at_text
        fields["before"], fields["after"] = _document(before), _document(after)
        yield Entry(number or 0, fields["id"], at, content_of(fields), str(seal))


def head() -> tuple[int, str]:
    """The last number and its seal; 0 and the empty text at first."""
    sealed = AuditEntry.objects.exclude(sealed_no=None).order_by("-sealed_no")
    number, seal = sealed.values_list("sealed_no", "seal").first() or (0, "")
    return number or 0, seal


def unsealed() -> int:
    """How many wait for their seal."""
    return AuditEntry.objects.filter(sealed_no=None).count()


def _time(text: str | None) -> dt.datetime | None:
    try:
        at = dt.datetime.fromisoformat(text or "")
        return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _document(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return text
