"""What rules of relabelling may ask about an item of the inventory: its name, kind, addresses, tags, site and custom
fields, as labels that begin with `__meta_watchkeeper_item_`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from watchkeeper.domains.inventory import sites_of
from watchkeeper.kernel import extras
from watchkeeper.kernel.resource import Resource, registry

if TYPE_CHECKING:
    from watchkeeper.domains.inventory import Reached

META = "__meta_watchkeeper_item_"
_AT_ONCE = 500  # items
_NO_LABEL = re.compile(r"[^a-zA-Z0-9_]")


def of(items: Iterable[Reached]) -> dict[str, dict[str, str]]:
    """Id of an item → its labels."""
    kinds: dict[str, list[Reached]] = defaultdict(list)
    for item in items:
        kinds[item.kind].append(item)
    resources = {r.path: r for r in registry}
    found: dict[str, dict[str, str]] = {}
    for kind, some in kinds.items():
        for start in range(0, len(some), _AT_ONCE):
            found |= _of(resources.get(kind, resources["items"]), some[start : start + _AT_ONCE])
    return found


def _of(resource: Resource, items: list[Reached]) -> dict[str, dict[str, str]]:
    keys = [item.id for item in items]
    more = {e.name: e.read(resource, keys) for e in extras.of(resource)}
    sites = sites_of(resource.path, keys)
    return {
        i.id: _labels(i, sites.get(i.id, ""), {name: values.get(i.id) for name, values in more.items()})
        for i in items
    }


def _labels(item: Reached, site: str, more: Mapping[str, Any]) -> dict[str, str]:
    """Tags are joined with commas, also before the first and after the last, so that `.*,linux,.*` finds one."""
    tags = more.get("tags") or ()
    own = {
        "id": item.id, "name": item.name, "kind": item.kind, "address": item.address, "host": item.host, "site": site,
        "tags": f",{','.join(tags)}," if tags else "",
    }  # fmt: skip
    fields = {
        f"field_{_NO_LABEL.sub('_', n)}": _text(v) for n, v in (more.get("custom_fields") or {}).items()
    }
    return {f"{META}{name}": value for name, value in (own | fields).items() if value}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f",{','.join(map(str, value))}," if value else ""
    return "" if value is None else str(value)
