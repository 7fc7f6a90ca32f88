"""An estate at size, written straight into the tables: racks of devices with interfaces and what depends on what."""

from __future__ import annotations

import datetime as dt
from typing import Any

PORTS, RACK = 5, 40


def fill(devices: int) -> None:
    """Racks of 40 devices, each with five interfaces and depending on another; devices in rows below others."""
    from watchkeeper.domains.inventory import models as m

    now = dt.datetime.now(dt.UTC)
    seen = {"first_seen_at": now, "last_seen_at": now, "discovered": False, "source": "benchmark"}

    def insert(model: Any, rows: list[dict[str, Any]]) -> None:
        """Both tables of a kind, as many rows a statement as go."""
        own = {f.attname for f in model._meta.local_concrete_fields} - {"item_id"}
        items = [
            m.Item(kind=model.GRAPH_KIND, declared=model.PATH, **seen,
                   **{k: v for k, v in r.items() if k in ("id", "name")}) for r in rows
        ]  # fmt: skip
        m.Item.objects.bulk_create(items, batch_size=2000)
        records = []
        for r in rows:
            record = model(item_id=r["id"], **{k: v for k, v in r.items() if k in own})
            records.append(record)
        for part in range(0, len(records), 2000):
            model._base_manager._insert(
                records[part : part + 2000], fields=model._meta.local_concrete_fields, using="default"
            )

    site = m.Site.objects.create(id="site", name="site", first_seen_at=now, last_seen_at=now)
    insert(m.Rack, [{"id": f"r{n}", "name": f"rack {n}", "site_id": site.pk, "u_height": 42}
                    for n in range(devices // RACK)])  # fmt: skip
    insert(m.Device, [
        {"id": f"d{n}", "name": f"device-{n:06}", "rack_id": f"r{n // RACK}", "site_id": site.pk, "serial": f"S{n}",
         "role": "switch" if n % RACK == 0 else "server", "status": "active" if n % 7 else "failed"}
        for n in range(devices)
    ])  # fmt: skip
    for start in range(0, devices, 20_000):
        insert(m.Interface, [
            {"id": f"i{n}-{p}", "name": f"eth{p} on device-{n:06}", "owner_id": f"d{n}", "label": f"eth{p}",
             "type": "virtual", "mac_address": ""}
            for n in range(start, min(devices, start + 20_000)) for p in range(PORTS)
        ])  # fmt: skip

    def relations() -> Any:
        for n in range(devices):
            yield f"r{n // RACK}", "contains", f"d{n}"
            yield f"d{n}", "depends_on", f"d{n // RACK * RACK}" if n % RACK else f"d{n // 2 // RACK * RACK}"
            for p in range(PORTS):
                yield f"d{n}", "contains", f"i{n}-{p}"
            for p in range(3):
                yield f"i{n}-{p}", "connects_to", f"i{n // RACK * RACK}-{p}"

    rows = (
        m.Relation(source_id=a, kind=k, target_id=b, origin="benchmark", observed=False, valid_from=now, last_seen_at=now)
        for a, k, b in relations() if a != b
    )  # fmt: skip
    m.Relation.objects.bulk_create(rows, batch_size=2000)
