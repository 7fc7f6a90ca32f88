"""Where the palette can go beside the pages of the navigation and the records that it searches for.

`SOURCES` is the seam: a part of the console with places of its own (bookmarks, saved views) appends a function that
lists those of a reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.text import capfirst

from watchkeeper.domains.annotations import bookmarks_of
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.resource import registry

BOOKMARKS = 50


@dataclass(frozen=True)
class Place:
    """A line of the palette: `group` says what sort of place it is."""

    label: str
    url: str
    group: str


def kinds(actor: Actor) -> Iterable[Place]:
    """The lists of all kinds, and the forms for new records."""
    for resource in registry:
        if may(actor, "read", resource):
            yield Place(capfirst(resource.plural), f"/{resource.path}/", "List")
        if "create" in resource.allow and may(actor, "create", resource):
            yield Place(f"New {resource.name}", f"/{resource.path}/new/", "Create")


def own_pages(actor: Actor) -> Iterable[Place]:
    """What is not in the navigation."""
    if may(actor, "create", registry["intake-keys"]):
        yield Place("Add a host", "/hosts/add/", "Create")
    yield Place("Your settings", "/settings/", "Page")
    yield Place("Keyboard shortcuts", "/shortcuts/", "Page")
    yield Place("Change your password", "/password/", "Page")


def bookmarked(actor: Actor) -> Iterable[Place]:
    """What somebody wants to find again, the newest first."""
    for b in bookmarks_of(actor, BOOKMARKS):
        yield Place(b.title, b.url, "Bookmark")


SOURCES: list[Callable[[Actor], Iterable[Place]]] = [own_pages, bookmarked, kinds]


def places(actor: Actor) -> list[Place]:
    """Everywhere that this reader can go."""
    return [place for source in SOURCES for place in source(actor)]
