"""Which set manages a record, and who has changed it by hand since it was applied."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from django.conf import settings
from django.utils import timezone

from watchkeeper.domains.configuration.models import Managed
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import family, on
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.resource import Resource


def of(resource: Resource, record: Any) -> Managed | None:
    """What is known of the record as a managed one."""
    found: Managed | None = on(Managed, resource, [record.pk]).first()
    return found


def keep(resource: Resource, key: Any, set_name: str, actor: Actor, fingerprints: dict[str, str]) -> None:
    """The record is managed by this set, applied now by this actor."""
    Managed.objects.update_or_create(
        kind=resource.path, record=str(key),
        defaults={"set_name": set_name, "applied_at": timezone.now(), "applied_by": actor.name[:200],
                  "fingerprints": fingerprints},
    )  # fmt: skip


def forget(resource: Resource, key: str) -> None:
    """The record was removed."""
    Managed.objects.filter(kind__in=family(resource), record=key).delete()


def by_hand(resource: Resource, managed: Managed) -> AuditEntry | None:
    """The newest act on the record since it was applied."""
    return AuditEntry.objects.filter(
        kind=resource.model._meta.verbose_name, record=managed.record, at__gt=managed.applied_at
    ).first()


def fingerprint(managed_as: str, value: Any) -> str:
    """A secret's keyed hash: nobody without the installation's key can try values against it. `managed_as` is where the
    secret stands, so that equal ones do not look equal."""
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, f"fingerprint:{managed_as}:{value}".encode(), hashlib.sha256).hexdigest()
