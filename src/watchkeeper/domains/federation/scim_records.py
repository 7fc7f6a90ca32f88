"""What users and groups share as SCIM resources: their row of Provisioned, and meta."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.utils import timezone
from scim2_models import Meta

from watchkeeper.domains.federation.models import Provisioned


def row_of(**whose: Any) -> Provisioned:
    """The row of a user or team; a new one that is not saved when SCIM never knew them."""
    now = timezone.now()
    found = Provisioned.objects.filter(**whose).first()
    return found or Provisioned(**whose, created_at=now, changed_at=now)


def save(row: Provisioned, external_id: str | None, document: dict[str, Any] | None = None) -> None:
    """With what the directory said now."""
    row.external_id, row.changed_at, row.gone_at = (external_id or "")[:300], timezone.now(), None
    if document is not None:
        row.document = document
    row.save()


def meta(kind: str, row: Provisioned | None, made_at: Any, content: Any) -> Meta:
    """The version is a hash of the content, so that it also changes when somebody changes the record in the console."""
    text = json.dumps(content, sort_keys=True, default=str).encode()
    return Meta(
        resource_type=kind,
        created=row.created_at if row else made_at,
        last_modified=row.changed_at if row else made_at,
        version=f'W/"{hashlib.sha256(text).hexdigest()[:24]}"',
    )
