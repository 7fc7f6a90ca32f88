"""Dates that records have and that somebody has to act on before: warranties, ends of support, contracts, certificates.
What ends together, in one month of one model or supplier, is one group, so that a hundred thousand devices are few."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

from django.db import models
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Trunc

from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.inventory.models.hardware import Lifecycle
from watchkeeper.kernel.resource import registry
from watchkeeper.model.verdicts import Severity

_GONE = (Lifecycle.DECOMMISSIONING, Lifecycle.DISPOSED)
IN_USE: Mapping[str, list[str]] = {"status__in": [s.value for s in Lifecycle if s not in _GONE]}
_HARDWARE = (("devices", "device_type"),)
_SYSTEMS = (("devices", "platform"), ("virtual-machines", "platform"))


@dataclasses.dataclass(frozen=True)
class Verb:
    """What happens on the date: of one, of several, in the past, and after "have"."""

    one: str
    many: str
    past: str
    done: str


@dataclasses.dataclass(frozen=True)
class Dated:
    """A field of a kind. Groups agree in `by`, a field too, and in the `period`; `several` and `nobody` say what `by` is
    where it is left out or empty. Only records count that `living` finds, look-ups as lists take them, and that a living
    record of `used` refers to. Until it is mended it is an alert when it `stays` one; else for a month."""

    path: str
    field: str
    label: str
    noun: str
    verb: Verb
    by: str
    several: str
    nobody: str
    worst: Severity = Severity.WARNING
    period: str = "month"
    stays: bool = False
    most: int = 100  # groups; where there would be more, all of a month are one
    living: Mapping[str, list[str]] = dataclasses.field(default_factory=dict)
    used: tuple[tuple[str, str], ...] = ()

    @property
    def model(self) -> type[models.Model]:
        """Of the records."""
        return registry[self.path].model

    @property
    def exact(self) -> bool:
        """Whether it is a moment, and not a day."""
        return isinstance(self.model._meta.get_field(self.field), models.DateTimeField)

    def now(self, now: dt.datetime) -> Any:
        """What the field is compared with: what is less is over."""
        return now if self.exact else now.date()

    def records(self) -> QuerySet[Any]:
        """All that have the date and are in use."""
        found = self.model._default_manager.filter(**self.living).exclude(**{self.field: None})
        if issubclass(self.model, Item):
            found = found.filter(stale_since=None)
        wanted = Q()
        for path, name in self.used:
            users = registry[path].model._default_manager.filter(**IN_USE, **{name: OuterRef("pk")})
            wanted |= Exists(users.filter(stale_since=None))
        return found.filter(wanted)


_WARRANTY = Verb("goes out of warranty", "go out of warranty", "went out of warranty", "gone out of warranty")
_SUPPORT = Verb("goes out of support", "go out of support", "went out of support", "gone out of support")
_SALE = Verb("goes off sale", "go off sale", "went off sale", "gone off sale")
_CONTRACT = Verb("runs out of contract", "run out of contract", "ran out of contract", "run out of contract")
_EXPIRES = Verb("expires", "expire", "expired", "expired")
_MODELS, _NO_MODEL = "several models", "a model that is not recorded"
_MAKERS = "several manufacturers"
_SUPPLIERS, _NO_SUPPLIER = "several parties", "a party that is not recorded"

#: by kind and field, as rules name them
DATES: Mapping[str, Dated] = {f"{d.path}.{d.field}": d for d in (
    Dated("certificates", "expires_at", "expiry of certificates", "certificate", _EXPIRES, "issuer", "several issuers",
          "an issuer that is not recorded", Severity.CRITICAL, "day", stays=True, most=500),
    Dated("devices", "warranty_until", "warranty of devices", "device", _WARRANTY, "device_type", _MODELS, _NO_MODEL,
          living=IN_USE),
    Dated("device-types", "end_of_support", "end of support of device types", "model", _SUPPORT, "manufacturer", _MAKERS, "",
          used=_HARDWARE),
    Dated("device-types", "end_of_sale", "end of sale of device types", "model", _SALE, "manufacturer", _MAKERS, "",
          used=_HARDWARE),
    Dated("platforms", "end_of_support", "end of support of platforms", "platform", _SUPPORT, "vendor", "several vendors",
          "a vendor that is not recorded", used=_SYSTEMS),
    Dated("circuits", "ends_on", "end of contract of circuits", "circuit", _CONTRACT, "provider", "several providers", "",
          Severity.ERROR, living=IN_USE),
    Dated("service-level-agreements", "valid_until", "end of agreements", "agreement", _EXPIRES, "organisation",
          _SUPPLIERS, _NO_SUPPLIER),
)}  # fmt: skip
CHOICES = [(key, d.label) for key, d in DATES.items()]


@dataclasses.dataclass(frozen=True)
class Group:
    """Records that agree in `by` (None: in nothing) and end in the period that begins `at`. `next` is the first that is
    not over, None where all are; `one` is the key of one of them."""

    at: Any
    by: Any
    count: int
    over: int
    first: Any
    next: Any
    last: Any
    one: Any
    whole: bool = False  # all of a month, whatever `by` they have

    @property
    def key(self) -> str:
        """The same for the same group at every look."""
        return digest(self.at, "*" if self.whole else self.by)


def digest(at: Any, by: Any) -> str:
    """Of the beginning of a period and what its records agree in."""
    return blake2b(f"{at:%Y-%m-%d}\n{by!r}".encode(), digest_size=12).hexdigest()


def groups(d: Dated, since: Any, until: Any, now: Any) -> list[Group]:
    """Of all that ends between two dates, the first to end first; where they would be too many, one a month."""
    found = d.records().filter(**{f"{d.field}__gte": since, f"{d.field}__lte": until})
    fine = list(_grouped(found, d, now, d.period, by=F(d.by))[: d.most + 1])
    if len(fine) <= d.most:
        return [Group(**g) for g in fine]
    return [Group(**g, by=None, whole=True) for g in _grouped(found, d, now, "month")]


def _grouped(
    found: QuerySet[Any], d: Dated, now: Any, period: str, **by: Any
) -> QuerySet[Any, dict[str, Any]]:
    zone = {"tzinfo": dt.UTC} if d.exact else {}
    by_period = found.order_by().values(at=Trunc(d.field, period, **zone), **by)
    ahead, over = Q(**{f"{d.field}__gte": now}), Q(**{f"{d.field}__lt": now})
    return by_period.annotate(
        count=Count("pk"), over=Count("pk", filter=over), first=Min(d.field), next=Min(d.field, filter=ahead),
        last=Max(d.field), one=Min("pk"),
    ).order_by("first", "one")  # fmt: skip


def past(d: Dated, now: Any) -> list[tuple[Any, int, Any]]:
    """How many are over already and when the last of them was, by what they agree in."""
    over = d.records().filter(**{f"{d.field}__lt": now}).order_by()
    counted = over.values(by=F(d.by)).annotate(n=Count("pk"), last=Max(d.field))
    return list(counted.values_list("by", "n", "last"))


def members(about: Mapping[str, Any]) -> QuerySet[Any]:
    """The records that a forecast is about, the first to end first; of those that are over, the last."""
    d = DATES[about["date"]]
    turned = "" if "since" in about else "-"
    return (
        d.records()
        .filter(**dict(_bounds(d, about)))
        .order_by(f"{turned}{d.field}", *registry[d.path].ordering)
    )


def concerns(about: Mapping[str, Any], items: Collection[str]) -> bool:
    """Whether a forecast of a date still to come, or lately over, is about one of these items among others."""
    if "since" not in about or not items or not issubclass(DATES[about["date"]].model, Item):
        return False
    return members(about).filter(pk__in=items).exists()


def address(about: Mapping[str, Any]) -> str:
    """Of the list of these records in the console, with their dates."""
    d = DATES[about["date"]]
    bounds = {k: str(v).lower() if isinstance(v, bool) else v for k, v in _bounds(d, about)}
    living = {k: ",".join(v) for k, v in d.living.items()}
    columns = ",".join((registry[d.path].columns[0].name, d.field, d.by))
    return f"/{d.path}/?{urlencode({**bounds, **living, 'columns': columns})}"


def _bounds(d: Dated, about: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "since" in about:
        yield f"{d.field}__gte", about["since"]
    yield f"{d.field}__lte", about["until"]
    if "by" in about:
        yield (f"{d.by}__isnull", True) if about["by"] is None else (d.by, about["by"])


def keys_of(record: Any) -> dict[str, list[str]]:
    """Of each date that a record has, the keys of the groups that it may be in."""
    out = {}
    for name, d in DATES.items():
        value = getattr(record, d.field, None) if isinstance(record, d.model) else None
        if value is not None:
            day, by = value.date() if d.exact else value, getattr(record, f"{d.by}_id", getattr(record, d.by))
            month = day.replace(day=1)
            out[name] = [digest(month if d.period == "month" else day, by), digest(month, "*")]
    return out
