"""How items are reached over the network: for whoever polls them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from watchkeeper.domains.inventory.identity import chunks
from watchkeeper.domains.inventory.models import Identifier, Item
from watchkeeper.kernel.resource import registry

_SCHEMES = ("address", "fqdn", "hostname")


@dataclass(frozen=True)
class Reached:
    """An item: an address to go to, or a name where none is known, and the host name by which signals know it. `kind` is
    the path of its own kind of record, or what analysis calls it."""

    id: str
    kind: str
    name: str
    address: str
    host: str


def reached(kind: str, name: str, among: Iterable[str] | None, most: int) -> list[Reached]:
    """The items of a kind (its path, such as `devices`, or what analysis calls it; "" for any) whose name has this text
    in it, among those with these ids where they are given; without what has no address and no host name."""
    found = Item.objects.filter(stale_since=None)
    if kind:
        found = found.filter(Q(declared=kind) | Q(kind=kind))
    if name:
        found = found.filter(name__icontains=name)
    if among is not None:
        found = found.filter(pk__in=list(among))
    rows = found.order_by("name", "id").values_list("pk", "declared", "kind", "name")[:most]
    names = {key: (declared or kind, name) for key, declared, kind, name in rows}
    known: dict[str, dict[str, str]] = {}
    for part in chunks(names):
        identifiers = Identifier.objects.filter(valid_to=None, item__in=part, scheme__in=_SCHEMES)
        for item, scheme, value in identifiers.values_list("item_id", "scheme", "value"):
            known.setdefault(item, {}).setdefault(scheme, value)
    return [_reached(item, *names[item], known[item]) for item in names if item in known]


def sites_of(kind: str, ids: Iterable[str]) -> dict[str, str]:
    """Id → name of the site, of the items of one kind of record; nothing of a kind that is at no site."""
    model = next((r.model for r in registry if r.path == kind), None)
    if model is None or not any(f.name == "site" for f in model._meta.get_fields()):
        return {}
    found: dict[str, str] = {}
    for part in chunks(ids):
        among = model._default_manager.filter(pk__in=part).exclude(site=None)
        found |= dict(among.values_list("pk", "site__name"))
    return found


def _reached(key: str, kind: str, name: str, by: dict[str, str]) -> Reached:
    host = by.get("fqdn") or by.get("hostname") or ""
    return Reached(key, kind, name, by.get("address") or host, host)
