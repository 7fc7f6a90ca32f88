"""Who is party to a ticket, by address: whoever asked, works on it, or is in copy."""

from __future__ import annotations

from django.db.models import Q

from watchkeeper.domains.desk.mail.models import MailAccount, Participant
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.models import AccountKind, User


def user_of(address: str) -> User | None:
    """The one account with this address; None where there is none, or several."""
    if not address:
        return None
    found = User.objects.filter(email__iexact=address, is_active=True, kind=AccountKind.PERSON)[:2]
    return found[0] if len(found) == 1 else None


def is_party(ticket: Ticket, address: str) -> bool:
    """Whether whoever writes from this address may add to the ticket without a mail of ours to answer to."""
    if not address:
        return False
    known = [ticket.contact, *(p.email for p in (ticket.requester, ticket.assignee) if p is not None)]
    if address in (k.lower() for k in known if k):
        return True
    return Participant.objects.filter(ticket=ticket, address=address).exists()


def asked_by(ticket: Ticket) -> str:
    """The address of whoever asked; "" where it is not known."""
    return (ticket.requester.email if ticket.requester is not None else "") or ticket.contact


def told(ticket: Ticket) -> list[str]:
    """The addresses to which replies go: whoever asked first, then who is in copy."""
    copies = Participant.objects.filter(ticket=ticket).values_list("address", flat=True)
    return list(dict.fromkeys(a.lower() for a in (asked_by(ticket), *copies) if a))


def own_addresses() -> set[str]:
    """Those of all accounts: nothing is sent there, and nothing taken from there."""
    return {a.lower() for a in MailAccount.objects.values_list("address", flat=True)}


def door_addresses() -> dict[str, int]:
    """Address → key of the accounts that are on and whose mails the SMTP door takes."""
    found = MailAccount.objects.filter(enabled=True, way=MailAccount.Way.DOOR)
    return {address.lower(): pk for address, pk in found.values_list("address", "pk")}


def account_of(ticket: Ticket) -> MailAccount | None:
    """The account from which mails about this ticket go out: by which it came, of its queue, or the only one."""
    came = MailAccount.objects.filter(mails__ticket=ticket, mails__outcome="ticket", enabled=True).first()
    if came is not None:
        return came
    found = MailAccount.objects.filter(
        Q(queue=ticket.queue_id) if ticket.queue_id else Q(queue=None), enabled=True
    )
    return found.order_by("pk").first()
