"""What no source names any more: at first stale, after a while an orphan, of which its source's rule says what becomes;
never silently. What is named again is as it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from watchkeeper.domains.inventory.models import Item, Source, Statement
from watchkeeper.domains.inventory.models.sources import PEOPLE
from watchkeeper.domains.inventory.relating import origin_of
from watchkeeper.domains.inventory.writing import end, verb
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor


def close(gone: Sequence[Statement], actor: Actor, now: dt.datetime) -> int:
    """The source does not name these any more: what it said counts only where nobody else says anything, its relations
    end, and an item that no source names is stale. In the caller's transaction; how many there were."""
    sources = Source.objects.in_bulk({s.source_id for s in gone})
    for pk, source in sources.items():
        edges = [tuple(e) for s in gone if s.source_id == pk for e in s.relations]
        end(edges, origin_of(source.name), now)
    Statement.objects.filter(pk__in=[s.pk for s in gone]).update(stale_since=now)
    ids = {s.item_id for s in gone}
    named = Statement.objects.filter(item__in=ids, stale_since=None).exclude(source__name=PEOPLE)
    stale = ids - set(named.values_list("item_id", flat=True))
    Item.objects.filter(pk__in=stale, stale_since=None).update(stale_since=now)
    with audit.together():
        for s in gone:
            audit.record(actor, verb(s.item, "close"), s.item, before={"named by": str(sources[s.source_id])}, after={})
    return len(gone)
