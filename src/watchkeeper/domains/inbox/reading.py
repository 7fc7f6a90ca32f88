"""Who may read what an event or a notice is about, and what is in an inbox."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Model, QuerySet

from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice
from watchkeeper.kernel.acting import Actor, ActorKind
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import Resource, registry


def actor(user: User) -> Actor:
    """This person, as somebody who is told."""
    return Actor(ActorKind.PERSON, user.username, str(user.pk), user.scope, person=user)


def reads(user: User, event: Event) -> bool:
    """Whether this person may read the record of an event. Of one that is gone: whether they might have."""
    try:
        resource = registry[event.kind]
    except KeyError:
        return False
    who, found = actor(user), resource.model._default_manager.filter(pk=event.key)
    if event.act == "remove" or not found.exists():
        return may(who, "read", resource, _as_it_was(resource, event.record))
    return visible(who, resource, found).exists()


def _as_it_was(resource: Resource, columns: dict[str, Any]) -> Model:
    names = {f.attname for f in resource.model._meta.concrete_fields}
    return resource.model(**{k: v for k, v in columns.items() if k in names})


def readable(user: User, notices: Iterable[Notice]) -> list[Notice]:
    """Those of these notices whose record the person may still read, or that are about one that is gone, of a kind
    that they may; two queries a kind."""
    listed = list(notices)
    keys: dict[str, set[str]] = defaultdict(set)
    for notice in listed:
        keys[notice.kind].add(notice.record)
    seen = {kind: _seen(user, kind, found) for kind, found in keys.items() if kind}
    return [n for n in listed if not n.kind or n.record in seen[n.kind]]


def _seen(user: User, kind: str, keys: set[str]) -> set[str]:
    resource = next((r for r in registry if r.path == kind), None)
    if resource is None or not may(actor(user), "read", resource):
        return set()
    found = resource.model._default_manager.filter(pk__in=keys)
    there = {str(pk) for pk in found.values_list("pk", flat=True)}
    mine = {str(pk) for pk in visible(actor(user), resource, found).values_list("pk", flat=True)}
    return keys - (there - mine)


def told_before(at: dt.datetime) -> QuerySet[Notice]:
    """Notices that are older."""
    return Notice.objects.filter(at__lt=at)


def unread(user: User) -> int:
    """How many notices this person has not read."""
    return Notice.objects.filter(user=user, read_at=None).count()
