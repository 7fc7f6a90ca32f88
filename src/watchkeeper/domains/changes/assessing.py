"""Finds out how risky a change is: from the graph, from how changes like it went, and from what else is planned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import islice

from django.db.models import Q
from django.utils import timezone

from watchkeeper.domains.annotations.models import Tagging
from watchkeeper.domains.changes import rules
from watchkeeper.domains.changes.models import Change, Freeze
from watchkeeper.domains.inventory import impact
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.inventory.weak_points import weak_points
from watchkeeper.kernel.fields import milliseconds

_HOPS, _ITEMS, _NAMED = 3, 50, 3
_PAST = dt.timedelta(days=730)
_OVER = (*rules.ENDED, rules.REVIEWED, rules.CLOSED)


def assess(change: Change, now: dt.datetime) -> rules.Assessment:
    """Its risk, now."""
    return rules.assess(facts_of(change, now))


def measure(change: Change) -> None:
    """Find out its risk anew, without saving it."""
    found = assess(change, timezone.now())
    change.risk, change.points, change.because = found.risk.value, found.points, found.because


def facts_of(change: Change, now: dt.datetime) -> rules.Facts:
    """What is known about it."""
    items = list(change.items.order_by("name")[:_ITEMS])
    count, wrong = _history(change, items, now)
    freezes = freezes_of(change)
    return rules.Facts(
        touched=tuple(_touched(items)),
        like_it=count,
        went_wrong=wrong,
        busy=tuple(f.name for f in freezes if not f.strict),
        frozen=tuple(f.name for f in freezes if f.strict),
        collisions=tuple(text for _, text in collisions(change)),
        tested=bool(change.test.strip()),
        backed_out=bool(change.back_out.strip()),
        emergency=change.type == Change.Type.EMERGENCY,
    )


def _history(change: Change, items: list[Item], now: dt.datetime) -> tuple[int, int]:
    """How many like it have ended, and how many of them went wrong: of the same items or the same model; where there are
    none, of the same kinds of items."""
    same = Q(items__in=[i.pk for i in items])
    if change.model_id:
        same |= Q(model=change.model_id)
    for like in (same, Q(items__kind__in={i.kind for i in items})):
        past = Change.objects.filter(like, status__in=_OVER, opened_at__gte=now - _PAST).exclude(pk=change.pk)
        if count := past.distinct().count():
            wrong = Q(status__in=rules.WENT_WRONG) | Q(outcome=Change.Outcome.FAILURE)
            return count, past.filter(wrong).distinct().count()
    return 0, 0


def _touched(items: Iterable[Item]) -> Iterable[rules.Touched]:
    listed = list(items)
    weak = {p.id: p.cut_off for p in weak_points()} if listed else {}
    for item in listed:
        found = impact.reach(str(item.pk), impact.NEEDED_BY, _HOPS)
        names = impact.named([r.id for r in found.items[:_NAMED]] + list(found.spared))
        dependents = tuple(names[r.id].name if r.id in names else r.id for r in found.items)
        spared = tuple((names[g].name if g in names else g, left) for g, left in found.spared.items())
        yield rules.Touched(item.name, dependents, spared, weak.get(str(item.pk), 0))


def freezes_of(change: Change) -> list[Freeze]:
    """The freezes and busy hours that its window meets and that are about it."""
    if change.starts_at is None or change.ends_at is None:
        return []
    found = Freeze.objects.filter(begins_at__lt=change.ends_at, ends_at__gt=change.starts_at)
    return [f for f in found.select_related("calendar").prefetch_related("teams") if _about(f, change)]


def _about(freeze: Freeze, change: Change) -> bool:
    assert change.starts_at is not None and change.ends_at is not None
    if freeze.calendar is not None:
        begins, ends = max(freeze.begins_at, change.starts_at), min(freeze.ends_at, change.ends_at)
        if not freeze.calendar.working_time.worked(milliseconds(begins), milliseconds(ends)):
            return False
    teams = {t.pk for t in freeze.teams.all()}
    if teams and change.team_id not in teams:
        return False
    kinds, tags = words(freeze.item_kinds), words(freeze.item_tags)
    items = change.items.all()
    if kinds and not items.filter(Q(kind__in=kinds) | Q(declared__in=kinds)).exists():
        return False
    if not tags:
        return True
    keys = [str(k) for k in items.values_list("pk", flat=True)]
    return Tagging.objects.filter(record__in=keys, tag__name__in=tags).exists()


def words(text: str) -> list[str]:
    """What is listed with commas.

    >>> words("devices, services ,")
    ['devices', 'services']
    """
    return [w.strip() for w in text.split(",") if w.strip()]


def collisions(change: Change) -> list[tuple[Change, str]]:
    """Other changes in its window, or still in progress then, that touch the same items, or ones that depend on each other,
    with why; of the latter those that begin first."""
    mine = {str(i.pk): i.name for i in change.items.order_by("name")}
    if not mine or change.starts_at is None or change.ends_at is None:
        return []
    then = Q(ends_at__gt=change.starts_at) | Q(status=rules.STARTED)
    others = Change.objects.filter(then, status__in=rules.COMING, starts_at__lt=change.ends_at)
    others = others.exclude(pk=change.pk).order_by("starts_at", "id").prefetch_related("items")
    same = list(others.filter(items__in=change.items.order_by()).distinct())
    beside = list(others.exclude(pk__in=[o.pk for o in same])[:_ITEMS])
    near = _near(dict(islice(mine.items(), _ITEMS))) if beside else {}
    return [(o, why) for o in (*same, *beside) if (why := _why(o, change.starts_at, mine, near))]


def _near(mine: dict[str, str]) -> dict[str, str]:
    """What depends on these items and what these depend on, by id, in words."""
    out: dict[str, str] = {}
    for key, name in mine.items():
        for direction, said in ((impact.NEEDED_BY, "depends on"), (impact.NEEDS, "is needed by")):
            for found in impact.reach(key, direction, _HOPS, most=2000).items:
                out.setdefault(found.id, f"{said} {name}")
    return out


def _why(other: Change, begins: dt.datetime, mine: dict[str, str], near: dict[str, str]) -> str:
    theirs = {str(i.pk): i.name for i in other.items.all()}
    late = other.ends_at is None or other.ends_at <= begins
    when = "and is still in progress" if late else "in the same window"
    if same := sorted(mine[k] for k in theirs.keys() & mine.keys()):
        return f"{other.number} touches {', '.join(same[:_NAMED])} {when}"
    beside = sorted(k for k in theirs if k in near)
    return f"{other.number} touches {theirs[beside[0]]}, which {near[beside[0]]}, {when}" if beside else ""
