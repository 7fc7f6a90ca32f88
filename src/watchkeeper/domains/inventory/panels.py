"""What needs somebody in the inventory: what runs out, what is missing, what nobody owns, what carries too much."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from watchkeeper.domains.inventory import models as m
from watchkeeper.domains.inventory.source_panels import pair, proposed, silent
from watchkeeper.domains.inventory.weak_points import WeakPoint, weak_points
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.panels import Line, Panel, panels
from watchkeeper.kernel.permissions import visible
from watchkeeper.model.topology import RelationKind

PREFIXES = 500  # of which the addresses are counted
FULL = 0.8
LINKS = 5000  # of a network whose weak points are worked out while somebody waits


def _of(model: Any) -> Callable[[Actor], QuerySet[Any]]:
    path = getattr(model, "PATH", "")
    return lambda actor: visible(actor, path, model.objects.all())


def _day(at: dt.date | None) -> dt.datetime | None:
    return None if at is None else dt.datetime.combine(at, dt.time(), dt.UTC)


def _in(days: int) -> dt.date:
    return timezone.now().date() + dt.timedelta(days)


def _certificates(actor: Actor) -> QuerySet[Any]:
    soon = timezone.now() + dt.timedelta(days=30)
    return _of(m.Certificate)(actor).filter(expires_at__lt=soon).order_by("expires_at")


def _warranties(actor: Actor) -> QuerySet[Any]:
    used = _of(m.Device)(actor).exclude(status="disposed")
    return used.filter(warranty_until__range=(_in(-30), _in(60))).order_by("warranty_until")


def _circuits(actor: Actor) -> QuerySet[Any]:
    return _of(m.Circuit)(actor).filter(ends_on__lt=_in(90)).exclude(status="disposed").order_by("ends_on")


def _unsupported(actor: Actor) -> QuerySet[Any]:
    found = visible(actor, "platforms", m.Platform.objects.all()).filter(end_of_support__lt=_in(180))
    return found.annotate(
        used=Count("devices", distinct=True) + Count("virtual_machines", distinct=True)
    ).order_by("end_of_support")


def _old_types(actor: Actor) -> QuerySet[Any]:
    found = visible(actor, "device-types", m.DeviceType.objects.select_related("manufacturer"))
    found = found.filter(end_of_support__lt=_in(180)).annotate(used=Count("devices"))
    return found.filter(used__gt=0).order_by("end_of_support")


def _used(record: Any, path: str) -> Line:
    used = "once" if record.used == 1 else f"{record.used} times"
    return Line(str(record), f"/{path}/{record.pk}/", f"used {used}", at=_day(record.end_of_support))


@dataclass(frozen=True)
class _Full:
    """A prefix and how much of it is taken."""

    prefix: m.Prefix
    taken: int
    size: int


def _prefixes(actor: Actor) -> list[_Full]:
    """IPv4 prefixes of which most addresses are taken, the fullest first."""
    inside = m.Address.objects.filter(sort_key__gte=OuterRef("low"), sort_key__lte=OuterRef("high"))
    inside = inside.annotate(table=Coalesce("vrf", Value(""))).filter(table=OuterRef("table"))
    counted = inside.order_by().values("kind").annotate(n=Count("pk")).values("n")
    found = _of(m.Prefix)(actor).exclude(status__in=("container", "deprecated")).filter(length__gte=20)
    found = found.exclude(prefix__contains=":").annotate(table=Coalesce("vrf", Value("")))
    found = found.annotate(n=Coalesce(Subquery(counted), 0))
    full = [_Full(p, p.n, _size(p.prefix)) for p in found.order_by("low")[:PREFIXES]]
    return sorted((f for f in full if f.taken >= FULL * f.size), key=lambda f: -f.taken / f.size)


def _size(prefix: str) -> int:
    size = ipaddress.ip_network(prefix).num_addresses
    return size - 2 if size > 2 else size


def _full(f: _Full) -> Line:
    note = f"{f.taken} of {f.size} addresses taken"
    return Line(
        f.prefix.prefix, f"/prefixes/{f.prefix.pk}/", note, "error" if f.taken >= f.size else "warning"
    )


def _without_capacity(actor: Actor) -> QuerySet[Any]:
    found = _of(m.VirtualMachine)(actor).exclude(status="disposed")
    return found.filter(Q(vcpus=None) | Q(memory_mib=None)).order_by("name", "id")


def _not_backed_up(actor: Actor) -> QuerySet[Any]:
    return _of(m.Database)(actor).filter(backed_up=False).order_by("name", "id")


def _no_budget(actor: Actor) -> QuerySet[Any]:
    found = _of(m.CloudAccount)(actor).select_related("provider").filter(budget=None)
    return found.order_by("name", "id")


def _failed(actor: Actor) -> QuerySet[Any]:
    return _of(m.Device)(actor).filter(status="failed").order_by("name", "id")


def _failed_cloud(actor: Actor) -> QuerySet[Any]:
    return _of(m.CloudResource)(actor).filter(status="failed").order_by("name", "id")


def _unowned(model: Any) -> Callable[[Actor], QuerySet[Any]]:
    return lambda actor: _of(model)(actor).filter(owner="").order_by("name", "id")


def _unlinked(actor: Actor) -> QuerySet[Any]:
    return _of(m.BusinessService)(actor).filter(capability=None).order_by("name", "id")


def _new(actor: Actor) -> QuerySet[Any]:
    since = timezone.now() - dt.timedelta(days=7)
    found = visible(actor, "items", m.Item.objects.all())
    return found.filter(discovered=True, first_seen_at__gte=since).order_by("-first_seen_at")


def _stale(actor: Actor) -> QuerySet[Any]:
    before = timezone.now() - dt.timedelta(days=7)
    return visible(actor, "items", m.Item.objects.all()).filter(discovered=True, last_seen_at__lt=before)


def _weak(actor: Actor) -> list[tuple[WeakPoint, m.Item]]:
    """Single points of failure of a network that is small enough to be looked at now."""
    links = m.Relation.objects.filter(kind=RelationKind.CONNECTS_TO, valid_to=None)
    if links[LINKS : LINKS + 1].exists():
        return []
    points = weak_points(most=50)
    items = visible(actor, "items", m.Item.objects.all()).in_bulk([p.id for p in points])
    return [(p, items[p.id]) for p in points if p.id in items]


def _weak_point(found: tuple[WeakPoint, m.Item]) -> Line:
    point, item = found
    note = f"cuts off {point.cut_off} other{'' if point.cut_off == 1 else 's'}"
    return Line(item.name, f"/items/{item.pk}/impact/", note)


def _called(path: str, note: Callable[[Any], str] = lambda _: "", at: str = "") -> Callable[[Any], Line]:
    """A line for records of this kind."""

    def line(record: Any) -> Line:
        when = getattr(record, at) if at else None
        moment = when if when is None or isinstance(when, dt.datetime) else _day(when)
        return Line(str(record), f"/{path}/{record.pk}/", note(record), at=moment)

    return line


_ITEM = _called("items", lambda i: i.kind.replace("_", " "), "last_seen_at")

panels.add(
    Panel(
        "certificates", "Certificates that run out within 30 days",
        {"applications analyst": 30, "operations engineer": 70, "incident and security manager": 50,
         "systems integrator": 50, "cloud architect": 60},
        _certificates, _called("certificates", at="expires_at"), "None runs out soon.",
        "/certificates/?ordering=expires_at", "certificates",
    ),
    Panel(
        "weak-points", "Single points of failure in the network",
        {"network administrator": 20, "technical analyst": 30, "cloud architect": 50},
        _weak, _weak_point, "No machine cuts off others, or the network is too large to look at here.", "/map/",
        "items",
    ),
    Panel(
        "full-prefixes", "Prefixes that are nearly full", {"network administrator": 15},
        _prefixes, _full, "Every prefix has addresses left.", "/prefixes/", "prefixes",
    ),
    Panel(
        "circuits", "Circuits whose contract ends within 90 days",
        {"network administrator": 40, "operations manager": 60},
        _circuits, _called("circuits", at="ends_on"), "No contract ends soon.", "/circuits/?ordering=ends_on", "circuits",
    ),
    Panel(
        "warranties", "Warranties that end within 60 days",
        {"operations manager": 55, "technical analyst": 60, "operations engineer": 80},
        _warranties, _called("devices", lambda d: d.serial, "warranty_until"), "No warranty ends soon.",
        "/devices/?ordering=warranty_until", "devices",
    ),
    Panel(
        "unsupported-platforms", "Systems without support within half a year",
        {"technical analyst": 40, "cloud architect": 55, "incident and security manager": 60},
        _unsupported, lambda p: _used(p, "platforms"), "Every system has support for longer.",
        "/platforms/?ordering=end_of_support", "platforms",
    ),
    Panel(
        "unsupported-hardware", "Hardware without support within half a year",
        {"technical analyst": 45, "network administrator": 50, "operations manager": 65},
        _old_types, lambda t: _used(t, "device-types"), "All hardware has support for longer.",
        "/device-types/?ordering=end_of_support", "device-types",
    ),
    Panel(
        "failed-devices", "Devices that have failed",
        {"operations engineer": 45, "network administrator": 25, "technical analyst": 25, "IT operator": 45},
        _failed, _called("devices", lambda d: d.get_role_display()), "No device is marked as failed.",
        "/devices/?status=failed", "devices",
    ),
    Panel(
        "failed-cloud", "Cloud resources that have failed", {"cloud architect": 15},
        _failed_cloud, _called("cloud-resources", lambda r: r.type), "No cloud resource is marked as failed.",
        "/cloud-resources/?status=failed", "cloud-resources",
    ),
    Panel(
        "cloud-budgets", "Cloud accounts without a budget", {"cloud architect": 30, "operations manager": 70},
        _no_budget, _called("cloud-accounts", lambda a: a.provider.name), "Every account has a budget.",
        "/cloud-accounts/?budget__isnull=true", "cloud-accounts",
    ),
    Panel(
        "capacity-unknown", "Virtual machines whose size nobody has recorded",
        {"cloud architect": 40, "technical analyst": 55},
        _without_capacity, _called("virtual-machines", lambda v: v.get_status_display()),
        "The size of every virtual machine is known.", "/virtual-machines/", "virtual-machines",
    ),
    Panel(
        "not-backed-up", "Databases without backups",
        {"applications analyst": 20, "operations engineer": 75, "technical analyst": 35},
        _not_backed_up, _called("databases", lambda d: d.engine), "Every database is backed up.",
        "/databases/?backed_up=false", "databases",
    ),
    Panel(
        "unowned-applications", "Applications that nobody answers for",
        {"applications analyst": 40, "business architect": 30},
        _unowned(m.Application), _called("applications", lambda a: a.get_criticality_display()),
        "Every application has an owner.", "/applications/", "applications",
    ),
    Panel(
        "unowned-services", "Business services that nobody answers for",
        {"business architect": 20, "operations manager": 40},
        _unowned(m.BusinessService), _called("business-services", lambda s: s.get_criticality_display()),
        "Every business service has an owner.", "/business-services/", "business-services",
    ),
    Panel(
        "unlinked-services", "Business services that serve no capability", {"business architect": 40},
        _unlinked, _called("business-services", lambda s: s.get_criticality_display()),
        "Every business service serves a capability.", "/business-services/?capability__isnull=true",
        "business-services",
    ),
    Panel(
        "silent-sources", "Sources that failed, or were read long ago",
        {"systems integrator": 15, "administrator": 37, "operations engineer": 70},
        silent, lambda s: s.line, "Every source tells what it should.", "/sources/", "sources",
    ),
    Panel(
        "duplicates", "Items that may be the same",
        {"systems integrator": 42, "operations engineer": 67, "technical analyst": 66, "network administrator": 62,
         "cloud architect": 45, "administrator": 58},
        proposed, pair, "No two items look the same.", "/duplicates/?state=proposed", "duplicates",
    ),
    Panel(
        "new-items", "Found this week, and not confirmed",
        {"operations engineer": 65, "technical analyst": 65, "IT operator": 60, "systems integrator": 40},
        _new, _called("items", lambda i: i.kind.replace("_", " "), "first_seen_at"), "Nothing new was found.",
        "/items/?discovered=true", "items",
    ),
    Panel(
        "stale-items", "Not seen for a week",
        {"operations engineer": 85, "technical analyst": 70, "systems integrator": 45, "network administrator": 60},
        _stale, _ITEM, "Everything that was discovered is still seen.", "/items/?discovered=true&ordering=last_seen_at",
        "items",
    ),
)  # fmt: skip
