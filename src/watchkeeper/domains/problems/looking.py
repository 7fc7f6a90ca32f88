"""Looks for situations of the last 30 days that are alike, in the background, and keeps what it finds. What somebody has
dismissed or made a problem of stays so, also when more of its kind come. Each look is an effect of the outbox that puts
the next one there."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Max

from watchkeeper.domains.problems import rules
from watchkeeper.domains.problems.models import Recurring
from watchkeeper.domains.situations.models import Membership, Situation
from watchkeeper.kernel import outbox
from watchkeeper.model.schedule import next_of

KIND = "problems.look"
DAYS = 30
_EVERY = dt.timedelta(minutes=15)
_SHOWN = 50  # recurrences that are kept open
_MEMBERS = 200_000  # alerts of all situations that are looked at
_CHUNK = 500


def later(now: dt.datetime) -> None:
    """Have it done again at the end of this quarter of an hour, once, however often that is asked for."""
    due = next_of(_EVERY, now)
    slot = int(due.timestamp() // _EVERY.total_seconds())
    outbox.add([outbox.Effect(f"{KIND}:{slot}", KIND, "situations", {}, due)])


def look(now: dt.datetime) -> int:
    """Compare them, and keep the groups; returns how many there are."""
    found = rules.recurrences(_features(now - dt.timedelta(days=DAYS)))[:_SHOWN]
    with transaction.atomic():
        known = [
            (r, set(r.situations.values_list("pk", flat=True))) for r in Recurring.objects.select_for_update()
        ]
        kept = set[int]()
        for group in found:
            kept.add(_keep(group, known, now).pk)
        Recurring.objects.filter(status=Recurring.State.OPEN).exclude(pk__in=kept).delete()
    return len(found)


def _keep(group: rules.Recurrence, known: list[tuple[Recurring, set[str]]], now: dt.datetime) -> Recurring:
    """The recurrence of this group: the one that there is, as it is now, or a new one."""
    keys = set(group.keys)
    alike = ((len(keys & before), r) for r, before in known if rules.same_group(before, keys))
    there = max(alike, key=lambda pair: (pair[0], pair[1].pk), default=(0, None))[1]
    kept = there or Recurring(found_at=now)
    kept.title, kept.count, kept.because = group.members[-1].title[:500], len(keys), group.because
    kept.likeness = round(group.likeness, 2)
    kept.last_at = Situation.objects.filter(pk__in=group.keys[-_CHUNK:]).aggregate(last=Max("opened_at"))[
        "last"
    ]
    kept.save()
    if there is None or kept.status == Recurring.State.OPEN:
        kept.situations.set(keys)
    else:
        kept.situations.add(*keys)  # what was dismissed with it stays dismissed
    return kept


def _features(since: dt.datetime) -> list[rules.Features]:
    """The newest situations since then, the oldest of them first, by what they are compared."""
    newest = Situation.objects.filter(opened_at__gte=since, merged_into="").order_by("-opened_at", "-id")
    rows = list(newest.values_list("pk", "title")[: rules.MOST])[::-1]
    items: dict[str, set[str]] = {}
    alerts: dict[str, set[str]] = {}
    for start in range(0, len(rows), _CHUNK):
        keys = [pk for pk, _ in rows[start : start + _CHUNK]]
        members = Membership.objects.filter(situation__in=keys).order_by()
        for pk, item, name in members.values_list("situation", "alert__item__name", "alert__name")[:_MEMBERS]:
            items.setdefault(pk, set()).update([item] if item else ())
            alerts.setdefault(pk, set()).update([name] if name else ())
    nothing = set[str]()
    return [
        rules.Features(pk, title, frozenset(items.get(pk, nothing)), frozenset(alerts.get(pk, nothing)))
        for pk, title in rows
    ]
