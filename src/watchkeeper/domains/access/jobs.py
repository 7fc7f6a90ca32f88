"""Carries out the e-mails of access."""

from __future__ import annotations

import hashlib
from email.message import EmailMessage
from email.utils import formatdate

from django.conf import settings

from watchkeeper.domains.access.telling import KIND
from watchkeeper.kernel import outbox, post
from watchkeeper.kernel.models import OutboxRow


@outbox.handler(KIND)
def deliver(row: OutboxRow) -> str:
    """Send it. Raises TryAgain or GiveUp."""
    told, sender = row.payload, post.sender()
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, told["to"]
    mail["Subject"] = " ".join(told["subject"].split())[:250]
    mail["Date"] = formatdate(localtime=False)
    domain = sender.rpartition("@")[2] or "watchkeeper"
    mail["Message-ID"] = f"<{hashlib.sha256(row.pk.encode()).hexdigest()[:24]}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{told['text']}\n\n{settings.PUBLIC_URL}{told['path']}\n")
    return post.send(mail, [told["to"]])
