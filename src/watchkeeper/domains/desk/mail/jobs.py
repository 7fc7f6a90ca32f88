"""The handler of the outbox that sends mails about tickets."""

from __future__ import annotations

from django.conf import settings

from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.mail import writing
from watchkeeper.domains.desk.mail.models import MailAccount, UnreachableAddress
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.outgoing import mail
from watchkeeper.kernel import outbox
from watchkeeper.kernel.models import OutboxRow


@outbox.handler(writing.KIND)
def send(row: OutboxRow) -> str:
    """Send it. Raises TryAgain, GiveUp or OSError."""
    payload = row.payload
    account = MailAccount.objects.filter(pk=payload["account"]).first()
    ticket = Ticket.objects.filter(pk=payload["ticket"]).select_related("queue", "requester").first()
    if account is None or ticket is None or not account.enabled:
        raise outbox.GiveUp("the ticket or the mail account is gone or off")
    if UnreachableAddress.objects.filter(address__iexact=payload["to"]).exists():
        raise outbox.GiveUp(f"{payload['to']} is on the list of unreachable addresses")
    message = TicketMessage.objects.filter(pk=payload.get("message")).select_related("author").first()
    if payload.get("message") and message is None:
        raise outbox.GiveUp("the reply is gone")
    composed = writing.compose(account, ticket, payload, message)
    return mail.send(composed, [payload["to"]], _server(account))


def _server(account: MailAccount) -> mail.Server | None:
    """The account's own, else the platform's."""
    if not account.smtp_host:
        if not settings.SMTP_URL:
            raise outbox.TryAgain("no mail server is set: enter the SMTP server of the mail account")
        return None
    own = bool(account.smtp_user)
    return mail.Server(
        account.smtp_host, account.smtp_port, account.smtp_security, account.address,
        account.smtp_user if own else account.user, account.smtp_password if own else account.password,
    )  # fmt: skip
