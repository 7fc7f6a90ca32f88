"""Keeps the vectors true, in the background and in small parts: of what was marked at once, of everything once a day and at
each start, which also makes the first ones, those of another model, and those of what was changed unheard."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Mapping

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import QuerySet

from watchkeeper.domains.embedding import nearest
from watchkeeper.domains.embedding.encoder import Encoder, ModelError, load
from watchkeeper.domains.embedding.models import Vector
from watchkeeper.domains.embedding.sources import Source, sources

SLICE = 64  # texts of a transaction
EVERY = 24 * 3600.0  # seconds from the end of a walk through everything to the next
_POLL = 2.0  # seconds between two looks for what was marked
_LOCK = 0x574B_4542  # of PostgreSQL's advisory locks; "WKEB"
_log = logging.getLogger(__name__)


class Keeper:
    """Inert until `run`. It works at most half of the time, so that pages are answered in between."""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; wait for it where there is no model."""
        if settings.EMBEDDING is None or not begin():
            stop.wait()
            return
        walk, due, wait = Walk(), 0.0, 0.0
        while not stop.wait(wait):
            close_old_connections()
            began = time.monotonic()
            try:
                more = follow() or (began >= due and walk.step())
                if not more and began >= due:
                    walk, due = Walk(), began + EVERY
                    nearest.tidy()
                nearest.refresh()
            except DatabaseError as error:
                _log.warning("vectors could not be kept, trying again: %s", error)
                more = False
            wait = max(time.monotonic() - began, 0.01) if more else _POLL


def begin() -> bool:
    """Load the model; whether it can be used. What cannot is said in the log: words are looked for all the same."""
    try:
        nearest.use(load(settings.EMBEDDING))
    except ModelError as error:
        _log.error("WATCHKEEPER_EMBEDDING: %s; what is alike is found by its words only", error)
        return False
    return True


def follow() -> bool:
    """Look at some of what was marked; whether there was any."""
    waiting = Vector.objects.filter(waiting=True).order_by("pk")
    marked = list(waiting.values_list("pk", "kind", "record")[:SLICE])
    # Before the texts are read: what is marked from now on is looked at again.
    Vector.objects.filter(pk__in=[pk for pk, _, _ in marked]).update(waiting=False)
    for source in sources.values():
        if keys := [record for _, kind, record in marked if kind == source.kind]:
            known = Vector.objects.filter(kind=source.kind, record__in=keys)
            _bring(source, source.texts(source.among().filter(pk__in=keys)), known)
    return bool(marked)


class Walk:
    """Through every record, kind by kind, in the order of their keys."""

    def __init__(self) -> None:
        self._left = list(sources.values())
        self._after = -1

    def step(self) -> bool:
        """Look at the next ones; whether there were any."""
        if not self._left:
            return False
        source = self._left[0]
        pks = source.among().filter(pk__gt=self._after).order_by("pk").values_list("pk", flat=True)
        keys = list(pks[: 2 * SLICE])
        known = Vector.objects.filter(kind=source.kind, record__gt=self._after)
        if keys:
            known = known.filter(record__lte=keys[-1])
        _bring(source, source.texts(source.among().filter(pk__in=keys)), known)
        if keys:
            self._after = keys[-1]
        else:
            self._left, self._after = self._left[1:], -1
        return True


def _bring(source: Source, there: Mapping[int, str], known: QuerySet[Vector]) -> None:
    """Make the `known` vectors those of what is there: key → text."""
    model = _encoder().identity
    digests = {key: _digest(text) for key, text in there.items()}
    old = {v.record: v for v in known.only("record", "model", "digest")}
    same = {k for k, v in old.items() if k in there and (v.model, v.digest) == (model, digests[k])}
    gone = [v.pk for key, v in old.items() if key not in there]
    stale = [key for key in there if key not in same]
    if gone:
        Vector.objects.filter(pk__in=gone, waiting=False).delete()
    for start in range(0, len(stale), SLICE):
        part = stale[start : start + SLICE]
        rows = nearest.as_bytes(_encoder().encode([there[k] for k in part]))
        made = [
            Vector(kind=source.kind, record=k, model=model, digest=digests[k], vector=row)
            for k, row in zip(part, rows, strict=True)
        ]
        _write(source.kind, made)


def _write(kind: str, made: list[Vector]) -> None:
    """In the place of those that are there, except where they were marked since."""
    with transaction.atomic():
        if connection.vendor == "postgresql":  # ids shall be seen in their order
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        now = Vector.objects.filter(kind=kind, record__in=[v.record for v in made])
        now.filter(waiting=False).delete()
        marked = set(now.values_list("record", flat=True))
        Vector.objects.bulk_create([v for v in made if v.record not in marked], ignore_conflicts=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _encoder() -> Encoder:
    encoder = nearest.encoder()
    assert encoder is not None, "begin comes first"
    return encoder
