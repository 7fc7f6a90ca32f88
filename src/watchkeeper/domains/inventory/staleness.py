"""What no source names any more: at first stale, after a while an orphan, of which its source's rule says what becomes;
never silently. What is named again is as it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError

from watchkeeper.domains.inventory.identity import chunks
from watchkeeper.domains.inventory.merging import record_of
from watchkeeper.domains.inventory.models import Item, Source, Statement
from watchkeeper.domains.inventory.models.sources import PEOPLE
from watchkeeper.domains.inventory.relating import origin_of
from watchkeeper.domains.inventory.writing import end, verb
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor

#: the first of these that a kind's field has as a choice says that it is not used any more
_RETIRED = (("status", "decommissioning"), ("status", "deprecated"), ("lifecycle", "retired"))


def close(gone: Sequence[Statement], actor: Actor, now: dt.datetime) -> int:
    """The source does not name these any more: what it said counts only where nobody else says anything, its relations
    end, and an item that no source names is stale. In the caller's transaction; how many there were."""
    sources = Source.objects.in_bulk({s.source_id for s in gone})
    for pk, source in sources.items():
        edges = [(a, kind, b) for s in gone if s.source_id == pk for a, kind, b in s.relations]
        end(edges, origin_of(source.name), now)
    Statement.objects.filter(pk__in=[s.pk for s in gone]).update(stale_since=now)
    ids = {s.item_id for s in gone}
    named = Statement.objects.filter(item__in=ids, stale_since=None).exclude(source__name=PEOPLE)
    stale = ids - set(named.values_list("item_id", flat=True))
    Item.objects.filter(pk__in=stale, stale_since=None).update(stale_since=now)
    with audit.together():
        for s in gone:
            audit.record(
                actor, verb(s.item, "close"), s.item, before={"named by": str(sources[s.source_id])}, after={}
            )
    return len(gone)


def expire(actor: Actor, now: dt.datetime) -> int:
    """Close what sources that read in parts, or tell by themselves, have not named for their time; how many."""
    done = 0
    for source in Source.objects.filter(stale_after_hours__gt=0):
        before = now - dt.timedelta(hours=source.stale_after_hours)
        old = Statement.objects.filter(source=source, stale_since=None, last_seen_at__lt=before)
        for part in chunks(old.values_list("pk", flat=True)):
            with transaction.atomic():
                found = Statement.objects.filter(pk__in=part, stale_since=None).select_related("item")
                done += close(list(found), actor, now)
    return done


def orphans(actor: Actor, now: dt.datetime) -> dict[str, int]:
    """What has been stale for longer than the source of its last word lets it be: kept, retired or removed as that source
    says. What people have entered something about, and what has an alert that fires, is never removed by rule."""
    done = {"retired": 0, "removed": 0}
    for source in Source.objects.exclude(orphans=Source.Orphans.ASK):
        before = now - dt.timedelta(days=source.orphan_after_days)
        said = Statement.objects.filter(source=source, stale_since__lt=before, item__stale_since__lt=before)
        for item in Item.objects.filter(pk__in=said.values("item")):
            if source.orphans == Source.Orphans.RETIRE:
                done["retired"] += _retire(item, source, actor)
            else:
                done["removed"] += _remove(item, source, actor)
    return done


def _retire(item: Item, source: Source, actor: Actor) -> bool:
    record = record_of(item)
    for name, value in _RETIRED:
        field = next((f for f in record._meta.concrete_fields if f.name == name), None)
        if field is None or value not in dict(field.flatchoices):
            continue
        if getattr(record, name) in (value, "disposed"):
            return False
        with transaction.atomic():
            before = audit.state_of(record)
            setattr(record, name, value)
            record.save(update_fields=[name])
            after = {**audit.state_of(record), "because": f"{source.name} does not name it any more"}
            audit.record(actor, verb(item, "retire"), record, before=before, after=after)
        return True
    return False


def _remove(item: Item, source: Source, actor: Actor) -> bool:
    entered = Statement.objects.filter(item=item, source__name=PEOPLE).exists()
    if entered or item.alerts.filter(status="firing").exists():
        return False
    record = record_of(item)
    try:
        with transaction.atomic():
            before = {**audit.state_of(record), "because": f"{source.name} does not name it any more"}
            audit.record(actor, verb(item, "remove"), record, before=before)
            record.delete()
    except (ProtectedError, ValidationError):
        return False  # others need it: it stays listed as stale
    return True
