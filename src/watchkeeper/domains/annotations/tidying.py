"""Removes what hangs on records that are gone: at once when somebody removes one, and once an hour of those that went with
what they belonged to or because they were old; and the contents of files that no record has any more."""

from __future__ import annotations

import threading
from typing import Any

from django.conf import settings
from django.db import OperationalError, close_old_connections
from django.db.models import IntegerField, Q, QuerySet, Value

from watchkeeper.domains.annotations import files, storing
from watchkeeper.domains.annotations.custom_fields import HEAD
from watchkeeper.domains.annotations.models import Bookmark, CustomValue, File, Link, Note, Tagging
from watchkeeper.jobs.slicing import delete
from watchkeeper.kernel.hanging import Hanging, as_records, family
from watchkeeper.kernel.resource import Resource, registry

EVERY = 3600.0  # seconds
_UNUSED = 24 * 3600.0  # seconds that a content lies unused before it goes: uploads may be on their way
#: what goes with its record; a domain with models of its own on Hanging adds them
HANGING: list[type[Hanging]] = [Tagging, Note, File, Link, Bookmark]


def forget(resource: Resource, key: str) -> None:
    """The record was removed. One query where nothing hangs on it."""
    kinds = family(resource)
    own, to = Q(kind__in=kinds, record=key), Q(to_kind__in=kinds, to_record=key)
    refers = Q(field__type="reference", field__target__in=kinds, head=key[:HEAD], text=key)
    hanging: list[QuerySet[Any]] = [
        *(model._default_manager.filter(own) for model in HANGING),
        Link.objects.filter(to),
        CustomValue.objects.filter(record=key, field__kind__in=kinds),
        CustomValue.objects.filter(refers),
    ]
    numbered = [
        found.order_by().values_list(Value(n, output_field=IntegerField()), flat=True)
        for n, found in enumerate(hanging)
    ]
    for n in set(numbered[0].union(*numbered[1:])):
        hanging[n].delete()


def tidy() -> int:
    """Remove it, in short transactions; how many rows and contents went."""
    gone = sum(_orphans(model, "kind", "record") for model in HANGING)
    gone += _orphans(Link, "to_kind", "to_record") + _orphans(CustomValue, "field__kind", "record")
    for sha256 in list(storing.old(settings.FILES, _UNUSED)):
        if not File.objects.filter(sha256=sha256).exists():
            files.let_go(sha256)
            gone += 1
    return gone


def _orphans(model: type[Hanging] | type[CustomValue] | type[Link], kind: str, record: str) -> int:
    """Rows whose record is not there. Kinds that are not declared here any more keep theirs."""
    gone, paths = 0, {r.path: r for r in registry}
    for path in set(model._default_manager.order_by().values_list(kind, flat=True).distinct()) & paths.keys():
        there = as_records(paths[path].model._base_manager.all())
        found = model._default_manager.filter(**{kind: path}).exclude(**{f"{record}__in": there})
        gone += sum(delete(found))
    return gone


def run(stop: threading.Event) -> None:
    """Once an hour, until `stop` is set."""
    while not stop.wait(EVERY):
        try:
            close_old_connections()
            tidy()
        except OperationalError:
            continue  # the records are busy: in an hour, then
