"""Asks whoever requested a ticket, once, how they found what was done: in the portal, and by a signed link in a mail, which
needs no sign-in. Of cancelled tickets nobody is asked, and nobody more often than once in settings.SURVEY_DAYS."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.desk import rules
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.outgoing import mail
from watchkeeper.domains.outgoing.webhooks import message_id
from watchkeeper.domains.portal.models import BEST, WORST, Survey
from watchkeeper.kernel import audit, outbox
from watchkeeper.kernel.acting import Actor, ActorKind
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.problems import NotThere, Refused

KIND = "survey-mail"
_LASTS = dt.timedelta(days=60)
_signer = signing.TimestampSigner(salt="watchkeeper.portal.survey")
_ENDS = {"resolve", "close"}
_DONE = (rules.RESOLVED, rules.CLOSED)


class Done:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Tickets, unless nobody is ever asked."""
        return {"tickets"} & set(kinds) if settings.SURVEY_DAYS else ()

    def hear(self, events: Sequence[Event]) -> str:
        """Ask about those that are done."""
        asked = [ask(int(e.key), timezone.now()) for e in events if e.act in _ENDS]
        return f"{sum(asked)} asked" if any(asked) else ""


def ask(ticket: int, now: dt.datetime) -> bool:
    """Ask about this ticket, if its requester is to be asked; whether they are, for the first time."""
    found = Ticket.objects.select_related("requester").filter(pk=ticket, status__in=_DONE).first()
    if (
        found is None
        or found.requester is None
        or not found.requester.is_active
        or found.requester.is_service
    ):
        return False
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=found.requester.pk)  # one at a time asks them
        lately = now - dt.timedelta(days=settings.SURVEY_DAYS)
        if (
            Survey.objects.filter(ticket=found).exists()
            or person.surveys.filter(asked_at__gt=lately).exists()
        ):
            return False
        survey = Survey.objects.create(ticket=found, requester=person, asked_at=now)
        if person.email:
            effect = outbox.Effect(f"{KIND}:{found.pk}", KIND, f"ticket:{found.pk}", {"survey": survey.pk})
            outbox.add([effect])
    return True


@outbox.handler(KIND)
def send(row: OutboxRow) -> str:
    """Mail the question. Raises TryAgain, GiveUp or OSError."""
    survey = Survey.objects.select_related("ticket", "requester").filter(pk=row.payload["survey"]).first()
    if survey is None or survey.answered_at or not survey.requester.is_active or not survey.requester.email:
        return "nobody is to be asked any more"
    subject = f"How was it? {survey.ticket}"
    lines = [f"{survey.ticket} is done.", "", "How did you find what we did? One click, and a comment if you like:",
             f"{settings.PUBLIC_URL}/portal/rate/{link_of(survey)}/"]  # fmt: skip
    to = [survey.requester.email]
    return mail.send(mail.compose(message_id(row.pk), to, subject, lines), to)


def link_of(survey: Survey) -> str:
    """What stands for the survey in an address; nobody can make it up."""
    return _signer.sign(str(survey.pk))


def survey_of(link: str) -> Survey:
    """The survey of a link. Raises NotThere for one that was made up, or is too old."""
    try:
        key = _signer.unsign(link, max_age=_LASTS)
    except signing.BadSignature as error:
        raise NotThere("this link is not one of ours, or too old") from error
    found = Survey.objects.select_related("ticket", "requester").filter(pk=key).first()
    if found is None:
        raise NotThere("this link is not one of ours, or too old")
    return found


def answer(survey: Survey, score: int, comment: str, address: str, request: str = "") -> None:
    """The answer of whoever was asked, which stays. Raises Refused for a second one, ValueError for a score that is none."""
    if not WORST <= score <= BEST:
        raise ValueError(f"{score} is not from {WORST} to {BEST}")
    with transaction.atomic():
        now: Any = Survey.objects.select_for_update(of=("self",)).get(pk=survey.pk)
        if now.answered_at is not None:
            raise Refused("it was answered already; thank you")
        now.score, now.comment, now.answered_at = score, comment, timezone.now()
        now.save()
        person = survey.requester
        actor = Actor(ActorKind.PERSON, person.username, str(person.pk), address=address, request_id=request)
        audit.record(actor, "survey.answer", now, after={"score": score, "comment": comment})
