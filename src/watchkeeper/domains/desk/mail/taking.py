"""Takes a mail in, once: it becomes a ticket or a message on one, in one transaction with the row that says so. So a kill at
any moment loses none and doubles none."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from itertools import takewhile

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from watchkeeper.domains.annotations import storing
from watchkeeper.domains.annotations.files import hang
from watchkeeper.domains.desk import conversation, promising, rules
from watchkeeper.domains.desk.conversation import saying
from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.conversation.saying import Attachment
from watchkeeper.domains.desk.joining import informing
from watchkeeper.domains.desk.mail import keeping, parties, reading, threads, writing
from watchkeeper.domains.desk.mail.automatic import Writer
from watchkeeper.domains.desk.mail.models import IncomingMail, MailAccount, Participant, UnreachableAddress
from watchkeeper.domains.desk.mail.reading import Mail, Part
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.inbox.reading import actor as person
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import SYSTEM, Actor
from watchkeeper.kernel.fields import storable

Outcome = IncomingMail.Outcome
TICKETS_OF_ONE = 30  # in an hour from one address; what is more adds to its last ticket
_HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Came:
    """A mail, with what of it was stored."""

    account: MailAccount
    mail: Mail
    files: list[Attachment]
    left_out: list[str]
    now: dt.datetime

    @property
    def sender(self) -> str:
        """Name and address, as messages have it."""
        mail = self.mail
        return f"{mail.name} <{mail.address}>" if mail.name else mail.address or "unknown sender"

    @property
    def text(self) -> str:
        """What the mail says, never empty."""
        return storable(self.mail.text) or self.mail.broken or "(The mail has no text.)"

    @property
    def whole(self) -> str:
        """What the mail says, with what it quotes: of a mail that was forwarded, that is what it is about."""
        return "\n\n".join(filter(None, (self.text, storable(self.mail.quoted))))


def take_in(account: MailAccount, place: str, raw: bytes, *, cut: bool = False) -> IncomingMail | None:
    """The mail at this place of this account; None when it was taken in before. Raises DatabaseError, OSError or DiskFull;
    then nothing of it was kept, and it can be tried again."""
    if IncomingMail.objects.filter(account=account, place=place).exists():
        return None
    mail = reading.read(raw, cut)
    whole = (Part("mail.eml", "message/rfc822", raw),) if mail.broken else ()
    wanted = mail.writer in (Writer.PERSON, Writer.PROGRAM)
    files, left_out = keeping.keep((*mail.parts, *whole)) if wanted else ([], [])
    left_out = [*filter(None, (mail.broken,)), *left_out]
    came = _Came(account, mail, files, left_out, timezone.now())
    try:
        with storing.alone(settings.FILES), transaction.atomic():
            row = IncomingMail.objects.create(
                account=account, place=place, identity=mail.identity, message_id=storable(mail.message_id)[:255],
                sender=storable(mail.address)[:400], subject=storable(mail.subject)[:300], outcome=Outcome.IGNORED,
                received_at=came.now,
            )  # fmt: skip
            row.outcome, row.why, row.ticket = _become(came)
            row.save(update_fields=["outcome", "why", "ticket"])
    except IntegrityError:
        keeping.give_up(files)
        _note_again(account, place, mail)
        return None
    keeping.give_up(files)  # which stays where something refers to it
    return row


def _note_again(account: MailAccount, place: str, mail: Mail) -> None:
    """The same mail at another place: noted, so that it is filed there as well."""
    IncomingMail.objects.get_or_create(
        account=account, place=place,
        defaults={"identity": f"again {place}"[:64], "outcome": Outcome.IGNORED, "why": "It came before.",
                  "sender": mail.address[:400], "subject": storable(mail.subject)[:300]},
    )  # fmt: skip


def _become(came: _Came) -> tuple[str, str, Ticket | None]:
    mail = came.mail
    if mail.address in parties.own_addresses() or threads.is_ours(settings.SECRET_KEY, mail.message_id):
        return Outcome.IGNORED, "It is from an address of ours.", None
    if mail.bounce is not None:
        return _bounced(came)
    ticket = _belongs(came)
    if mail.writer is Writer.ANSWERER:
        return _answered_by_itself(came, ticket)
    goes_on = ticket and _goes_on(ticket)
    if goes_on is not None:
        _add(came, goes_on)
        return Outcome.MESSAGE, "", goes_on
    recent = _last_of_many(came)
    if recent is not None:
        _add(came, recent)
        return Outcome.MESSAGE, f"More than {TICKETS_OF_ONE} new tickets an hour from one address.", recent
    return Outcome.TICKET, "", _open(came, after=ticket)


def _belongs(came: _Came) -> Ticket | None:
    """The ticket of which the mail has proof, or to which its sender is party."""
    mail = came.mail
    proven = threads.about(settings.SECRET_KEY, mail.refers, mail.to)
    if proven is not None and (found := Ticket.objects.filter(pk=proven).first()) is not None:
        return found
    claimed = [*Ticket.objects.filter(number__in=threads.claimed(mail.subject))[:5]]
    if mail.refers:
        before = IncomingMail.objects.filter(message_id__in=mail.refers, ticket__isnull=False)
        claimed += [row.ticket for row in before.select_related("ticket")[:5] if row.ticket is not None]
    return next((t for t in claimed if parties.is_party(t, mail.address)), None)


def _goes_on(ticket: Ticket) -> Ticket | None:
    """Where an answer on it is said; None when all is over. What was merged goes on where the same person asked; elsewhere
    they may not read, and what is said on theirs is passed on."""
    way = informing.way(ticket)
    if way[-1].status in rules.OVER:
        return None
    return [*takewhile(lambda t: informing.asker(t) == informing.asker(ticket), way)][-1]


def _open(came: _Came, after: Ticket | None) -> Ticket:
    """A new ticket; `after` a ticket that is over."""
    mail, account = came.mail, came.account
    user = parties.user_of(mail.address)
    text = came.whole if after is None else f"{came.text}\n\n(It follows {after.number}, which is over.)"
    ticket = Ticket(
        title=storable(mail.subject)[:300] or "Mail without a subject", description=text, type=account.type,
        queue=account.queue, requester=user, contact="" if user else mail.address[:254], source=Ticket.Source.MAIL,
    )  # fmt: skip
    promising.begin(ticket)
    audit.record(_actor(came), "ticket.create", ticket, after=audit.state_of(ticket))
    own = parties.own_addresses() | {mail.address}
    for name, address in mail.copies[:20]:
        if address not in own:
            Participant.objects.get_or_create(
                ticket=ticket, address=address[:254], defaults={"name": name[:200]}
            )
    if came.files and not came.left_out:
        for file in came.files:
            hang(SYSTEM, "tickets", str(ticket.pk), file.name, file.content)
    elif came.left_out:
        first = replace(came, left_out=came.left_out)
        saying.add(_actor(came), ticket, "What came with the mail:", public=True, source=TicketMessage.Source.MAIL,
                   sender=first.sender, files=first.files, left_out=first.left_out)  # fmt: skip
    if mail.writer is Writer.PERSON:
        writing.acknowledge(account, ticket, mail.message_id, came.now)
    return ticket


def _add(came: _Came, ticket: Ticket) -> None:
    """A reply on this ticket."""
    actor = _actor(came)
    message = saying.add(
        actor, ticket, came.text, public=True, source=TicketMessage.Source.MAIL,
        sender="" if actor.person is not None else came.sender, message_id=storable(came.mail.message_id),
        files=came.files, left_out=came.left_out,
    )  # fmt: skip
    if came.mail.quoted:
        TicketMessage.objects.filter(pk=message.pk).update(quoted=storable(came.mail.quoted))


def _actor(came: _Came) -> Actor:
    user = parties.user_of(came.mail.address)
    return person(user) if user is not None else SYSTEM


def _answered_by_itself(came: _Came, ticket: Ticket | None) -> tuple[str, str, Ticket | None]:
    """A note that nobody is told of and that changes nothing."""
    if ticket is None:
        return Outcome.IGNORED, "It is an automatic answer.", None
    text = f"Automatic answer from {came.sender}:\n\n{came.text[:2000]}"
    conversation.say(SYSTEM, ticket, text, public=False, source=TicketMessage.Source.MAIL)
    return Outcome.MESSAGE, "It is an automatic answer.", ticket


def _bounced(came: _Came) -> tuple[str, str, Ticket | None]:
    """A report about a mail of ours is noted on its ticket, and the address marked; any other report is nothing."""
    bounce = came.mail.bounce
    key = threads.about(settings.SECRET_KEY, bounce.about) if bounce else None
    ticket = Ticket.objects.filter(pk=key).first() if key is not None else None
    if bounce is None or ticket is None:
        return Outcome.IGNORED, "It reports about no mail of ours.", None
    why = storable(bounce.why) or "no reason was given"
    what = "does not reach" if bounce.final else "has not reached yet"
    text = f"A mail about this ticket {what} {bounce.address or 'its recipient'}: {why}"
    conversation.say(SYSTEM, ticket, text, public=False, source=TicketMessage.Source.MAIL)
    if bounce.final and bounce.address in parties.told(ticket):
        UnreachableAddress.objects.get_or_create(address=bounce.address[:254], defaults={"why": why[:500]})
    return Outcome.BOUNCE, why[:300], ticket


def _last_of_many(came: _Came) -> Ticket | None:
    """The last ticket of an address that opens too many: two machines that answer each other."""
    mine = IncomingMail.objects.filter(
        sender=came.mail.address[:400], outcome=Outcome.TICKET, received_at__gt=came.now - _HOUR, ticket__isnull=False
    ).order_by("-pk")  # fmt: skip
    found = mine.select_related("ticket")[:TICKETS_OF_ONE]
    if len(found) < TICKETS_OF_ONE or found[0].ticket is None or found[0].ticket.status in rules.OVER:
        return None
    return found[0].ticket
