"""Mails as tests write them, and accounts that take them."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from watchkeeper.domains.desk.mail.models import MailAccount
from watchkeeper.domains.desk.models import Queue
from watchkeeper.kernel.outbox import OutboxWorker


def account(**fields: Any) -> MailAccount:
    """An account of the address desk@example.org, whose queue is its own."""
    queue = Queue.objects.create(name="mail")
    given = {"name": "desk", "address": "desk@example.org", "sender_name": "Service desk", "queue": queue}
    return MailAccount.objects.create(**{**given, **fields})


def mail(
    subject: str = "printer prints stars", text: str = "since this morning", **headers: str
) -> EmailMessage:
    """From Ann, who has no account."""
    out = EmailMessage()
    given = {"From": "Ann Example <ann@example.net>", "To": "desk@example.org", "Subject": subject,
             "Message-ID": f"<{abs(hash((subject, text, *headers.items())))}@example.net>"}  # fmt: skip
    for name, value in {**given, **{n.replace("_", "-"): v for n, v in headers.items()}}.items():
        out[name] = value
    out.set_content(text)
    return out


def work() -> None:
    """Carry out everything that is due."""
    worker = OutboxWorker()
    while worker.step():
        pass
