"""Somebody says that they have it: the escalation ends, and the situation is acknowledged, where they may do that."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.oncall.paging.ending import end
from watchkeeper.domains.oncall.paging.models import Escalation, Page
from watchkeeper.kernel import audit, doing
from watchkeeper.kernel.acting import Actor, ActorKind
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import WatchkeeperError


def as_person(page: Page, address: str, request_id: str = "") -> Actor:
    """The person of a page, who acts through the link in their message."""
    person = page.person
    return Actor(
        ActorKind.PERSON, person.username, str(person.pk), person.scope, address, request_id, person=person
    )


def acknowledge(actor: Actor, page: Page, via: str) -> bool:
    """Whether this was what ended the escalation; False when that had ended before."""
    now = timezone.now()
    with transaction.atomic():
        ended = end(
            Escalation.objects.filter(pk=page.escalation_id), Escalation.State.ACKNOWLEDGED, actor.name, now
        )
        if not ended:
            return False
        Page.objects.filter(pk=page.pk).update(state=Page.State.ACKNOWLEDGED, answered_at=now, via=via)
        page.refresh_from_db()
        audit.record(actor, "page.acknowledge", page, after={"state": page.state, "via": via})
    acknowledge_subject(actor, page.escalation)
    return True


def acknowledge_subject(actor: Actor, escalation: Escalation) -> str:
    """Acknowledge the situation as well; why that was not possible, "" when it was or there was none to."""
    if escalation.kind != "situations":
        return ""
    kind = registry["situations"]
    situation: Any = kind.queryset().filter(pk=escalation.record).first()
    action = kind.action("acknowledge")
    if situation is None or action is None or not action.offered(situation):
        return ""
    if not may(actor, "acknowledge", kind, situation):
        return "you may not acknowledge situations"
    try:
        doing.act(kind, action, actor, situation, {})
    except WatchkeeperError as error:
        return error.detail
    return ""
