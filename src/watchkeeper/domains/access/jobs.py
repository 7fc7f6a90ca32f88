"""Carries out the e-mails of access."""

from __future__ import annotations

from django.conf import settings

from watchkeeper.domains.access.telling import KIND
from watchkeeper.domains.outgoing import mail, webhooks
from watchkeeper.kernel import outbox
from watchkeeper.kernel.models import OutboxRow


@outbox.handler(KIND)
def deliver(row: OutboxRow) -> str:
    """Send it. Raises TryAgain or GiveUp."""
    told = row.payload
    lines = [told["text"], "", f"{settings.PUBLIC_URL}{told['path']}"]
    message = mail.compose(webhooks.message_id(row.pk), [told["to"]], told["subject"], lines)
    return mail.send(message, [told["to"]])
