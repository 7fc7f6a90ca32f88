"""Who may read what an event or a notice is about, and what is in an inbox."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Model

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
    who = actor(user)
    if event.act == "remove":
        return may(who, "read", resource, _as_it_was(resource, event.record))
    return visible(who, resource, resource.model._default_manager.filter(pk=event.key)).exists()


def _as_it_was(resource: Resource, columns: dict[str, Any]) -> Model:
    names = {f.attname for f in resource.model._meta.concrete_fields}
    return resource.model(**{k: v for k, v in columns.items() if k in names})


def readable(user: User, notices: Iterable[Notice]) -> list[Notice]:
    """Those of these notices whose record the person may still read; one query a kind."""
    listed = list(notices)
    keys: dict[str, set[str]] = defaultdict(set)
    for notice in listed:
        if notice.kind and not notice.gone:
            keys[notice.kind].add(notice.record)
    seen = {kind: _seen(user, kind, found) for kind, found in keys.items()}
    return [
        n for n in listed if not n.kind or n.record in seen.get(n.kind, ()) or (n.gone and _may(user, n.kind))
    ]


def _seen(user: User, kind: str, keys: set[str]) -> set[str]:
    try:
        resource = registry[kind]
    except KeyError:
        return set()
    found = visible(actor(user), resource, resource.model._default_manager.filter(pk__in=keys))
    return {str(pk) for pk in found.values_list("pk", flat=True)}


def _may(user: User, kind: str) -> bool:
    return any(r.path == kind and may(actor(user), "read", r) for r in registry)


def unread(user: User) -> int:
    """How many notices this person has not read."""
    return Notice.objects.filter(user=user, read_at=None).count()
