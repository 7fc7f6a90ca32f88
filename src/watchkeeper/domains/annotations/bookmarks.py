"""Bookmarks: the records that one person wants to find again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watchkeeper.domains.annotations.models import Bookmark
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import on
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Resource, registry

MOST = 500  # of one person


@dataclass(frozen=True)
class Bookmarked:
    """One record on somebody's list."""

    title: str
    url: str
    kind: str  # in words
    path: str  # of the kind
    key: str


def bookmarks_of(actor: Actor, limit: int = MOST) -> list[Bookmarked]:
    """A person's bookmarks, the newest first, without those whose record is gone or not theirs to see any more. One
    query, and one for each kind among them."""
    if actor.person is None:
        return []
    kept = list(Bookmark.objects.filter(user=actor.person)[:limit])
    found: dict[tuple[str, str], Bookmarked] = {}
    for kind in {b.kind for b in kept}:
        resource = next((r for r in registry if r.path == kind), None)
        if resource is not None:
            keys = [b.record for b in kept if b.kind == kind]
            for record in visible(actor, resource).filter(pk__in=keys):
                title, key = resource.title(record), str(record.pk)
                found[kind, key] = Bookmarked(title, f"/{kind}/{key}/", resource.name, kind, key)
    return [found[b.kind, b.record] for b in kept if (b.kind, b.record) in found]


def is_bookmarked(actor: Actor, resource: Resource, record: Any) -> bool:
    """Whether it is on the actor's list."""
    return actor.person is not None and on(Bookmark, resource, [record.pk]).filter(user=actor.person).exists()


def bookmark(actor: Actor, resource: Resource, record: Any, wanted: bool) -> None:
    """Put it on the list, or take it off. Nothing of the platform changes by it, so it is not audited. Raises
    Forbidden or Refused."""
    require(actor, "read", resource, record)
    if actor.person is None:
        raise Refused("only people have bookmarks")
    mine = on(Bookmark, resource, [record.pk]).filter(user=actor.person)
    if not wanted:
        mine.delete()
    elif not mine.exists():
        if Bookmark.objects.filter(user=actor.person).count() >= MOST:
            raise Refused(f"more than {MOST} bookmarks are too many; take some off the list first")
        Bookmark.objects.create(user=actor.person, kind=resource.path, record=str(record.pk))
