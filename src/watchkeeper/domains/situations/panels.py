"""What needs somebody now: situations, alerts, silences, and notifications that did not get through."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from watchkeeper.domains.inventory.models import GroupMember
from watchkeeper.domains.situations.models import Alert, Silence, Situation
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.panels import Line, Panel, panels
from watchkeeper.kernel.permissions import visible
from watchkeeper.model.verdicts import Severity

NETWORK = ("network", "switch", "router", "firewall", "interface", "access_point", "load_balancer", "circuit")
NETWORK_ROLES = ("router", "switch", "firewall", "load_balancer", "access_point")
SOFTWARE = ("service", "application", "database", "software", "api", "workload")
CLOUD = ("cloud_account", "cloud_resource", "workload", "cluster")
_LIVE = ("open", "acknowledged")


def _situations(actor: Actor) -> QuerySet[Any]:
    found = visible(actor, "situations", Situation.objects.all())
    return found.filter(state__in=_LIVE).order_by("-severity", "-opened_at")


def _firing(actor: Actor) -> QuerySet[Any]:
    """The newest first, as the index has them."""
    found = visible(actor, "alerts", Alert.objects.all()).filter(status="firing", suppressed_by="")
    return found.select_related("item").order_by("-last_seen_at", "-fingerprint")


def _situation(s: Situation) -> Line:
    note = f"{s.alert_count} alert{'' if s.alert_count == 1 else 's'}"
    if s.assignee:
        note += f", {s.assignee}"
    return Line(s.title, f"/situations/{s.pk}/", note, str(s.severity), s.opened_at)


def _alert(a: Alert) -> Line:
    item = a._state.fields_cache.get("item")
    return Line(a.name, f"/alerts/{a.pk}/", f"at {item.name}" if item else "", str(a.severity), a.starts_at)


def _mine(actor: Actor) -> QuerySet[Any]:
    return _situations(actor).filter(assignee=actor.name)


def _nobodys(actor: Actor) -> QuerySet[Any]:
    return _situations(actor).filter(assignee="", state="open")


def _oldest(actor: Actor) -> QuerySet[Any]:
    before = timezone.now() - dt.timedelta(hours=4)
    return _situations(actor).filter(opened_at__lt=before).order_by("opened_at")


def _unacknowledged(actor: Actor) -> QuerySet[Any]:
    return _firing(actor).filter(acknowledged_by="", severity__gte=Severity.ERROR)


def _flapping(actor: Actor) -> QuerySet[Any]:
    return _firing(actor).filter(flapping=True)


def _of_kinds(*kinds: str) -> Any:
    return lambda actor: _firing(actor).filter(item__kind__in=kinds)


def _of_network(actor: Actor) -> QuerySet[Any]:
    found = _firing(actor)
    return found.filter(item__kind__in=NETWORK) | found.filter(item__as_device__role__in=NETWORK_ROLES)


def _members(actor: Actor) -> QuerySet[Any]:
    found = visible(actor, "group-members", GroupMember.objects.all()).select_related("group", "item")
    return found.filter(item__alerts__status="firing").order_by("group", "id").distinct()


def _member(m: GroupMember) -> Line:
    return Line(m.group.name, f"/redundancy-groups/{m.group.pk}/", f"{m.item.name} alerts")


def _ending(actor: Actor) -> QuerySet[Any]:
    now = timezone.now()
    found = visible(actor, "silences", Silence.objects.all())
    soon = now + dt.timedelta(hours=24)
    return found.filter(starts_at__lte=now, ends_at__gt=now, ends_at__lt=soon).order_by("ends_at")


def _undelivered(actor: Actor) -> QuerySet[Any]:
    return visible(actor, "outbox", OutboxRow.objects.all()).filter(state="failed").order_by("-created_at")


def _effect(row: OutboxRow) -> Line:
    return Line(row.error[:120] or row.kind, f"/outbox/{row.pk}/", row.kind, "failed", row.created_at)


panels.add(
    Panel(
        "my-situations", "Assigned to you",
        {"operations engineer": 0, "operations manager": 10, "incident and security manager": 0, "IT operator": 0,
         "service desk agent": 0, "applications analyst": 0, "technical analyst": 0, "network administrator": 0,
         "administrator": 10},
        _mine, _situation, "No open situation is assigned to you.", kind="situations",
    ),
    Panel(
        "nobodys-situations", "Open, and nobody has them",
        {"operations engineer": 10, "operations manager": 0, "incident and security manager": 10, "IT operator": 10,
         "service desk agent": 10, "administrator": 20},
        _nobodys, _situation, "Somebody looks after every open situation.", "/situations/?state=open", "situations",
    ),
    Panel(
        "old-situations", "Open for more than four hours",
        {"operations manager": 20, "incident and security manager": 30, "service desk agent": 20},
        _oldest, _situation, "Nothing has been open for so long.", "/situations/", "situations",
    ),
    Panel(
        "unacknowledged-alerts", "Errors that nobody has acknowledged",
        {"operations engineer": 20, "IT operator": 20, "incident and security manager": 20, "technical analyst": 20},
        _unacknowledged, _alert, "Every error that fires is acknowledged.",
        "/alerts/?status=firing&severity__gte=error", "alerts",
    ),
    Panel(
        "flapping-alerts", "Alerts that come and go",
        {"operations engineer": 60, "technical analyst": 50, "IT operator": 50, "systems integrator": 60},
        _flapping, _alert, "None comes and goes.", "/alerts/?status=firing&flapping=true", "alerts",
    ),
    Panel(
        "network-alerts", "What alerts in the network", {"network administrator": 10},
        _of_network, _alert, "Nothing in the network alerts.", "/alerts/?status=firing", "alerts",
    ),
    Panel(
        "application-alerts", "Services and applications that alert",
        {"applications analyst": 10, "business architect": 10},
        _of_kinds(*SOFTWARE), _alert, "No service or application alerts.", "/alerts/?status=firing", "alerts",
    ),
    Panel(
        "cloud-alerts", "What alerts in the cloud", {"cloud architect": 10},
        _of_kinds(*CLOUD), _alert, "Nothing in the cloud alerts.", "/alerts/?status=firing", "alerts",
    ),
    Panel(
        "groups-at-risk", "Redundancy groups with a member that alerts",
        {"operations engineer": 30, "technical analyst": 10, "cloud architect": 20, "network administrator": 30},
        _members, _member, "Every member of every redundancy group is well.", "/redundancy-groups/", "group-members",
    ),
    Panel(
        "ending-silences", "Silences that end within a day",
        {"operations engineer": 50, "IT operator": 40, "operations manager": 50},
        _ending, lambda s: Line(str(s), f"/silences/{s.pk}/", f"by {s.created_by}", at=s.ends_at),
        "No silence ends soon.", "/silences/", "silences",
    ),
    Panel(
        "failed-effects", "Notifications that were given up",
        {"administrator": 0, "operations engineer": 40},
        _undelivered, _effect, "Every notification got through.", "/outbox/?state=failed", "outbox",
    ),
)  # fmt: skip
