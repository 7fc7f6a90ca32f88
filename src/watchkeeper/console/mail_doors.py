"""On the page of a mail account whose mails are handed to the SMTP door: how they get there."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from watchkeeper.domains.desk.mail.models import MailAccount
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.resource import Resource, registry


def coming(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Whom mails have to be sent to, and whether the reader may make the key for that."""
    if not isinstance(record, MailAccount) or record.way != MailAccount.Way.DOOR:
        return None
    keys = may(actor, "create", registry["intake-keys"])
    return {"address": record.address, "local": record.address.partition("@")[0], "keys": keys}
