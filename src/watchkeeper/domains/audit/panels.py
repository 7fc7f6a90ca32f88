"""What the audit trail shows at a glance: whether it is sealed, and what was done last."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from watchkeeper.domains.audit.deeds import deed
from watchkeeper.domains.audit.reading import head
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.panels import Line, Panel, panels
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import registry

WAITING = 1000
_DAY = dt.timedelta(days=1)


def _entries(actor: Actor) -> QuerySet[Any]:
    return visible(actor, "audit", AuditEntry.objects.all())


def _seal(actor: Actor) -> list[Line]:
    """One line: how far the chain reaches, and what waits for its seal."""
    number, _ = head()
    waiting = AuditEntry.objects.filter(sealed_no=None)[:WAITING].count()
    last = _entries(actor).filter(sealed_no=number).values_list("at", flat=True).first() if number else None
    late = waiting >= WAITING
    said = (
        f"{waiting}{' or more' if late else ''} wait for their seal"
        if waiting
        else "nothing waits for its seal"
    )
    return [Line(f"Sealed up to number {number}", "/audit/", said, "warning" if late else "", last)]


def _failed(actor: Actor) -> QuerySet[Any]:
    return _entries(actor).filter(act="sign-in.failed", at__gte=timezone.now() - _DAY)


def _recent(actor: Actor) -> QuerySet[Any]:
    return _entries(actor).filter(at__gte=timezone.now() - 7 * _DAY).exclude(act__startswith="sign-")


def _of_access(actor: Actor) -> QuerySet[Any]:
    kinds = ("grant", "role", "policy", "user", "token", "team")
    return (
        _entries(actor)
        .filter(at__gte=timezone.now() - 30 * _DAY, kind__in=kinds)
        .exclude(act__startswith="sign-")
    )


def _own(actor: Actor) -> list[AuditEntry]:
    """What this reader did last; everybody may know that of themselves."""
    since = timezone.now() - 30 * _DAY
    found = AuditEntry.objects.filter(at__gte=since, actor_kind="person", actor_id=actor.id)
    return list(found.exclude(act__contains="sign-").exclude(record="")[:10])


def _entry(e: AuditEntry) -> Line:
    about = e.act.partition(".")[0].replace("-", " ").capitalize()  # of no record, but of the platform
    return Line(
        e.name or e.record or about,
        f"/audit/{e.pk}/",
        f"{e.actor} {deed(e.act)}",
        at=e.at,
    )


def _work(e: AuditEntry) -> Line:
    kind = next((r for r in registry if r.model._meta.verbose_name == e.kind), None)
    url = f"/{kind.path}/{e.record}/" if kind and not e.act.endswith(".remove") else ""
    return Line(e.name or e.record, url, f"you {deed(e.act)}", at=e.at)


panels.add(
    Panel(
        "audit-seal", "Is the audit trail whole?", {"external auditor": 0, "administrator": 40},
        _seal, lambda line: line, "Nothing was done yet.", "/audit/", "audit",
    ),
    Panel(
        "failed-sign-ins", "Sign-ins that failed since yesterday",
        {"incident and security manager": 35, "administrator": 45, "external auditor": 50},
        _failed, lambda e: Line(e.actor, f"/audit/{e.pk}/", f"from {e.address}" if e.address else "", at=e.at),
        "None failed.", "/audit/?act=sign-in.failed", "audit",
    ),
    Panel(
        "access-changes", "Who may what: changed in the last 30 days",
        {"external auditor": 10, "incident and security manager": 55, "administrator": 55},
        _of_access, _entry, "Nothing about access has changed.", "/audit/", "audit",
    ),
    Panel(
        "recent-changes", "What was done this week",
        {"external auditor": 60, "operations manager": 80, "administrator": 80},
        _recent, _entry, "Nobody did anything.", "/audit/", "audit",
    ),
    Panel(
        "own-work", "What you did last",
        {"operations engineer": 90, "cloud architect": 90, "business architect": 90, "systems integrator": 90,
         "applications analyst": 90, "technical analyst": 90, "network administrator": 90, "IT operator": 90,
         "service desk agent": 90, "requester": 90, "operations manager": 90, "incident and security manager": 90,
         "administrator": 90},
        _own, _work, "Nothing in the last 30 days.",
    ),
)  # fmt: skip
