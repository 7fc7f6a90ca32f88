"""Mails that the SMTP door has taken for accounts: files that are on disk before the door says so, removed after they were
taken in."""

from __future__ import annotations

import threading
from pathlib import Path

from django.conf import settings

from watchkeeper.domains.desk.mail.models import SEALED, IncomingMail, MailAccount
from watchkeeper.domains.desk.mail.taking import take_in


def take_all(stop: threading.Event | None = None) -> int:
    """Take in what lies there, the oldest first; how many files."""
    taken = 0
    for path in sorted(Path(settings.MAIL_SPOOL).glob("*.eml")):
        if stop is not None and stop.is_set():
            break
        taken += _take(path)
    return taken


def _take(path: Path) -> int:
    account = MailAccount.objects.defer(*SEALED).filter(pk=_account(path.name)).first()
    if account is None:
        return 0  # its account was removed meanwhile: the file stays for whoever looks after it
    place = f"door:{path.stem}"[:80]
    take_in(account, place, path.read_bytes())
    IncomingMail.objects.filter(account=account, place=place).update(filed=True)
    path.unlink(missing_ok=True)
    return 1


def _account(name: str) -> int:
    """The account's key, with which the name of a file begins; 0 for another file."""
    first = name.partition(".")[0]
    return int(first) if first.isascii() and first.isdigit() and len(first) < 18 else 0
