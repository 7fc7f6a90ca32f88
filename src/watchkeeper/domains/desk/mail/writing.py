"""Mails about tickets: which follow from what has happened, as effects of the outbox with ids of their cause, and what each
says once it is sent."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from email.message import EmailMessage
from email.utils import formataddr, formatdate
from typing import Any

from django.conf import settings
from django.db.models import Q

from watchkeeper.domains.annotations import as_html, storing
from watchkeeper.domains.annotations.models import File
from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.mail import parties, texts, threads
from watchkeeper.domains.desk.mail.models import IncomingMail, MailAccount, MailTemplate
from watchkeeper.domains.desk.mail.quoting import MARK
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.kernel import outbox
from watchkeeper.kernel.hanging import on
from watchkeeper.kernel.models import OutboxRow, OutboxState
from watchkeeper.kernel.resource import registry

KIND = "ticket-mail"
ACKNOWLEDGED = (
    3  # new tickets of one address in an hour that are acknowledged: machines may answer each other
)
_HOUR = dt.timedelta(hours=1)
_ATTACHED = 10 * 1024**2  # bytes of files that go out with a reply
Sort = MailTemplate.Sort


def acknowledge(account: MailAccount | None, ticket: Ticket, answers: str, now: dt.datetime) -> None:
    """Tell whoever asked that there is a ticket. `answers`: the Message-ID of their mail, if it was one."""
    to = parties.asked_by(ticket).lower()
    if account is None or not account.acknowledges or not to or to in parties.own_addresses():
        return
    recent = IncomingMail.objects.filter(sender=to, outcome="ticket", received_at__gt=now - _HOUR)
    if recent[:ACKNOWLEDGED].count() < ACKNOWLEDGED:
        _add(account, ticket, Sort.ACKNOWLEDGEMENT, "ack", [to], f"tickets/{ticket.pk}", answers=answers)


def reply(message: TicketMessage) -> None:
    """Send what somebody who works on a ticket has replied to whoever asked and is in copy."""
    ticket = message.ticket
    asked = message.outside or (message.author_id is not None and message.author_id == ticket.requester_id)
    account = None if asked or message.sort != TicketMessage.Sort.REPLY else parties.account_of(ticket)
    if account is not None:
        own = parties.own_addresses() | {message.author.email.lower() if message.author else ""}
        to = [a for a in parties.told(ticket) if a not in own]
        _add(account, ticket, Sort.REPLY, f"reply-{message.pk}", to, f"ticket-messages/{message.pk}",
             message=message.pk)  # fmt: skip


def resolved(ticket: Ticket, cause: str) -> None:
    """Tell whoever asked that it is done. `cause` names the act, so that another resolution is told as well."""
    account, to = parties.account_of(ticket), parties.asked_by(ticket).lower()
    if account is not None and to and to not in parties.own_addresses():
        _add(account, ticket, Sort.RESOLUTION, f"resolved-{cause}", [to], f"tickets/{ticket.pk}")


def _add(
    account: MailAccount, ticket: Ticket, sort: str, cause: str, to: Iterable[str], subject: str, **more: Any
) -> None:  # fmt: skip
    outbox.add(
        outbox.Effect(
            f"{KIND}:{ticket.pk}:{cause}:{hashlib.sha256(address.encode()).hexdigest()[:12]}", KIND, subject,
            {"account": account.pk, "ticket": ticket.pk, "sort": str(sort), "cause": cause, "to": address, **more},
        )
        for address in to
    )  # fmt: skip


def unsent(messages: Iterable[int]) -> dict[int, list[str]]:
    """Message → sentences about its mails that have not gone out: still to be tried, with what the server said, or given
    up."""
    rows = OutboxRow.objects.filter(kind=KIND, subject__in=[f"ticket-messages/{pk}" for pk in messages])
    found: dict[int, list[str]] = {}
    for row in rows.exclude(state=OutboxState.DONE).order_by("id"):
        to, given_up = row.payload["to"], row.state == OutboxState.FAILED
        said = f": {row.error}" if row.error else ""
        text = f"not sent to {to}{said}" if given_up else f"not yet sent to {to}{said}"
        found.setdefault(row.payload["message"], []).append(text)
    return found


def compose(
    account: MailAccount, ticket: Ticket, payload: dict[str, Any], message: TicketMessage | None
) -> EmailMessage:
    """The mail of an effect; the same on every attempt but for its date."""
    subject, text = _said(account, ticket, payload["sort"], message)
    domain = account.address.rpartition("@")[2]
    out = EmailMessage()
    out["From"] = formataddr((account.sender_name, account.address))
    out["To"] = payload["to"]
    out["Reply-To"] = account.address
    out["Subject"] = " ".join(subject.split())[:250]
    out["Date"] = formatdate(localtime=False)
    out["Message-ID"] = f"<{threads.message_id(settings.SECRET_KEY, ticket.pk, payload['cause'], domain)}>"
    before = _before(ticket, payload)
    if before:
        out["In-Reply-To"] = f"<{before[-1]}>"
        out["References"] = " ".join(f"<{one}>" for one in before)
    if payload["sort"] != Sort.REPLY:
        out["Auto-Submitted"] = "auto-replied" if payload.get("answers") else "auto-generated"
        out["X-Auto-Response-Suppress"] = "All"
    out.set_content(f"{MARK}\n\n{text}\n")
    out.add_alternative(f"<p>{MARK}</p>\n{as_html(text)}", subtype="html")
    if message is not None:
        _attach(out, message)
    return out


def _said(account: MailAccount, ticket: Ticket, sort: str, message: TicketMessage | None) -> tuple[str, str]:
    written = MailTemplate.objects.filter(Q(queue=None) | Q(queue=ticket.queue_id), sort=sort)
    found = sorted(written, key=lambda t: t.queue_id is None)  # that of the queue first
    subject, text = (found[0].subject, found[0].text) if found else texts.DEFAULTS[sort]
    author = message.author if message is not None else None
    words = {
        "number": ticket.number or "", "title": ticket.title, "desk": account.sender_name or account.name,
        "text": message.body if message is not None else ticket.resolution,
        "name": (author.name or author.username) if author is not None else "",
    }  # fmt: skip
    return texts.filled(subject, words), texts.filled(text, words)


def _before(ticket: Ticket, payload: dict[str, Any]) -> list[str]:
    """Message-IDs of what was said before by mail: the first mail, and the last ones."""
    if payload.get("answers"):
        return [payload["answers"]]
    came = IncomingMail.objects.filter(ticket=ticket, message_id__gt="", outcome__in=("ticket", "message"))
    ids = list(came.order_by("pk").values_list("message_id", flat=True))
    return [*ids[:1], *ids[1:][-10:]]


def _attach(out: EmailMessage, message: TicketMessage) -> None:
    left = _ATTACHED
    for file in on(File, registry["ticket-messages"], [message.pk]):
        path = storing.path_of(settings.FILES, file.sha256)
        if file.size > left or not path.is_file():
            continue
        left -= file.size
        out.add_attachment(
            path.read_bytes(), maintype="application", subtype="octet-stream", filename=file.name
        )
