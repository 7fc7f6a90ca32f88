"""Puts events into inboxes: of those who subscribed, and of those whom a rule names. Who may not read the record is
not told, nor is who did it. An event that was told before is not told again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from urllib.parse import parse_qsl

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox import mailing, rules
from watchkeeper.domains.inbox.models import Notice, Subscription
from watchkeeper.domains.inbox.reading import actor, reads
from watchkeeper.kernel.acting import ActorKind
from watchkeeper.kernel.events import Event, kinds_of
from watchkeeper.kernel.lists import narrow
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.problems import BadQuery
from watchkeeper.kernel.resource import registry


class Subscribers:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """The kinds that somebody watches, or whose records somebody does. Every act asks, so it is asked without a
        queryset, which would take ten times as long."""
        marks = ", ".join(["%s"] * len(kinds))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT DISTINCT kind FROM inbox_subscription WHERE NOT muted AND kind IN ({marks})",
                list(kinds),
            )
            return {row[0] for row in cursor.fetchall()}

    def hear(self, events: Sequence[Event]) -> str:
        """Tell the subscribers."""
        told = sum(tell_subscribers(event) for event in events)
        return f"{told} subscribers told" if told else ""


def tell_subscribers(event: Event) -> int:
    """Whoever watches the record of this event, its kind, or a filter that finds it. Returns how many were told."""
    watching = Subscription.objects.filter(kind__in=kinds_of(event.kind), muted=False).filter(
        Q(record="") | Q(record=event.key)
    )
    told: dict[int, Subscription] = {}
    for subscription in watching.select_related("user").order_by("user_id", "-record", "pk"):
        if subscription.user_id not in told and _finds(subscription, event):
            told[subscription.user_id] = subscription
    return _put([(s.user, s) for s in told.values()], event, "")


def _finds(subscription: Subscription, event: Event) -> bool:
    """Whether the query of a subscription finds the record. One that is gone is found by no query but the empty."""
    if not subscription.query:
        return True
    resource = registry[subscription.kind]
    found = visible(actor(subscription.user), resource).filter(pk=event.key)
    try:
        return narrow(resource, found, dict(parse_qsl(subscription.query))).exists()
    except BadQuery:
        return False  # a filter that there is no more


def tell(people: Iterable[User], event: Event, why: str) -> int:
    """Tell these people of an event, for a reason that they can read. Returns how many were told."""
    return _put([(user, None) for user in people], event, why)


def _put(people: Sequence[tuple[User, Subscription | None]], event: Event, why: str) -> int:
    readers = [(u, s) for u, s in people if u.is_active and not _did(u, event) and reads(u, event)]
    text = rules.sentence(event, registry[event.kind].name) if readers else ""
    return _write(
        [
            Notice(
                user=user, event=event.id, kind=event.kind, record=event.key, text=text, subscription=subscription,
                why=why or (f"You watch {subscription.title}." if subscription else "")[:200],
                gone=event.act == "remove", at=timezone.now(),
            )
            for user, subscription in readers
        ]
    )  # fmt: skip


def note(
    people: Iterable[User],
    event: str,
    text: str,
    why: str,
    *,
    about: tuple[str, str] = ("", ""),
    mailed: bool = False,
) -> int:
    """Tell these people something, once for this id. `about` is the kind and key of the record that it leads to, which
    they have to be allowed to read; `mailed`: whoever tells them mails it, too. Returns how many were told."""
    now = timezone.now()
    kind, key = about
    return _write(
        [
            Notice(user=u, event=event, kind=kind, record=key, text=text[:500], why=why[:200], at=now,
                   mailed_at=now if mailed else None)
            for u in people
        ]
    )  # fmt: skip


def alarm(event: str, text: str) -> int:
    """Tell every administrator of something about the platform itself, once for this id."""
    people = User.objects.filter(is_active=True, is_administrator=True)
    return note(people, event, text, "You are an administrator.")


def _write(notices: list[Notice]) -> int:
    """Those that are not there yet, and their mail. Returns how many."""
    if not notices:
        return 0
    event = notices[0].event
    with transaction.atomic():
        had = set(
            Notice.objects.filter(event=event, user__in=[n.user_id for n in notices]).values_list(
                "user_id", flat=True
            )
        )
        fresh = [n for n in notices if n.user_id not in had]
        Notice.objects.bulk_create(fresh, ignore_conflicts=True)
        mailing.due([n.user_id for n in fresh])
    return len(fresh)


def _did(user: User, event: Event) -> bool:
    """Whether they did it themselves. What went through the journal has their name only."""
    by = event.actor
    return by.kind == ActorKind.PERSON and (by.id == str(user.pk) or (not by.id and by.name == user.username))
