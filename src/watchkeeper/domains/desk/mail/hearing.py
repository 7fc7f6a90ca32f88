"""Hears of tickets and of what is said on them, for the mails that follow, while there is an account to send them from."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.utils import timezone

from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.mail import parties, writing
from watchkeeper.domains.desk.mail.models import MailAccount
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.kernel.events import Event


class Tickets:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Tickets and messages, while an account is on."""
        wanted = {"tickets", "ticket-messages"} & set(kinds)
        return wanted if wanted and MailAccount.objects.filter(enabled=True).exists() else ()

    def hear(self, events: Sequence[Event]) -> str:
        """Add the mails that follow to the outbox; those that are there stay."""
        for event in events:
            if event.kind == "ticket-messages" and event.act == "create":
                self._said(event)
            elif event.kind == "tickets" and event.act in ("create", "resolve"):
                self._ticket(event)
        return ""

    def _said(self, event: Event) -> None:
        message = (
            TicketMessage.objects.filter(pk=event.key).select_related("ticket__requester", "author").first()
        )
        if message is not None:
            writing.reply(message)

    def _ticket(self, event: Event) -> None:
        ticket = Ticket.objects.filter(pk=event.key).select_related("requester").first()
        if ticket is None:
            return
        if event.act == "resolve":
            writing.resolved(ticket, event.id.rpartition(":")[2])
        elif ticket.source in (Ticket.Source.CONSOLE, Ticket.Source.PORTAL):
            # Those that came by mail are acknowledged where they are taken in.
            writing.acknowledge(parties.account_of(ticket), ticket, "", timezone.now())
