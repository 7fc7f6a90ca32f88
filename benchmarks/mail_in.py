"""How many mails a minute are taken in: `python -m benchmarks.mail_in`. Claimed: 500 a minute.

Each is read, becomes a ticket of its own with a file, is audited, indexed and acknowledged (the acknowledgement waits in the
outbox), on SQLite with its ordinary settings; every tenth has an attachment of 1 MiB.
"""

from __future__ import annotations

import os
import tempfile
import time
from email.message import EmailMessage

MAILS, CLAIMED = 500, 500.0


def main() -> None:
    """Take in, and print the rate."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(WATCHKEEPER_DATA=folder, DJANGO_SETTINGS_MODULE="watchkeeper.app.settings")
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        _measure()


def _measure() -> None:
    from watchkeeper.domains.desk.mail.models import MailAccount
    from watchkeeper.domains.desk.mail.taking import take_in
    from watchkeeper.domains.desk.models import Queue, Ticket

    queue = Queue.objects.create(name="mail")
    account = MailAccount.objects.create(name="desk", address="desk@example.org", queue=queue)
    mails = [_mail(n) for n in range(MAILS)]
    began, cpu = time.perf_counter(), time.process_time()
    for n, raw in enumerate(mails):
        take_in(account, f"1:{n}", raw)
    seconds, worked = time.perf_counter() - began, time.process_time() - cpu
    assert Ticket.objects.count() == MAILS
    rate = 60 * MAILS / seconds
    print(
        f"{MAILS} mails in {seconds:.1f} s ({worked:.1f} s of CPU): {rate:,.0f} a minute, claimed {CLAIMED:,.0f}"
    )


def _mail(n: int) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = f"Person {n} <p{n}@example.net>", "desk@example.org"
    mail["Subject"], mail["Message-ID"] = f"printer {n} prints stars", f"<{n}@example.net>"
    mail.set_content(f"Since this morning printer {n} prints stars.\n" * 20)
    mail.add_alternative(f"<p>Since this morning <b>printer {n}</b> prints stars.</p>" * 20, subtype="html")
    size = 1024**2 if n % 10 == 0 else 4096
    mail.add_attachment(b"%PDF-1.4 " + os.urandom(size), "application", "pdf", filename=f"stars-{n}.pdf")
    return mail.as_bytes()


if __name__ == "__main__":
    main()
