"""What people do with their own subscriptions and inbox. Everything is one person's own: whoever acts through a token
that belongs to nobody has none."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import capfirst

from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox import mailing
from watchkeeper.domains.inbox.models import Notice, Preference, Subscription
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.lists import CONTROL, narrow
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.problems import BadQuery, Invalid, NotThere, Refused
from watchkeeper.kernel.resource import Resource, registry

MOST = 500  # subscriptions of one person
_OF_A_PAGE = (*(CONTROL - {"search"}), "page", "all")  # say nothing about which records


def person(actor: Actor) -> User:
    """Whose inbox it is. Raises Refused."""
    if actor.person is None:
        raise Refused("this token belongs to no person, and only people have an inbox")
    found: User = actor.person
    return found


def subscribe(actor: Actor, kind: str, record: str = "", query: str = "") -> Subscription:
    """Watch a record, or what a query finds of a kind, "" all of it; the subscription that is there already is given
    back, heard again. Raises Invalid or NotThere."""
    user = person(actor)
    try:
        resource = registry[kind]
    except KeyError as error:
        raise Invalid(f"there is no kind {kind!r}", "kind") from error
    require(actor, "read", resource)
    if record and query:
        raise Invalid("a record or a query, not both", "query")
    query = _checked(actor, resource, query)
    title = _title(actor, resource, record, query)
    with transaction.atomic():
        made, fresh = Subscription.objects.get_or_create(
            user=user, kind=kind, record=record, query=query, defaults={"title": title[:200]}
        )
        if fresh and Subscription.objects.filter(user=user).count() > MOST:
            raise Refused(f"you watch {MOST} things already; take one away first")
        if fresh or made.muted:
            made.muted = False
            made.save(update_fields=["muted"])
            audit.record(actor, "subscription.create", made, after=audit.state_of(made))
    return made


def _checked(actor: Actor, resource: Resource, query: str) -> str:
    """In one form, without what is about the page. Raises Invalid."""
    pairs = [(k, v) for k, v in parse_qsl(query.lstrip("?")) if k not in _OF_A_PAGE]
    try:
        narrow(resource, visible(actor, resource), dict(pairs))
    except BadQuery as error:
        raise Invalid(f"{error.detail}", "query") from error
    return urlencode(sorted(pairs))


def _title(actor: Actor, resource: Resource, record: str, query: str) -> str:
    if record:
        try:
            found = visible(actor, resource).get(pk=record)
        except (resource.model.DoesNotExist, ValueError) as error:  # type: ignore[attr-defined]
            raise NotThere(f"there is no {resource.name} {record}") from error
        return resource.title(found)
    words = ", ".join(f"{k.replace('__', ' ').replace('_', ' ')} {v}" for k, v in parse_qsl(query))
    return f"{capfirst(resource.plural)} with {words}" if words else f"All {resource.plural}"


def own(actor: Actor) -> QuerySet[Subscription]:
    """What the actor watches."""
    return Subscription.objects.filter(user=person(actor))


def watching(actor: Actor, kind: str, record: str) -> Subscription | None:
    """The actor's subscription to this record, if there is one."""
    if actor.person is None:
        return None
    return Subscription.objects.filter(user=actor.person, kind=kind, record=record).first()


def unsubscribe(actor: Actor, subscription: Subscription) -> None:
    """Watch it no more."""
    with transaction.atomic():
        audit.record(actor, "subscription.remove", subscription, before=audit.state_of(subscription))
        subscription.delete()


def mute(actor: Actor, subscription: Subscription, muted: bool) -> None:
    """Hear nothing of it for now, or hear of it again."""
    with transaction.atomic():
        before = audit.state_of(subscription)
        subscription.muted = muted
        subscription.save(update_fields=["muted"])
        after = audit.state_of(subscription)
        audit.record(actor, "subscription.change", subscription, before=before, after=after)


def mark_read(actor: Actor, notices: QuerySet[Notice]) -> int:
    """Of one's own; returns how many had not been read."""
    return notices.filter(user=person(actor), read_at=None).update(read_at=timezone.now())


def preference(actor: Actor) -> Preference:
    """How the actor wants to be told; not saved while it was never set."""
    user = person(actor)
    return Preference.objects.filter(pk=user.pk).first() or Preference(user=user)


def prefer(actor: Actor, data: dict[str, Any]) -> Preference:
    """Be told by mail in this way. Raises Invalid where there is no address to send it to."""
    user, now = person(actor), preference(actor)
    before = audit.state_of(now)
    for name, value in data.items():
        setattr(now, name, value)
    if now.by_mail != "never" and not user.email:
        raise Invalid("your account has no e-mail address", "by_mail")
    with transaction.atomic():
        now.save()
        audit.record(actor, "inbox.change", now, before=before, after=audit.state_of(now))
        Notice.objects.filter(user=user, mailed_at=None).update(
            mailed_at=timezone.now()
        )  # it is for what comes
        mailing.due([user.pk])
    return now
