"""Notices by mail: at once, several in one mail when they come close together, or once a day. A mail is an effect of
the outbox, so it survives a kill and is tried again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from email.message import EmailMessage

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox import MAIL as KIND
from watchkeeper.domains.inbox.models import ByMail, Notice, Preference
from watchkeeper.domains.inbox.reading import readable
from watchkeeper.domains.inbox.rules import next_mail
from watchkeeper.domains.outgoing import mail
from watchkeeper.domains.outgoing.webhooks import message_id
from watchkeeper.kernel import outbox
from watchkeeper.kernel.models import OutboxRow

_MOST = 100  # notices of one mail


def due(users: Iterable[int]) -> None:
    """Add the mails that follow from what is unread and was not mailed, in the caller's transaction.

    A mail is named after its first notice, and carries what has come since: so there is one at a time for everybody.
    """
    now = timezone.now()
    for preference in Preference.objects.filter(user__in=list(users)).exclude(by_mail=ByMail.NEVER):
        first = _waiting(preference.user_id).values_list("pk", flat=True).first()
        if first is None:
            continue
        at = next_mail(now, preference.hour) if preference.by_mail == ByMail.DAILY else None
        outbox.add(
            [
                outbox.Effect(
                    f"{KIND}:{preference.user_id}:{first}", KIND, "", {"user": preference.user_id}, at
                )
            ]
        )


def _waiting(user: int) -> QuerySet[Notice]:
    return Notice.objects.filter(user=user, mailed_at=None, read_at=None).order_by("pk")


@outbox.handler(KIND)
def send(row: OutboxRow) -> str:
    """Mail what is unread; what has come meanwhile gets the next mail. Raises TryAgain, GiveUp or OSError."""
    user = User.objects.filter(pk=row.payload["user"], is_active=True).first()
    wants = Preference.objects.filter(pk=row.payload["user"]).exclude(by_mail=ByMail.NEVER).exists()
    if user is None or not user.email or not wants:
        return "nobody wants it any more"
    notices = list(_waiting(user.pk)[:_MOST])
    told = readable(user, notices)
    said = mail.send(_mail(row, user, told), [user.email]) if told else "nothing is left to be told"
    with transaction.atomic():
        Notice.objects.filter(pk__in=[n.pk for n in notices]).update(mailed_at=timezone.now())
        due([user.pk])
    return said


def _mail(row: OutboxRow, user: User, notices: Sequence[Notice]) -> EmailMessage:
    subject = notices[0].text if len(notices) == 1 else f"{len(notices)} notices from Watchkeeper"
    lines = []
    for n in notices:
        lines += [n.text]
        if n.why:
            lines += [n.why]
        if n.kind and not n.gone:
            lines += [f"{settings.PUBLIC_URL}/{n.kind}/{n.record}/"]
        lines += [""]
    lines += [f"What you watch, and whether it comes by mail: {settings.PUBLIC_URL}/inbox/"]
    return mail.compose(message_id(row.pk), [user.email], subject, lines)
