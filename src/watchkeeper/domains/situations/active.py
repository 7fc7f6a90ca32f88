"""What analysis takes up again after a restart: the alerts, situations and silences that live."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import Q, QuerySet

from watchkeeper.domains.situations import models
from watchkeeper.domains.situations.rows import alert_of, member_of, situation_of
from watchkeeper.kernel.fields import milliseconds, moment
from watchkeeper.kernel.upserts import raw_rows
from watchkeeper.model import verdicts
from watchkeeper.model.act import Act, ActKind

#: Resolved alerts and situations this young are still known to analysis: they may flap, or be followed.
RECENT_MS = 24 * 3600 * 1000


def analysis_offset() -> int:
    """The journal offset up to which the records hold what analysis decided; 0 at first."""
    return models.AnalysisOffset.objects.values_list("offset", flat=True).first() or 0


def load_active(now_ms: int) -> tuple[list[verdicts.Alert], list[verdicts.Situation]]:
    """Situations that are open or were resolved within the last day, their alerts, and all others that fire or
    were seen within that day, exactly as written."""
    since = moment(max(1, now_ms - RECENT_MS))
    situations = models.Situation.objects.filter(
        Q(state__in=("open", "acknowledged")) | Q(resolved_at__gte=since)
    )
    alerts = models.Alert.objects.filter(
        Q(status="firing") | Q(last_seen_at__gte=since) | Q(situation__in=situations.values("pk"))
    )
    # Sorted here: asked for in order, SQLite would walk through all there ever were.
    found = sorted((alert_of(r) for r in raw_rows(alerts.order_by())), key=lambda a: a.fingerprint)
    return found, sorted(load_situations(situations.order_by()), key=lambda s: (s.opened_ms, s.id))


def load_situations(found: QuerySet[models.Situation]) -> list[verdicts.Situation]:
    """These records with their memberships, as analysis knows them."""
    rows = list(raw_rows(found))
    members: dict[str, list[tuple[int, verdicts.Membership]]] = defaultdict(list)
    for start in range(0, len(rows), 500):
        ids = [r[0] for r in rows[start : start + 500]]
        for row in raw_rows(models.Membership.objects.filter(situation__in=ids)):
            situation, position, member = member_of(row)
            members[situation].append((position, member))
    for unordered in members.values():
        unordered.sort(key=lambda pair: pair[0])
    return [situation_of(r, tuple(m for _, m in members[r[0]])) for r in rows]


def load_judgements(now_ms: int) -> list[Act]:
    """What people have called usual and is still, as the acts that said so."""
    found = models.Judgement.objects.filter(ended_at=None).exclude(until__lte=moment(max(1, now_ms)))
    return [
        Act(id=j.id, kind=ActKind.USUAL, target=j.alert, actor=j.created_by, time_ms=milliseconds(j.created_at), data=j.data)
        for j in found.order_by("created_at", "pk")
    ]  # fmt: skip


def load_silences(now_ms: int) -> list[Act]:
    """The silences that have not ended, as the acts that made them: analysis applies these on restart."""
    found = models.Silence.objects.filter(ends_at__gt=moment(max(1, now_ms))).order_by("created_at", "pk")
    made = [(s, sorted(str(i.pk) for i in s.items.all())) for s in found.prefetch_related("items")]
    return [
        Act(
            id=f"restored-{s.id}",
            kind=ActKind.SILENCE,
            target=s.id,
            actor=s.created_by,
            time_ms=milliseconds(s.created_at),
            data={
                "matchers": s.matchers,
                "starts_ms": milliseconds(s.starts_at),
                "ends_ms": milliseconds(s.ends_at),
                "comment": s.comment,
                "items": items,
                "reach": s.reach,
            },
        )
        for s, items in made
        if items
        or not s.of_items  # one whose items are all gone must not become one about its matchers alone
    ]
