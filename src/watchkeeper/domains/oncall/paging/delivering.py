"""Carries pages out: sends each on its way, notes how it went, and leaves out what nobody needs any more."""

from __future__ import annotations

from functools import partial

import msgspec
from django.db.models import Q
from django.utils import timezone

from watchkeeper.domains.identity.models import User
from watchkeeper.domains.oncall.paging import ending, links, sending, wording
from watchkeeper.domains.oncall.paging.models import Escalation, EscalationStep, Page, PageDelivery
from watchkeeper.domains.oncall.paging.own_models import SEALED, ContactMethod
from watchkeeper.domains.oncall.paging.sending import Sent, Way
from watchkeeper.domains.oncall.paging.writing import CHANNEL, PAGE
from watchkeeper.domains.outgoing import chat, webhooks
from watchkeeper.kernel import outbox
from watchkeeper.kernel.fields import storable
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.secrets import Unreadable
from watchkeeper.model.errors import WatchkeeperError

State = PageDelivery.State
FINAL = (*webhooks.FINAL, Unreadable)


@outbox.handler(PAGE, lane="urgent")
def deliver(row: OutboxRow) -> str:
    """Send a page on one of its ways. Raises TryAgain, GiveUp, Unreachable or OSError."""
    found = PageDelivery.objects.select_related("page__escalation", "page__person", "method")
    found = found.defer(*(f"method__{name}" for name in SEALED))
    delivery = found.filter(pk=row.payload["delivery"]).first()
    if delivery is None:
        raise outbox.GiveUp("the page is no more")
    if delivery.at is not None and delivery.state != State.FAILED:
        return "it was sent already"
    if reason := _not_needed(delivery):
        PageDelivery.objects.filter(pk=delivery.pk).update(state=State.GIVEN_UP, answer=reason)
        return reason
    try:
        sent = _send(delivery, row.pk)
    except (WatchkeeperError, OSError) as error:
        final = isinstance(error, FINAL) or row.attempts >= outbox.ATTEMPTS
        _failed(delivery, _said(error), final)
        if isinstance(error, FINAL):
            raise outbox.GiveUp(_said(error)) from error
        raise
    outbox.patiently(partial(_sent, delivery, sent))
    return sent.said


def _said(error: WatchkeeperError | OSError) -> str:
    return error.detail if isinstance(error, WatchkeeperError) else str(error) or repr(error)


def _not_needed(delivery: PageDelivery) -> str:
    page = delivery.page
    answered = page.state == Page.State.ACKNOWLEDGED or delivery.state == State.GIVEN_UP
    if answered or not ending.waits(page.escalation, timezone.now()):
        return "nobody needs it any more"
    if not page.person.is_active:
        return "the account is no longer in use"
    return ""


def _send(delivery: PageDelivery, cause: str) -> Sent:
    method = delivery.method
    if method is None and delivery.channel != ContactMethod.Channel.EMAIL:
        raise outbox.GiveUp("the contact method was removed")
    way = way_of(method) if method else Way(delivery.channel, delivery.page.person.email)
    if not way.address:
        raise outbox.GiveUp("the account has no mail address any more")
    answer, told = links.to_page(delivery.page_id), links.to_delivery(delivery.pk)
    return sending.send(way, cause, wording.of_page(delivery.page), answer, told)


def way_of(method: ContactMethod) -> Way:
    """Where this contact method leads."""
    return Way(method.channel, method.address, method.secret)


def _sent(delivery: PageDelivery, sent: Sent) -> None:
    now = timezone.now()
    state = State.DELIVERED if sent.arrived else State.SENT
    PageDelivery.objects.filter(pk=delivery.pk).update(
        state=state, at=now, reference=storable(sent.reference)[:100], answer=storable(sent.said)[:500]
    )
    used(delivery.method_id, sent.said)
    came(delivery.page_id, state)


def came(page: int, state: str) -> None:
    """A page has come as far as one of its deliveries; what was acknowledged stays so."""
    before = Q(state__in=(Page.State.DUE, Page.State.FAILED, Page.State.SENT))
    Page.objects.filter(before, pk=page).update(state=state)
    Page.objects.filter(pk=page, sent_at=None).update(sent_at=timezone.now())


def used(method: int | None, said: str) -> None:
    """Note on a contact method what came back."""
    if method is not None:
        last = storable(said)[:300]
        ContactMethod.objects.filter(pk=method).update(last_used_at=timezone.now(), last_answer=last)


def _failed(delivery: PageDelivery, said: str, final: bool) -> None:
    used(delivery.method_id, said)
    PageDelivery.objects.filter(pk=delivery.pk).update(
        answer=storable(said)[:500], **({"state": State.FAILED} if final else {})
    )
    if final:
        give_way(delivery.page)


def give_way(page: Page) -> None:
    """When none of a page's ways is left, it has failed; when all pages of a step have, the next step follows at once."""
    if page.deliveries.exclude(state=State.FAILED).exists():
        return
    Page.objects.filter(pk=page.pk, state__in=(Page.State.DUE, Page.State.SENT)).update(
        state=Page.State.FAILED
    )
    beside = Page.objects.filter(escalation=page.escalation_id, round=page.round, position=page.position)
    if not beside.exclude(state=Page.State.FAILED).exists():
        here = {"round": page.round, "position": page.position, "state": Escalation.State.RUNNING}
        Escalation.objects.filter(pk=page.escalation_id, **here).update(due_at=timezone.now())


@outbox.handler(CHANNEL, lane="urgent")
def tell_channel(row: OutboxRow) -> str:
    """Tell the channel of a step whom the step tells. Raises TryAgain, GiveUp, Unreachable or OSError."""
    escalation = Escalation.objects.filter(pk=row.payload["escalation"]).first()
    found = EscalationStep.objects.filter(pk=row.payload["step"]).exclude(channel="")
    step = found.defer("address", "secret").first()
    if escalation is None or step is None:
        raise outbox.GiveUp("the step or what it was about is no more")
    people = User.objects.filter(pk__in=row.payload["people"]).values_list("username", flat=True)
    message = wording.of_step(escalation, str(step), sorted(people))
    try:
        return chat.send(step.channel, step.address, step.secret, webhooks.message_id(row.pk), message)
    except FINAL as error:
        raise outbox.GiveUp(error.detail) from error


def for_message(method: ContactMethod, message: chat.Message) -> chat.Message:
    """A message with what a webhook needs of it."""
    data = {"type": "message", "data": {"title": message.title, "lines": list(message.lines)}, **message.data}
    return msgspec.structs.replace(message, data=data) if method.channel == chat.WEBHOOK else message
