"""The inventory at size: 100,000 devices, 500,000 interfaces and a million relations, asked through the API's views;
beside a bare REST framework viewset over the same table in the same run. SQLite, or PostgreSQL by DATABASE_URL."""

from __future__ import annotations

import datetime as dt
import json
import os
import statistics
import sys
import tempfile
import time
from typing import Any

DEVICES, PORTS, RACK = int(os.environ.get("WATCHKEEPER_BENCH_DEVICES", "100000")), 5, 40
ROUNDS = 15


def fill() -> None:
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
                    for n in range(DEVICES // RACK)])  # fmt: skip
    insert(m.Device, [
        {"id": f"d{n}", "name": f"device-{n:06}", "rack_id": f"r{n // RACK}", "site_id": site.pk, "serial": f"S{n}",
         "role": "switch" if n % RACK == 0 else "server", "status": "active" if n % 7 else "failed"}
        for n in range(DEVICES)
    ])  # fmt: skip
    for start in range(0, DEVICES, 20_000):
        insert(m.Interface, [
            {"id": f"i{n}-{p}", "name": f"eth{p} on device-{n:06}", "owner_id": f"d{n}", "label": f"eth{p}",
             "type": "virtual", "mac_address": ""}
            for n in range(start, min(DEVICES, start + 20_000)) for p in range(PORTS)
        ])  # fmt: skip

    def relations() -> Any:
        for n in range(DEVICES):
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


def bare_view() -> Any:
    """The control: the framework alone over the same table, without policy, search or derived fields."""
    from rest_framework import serializers, viewsets
    from rest_framework.pagination import LimitOffsetPagination

    from watchkeeper.domains.inventory.models import Device

    class Bare(serializers.ModelSerializer[Any]):
        class Meta:
            model = Device
            fields = ("id", "name", "role", "status", "device_type", "platform", "serial", "asset_tag", "site",
                      "location", "rack", "position", "face", "source", "first_seen_at", "last_seen_at")  # fmt: skip

    class Paged(LimitOffsetPagination):
        default_limit = 50

    class View(viewsets.ModelViewSet[Any]):
        queryset = Device.objects.order_by("name", "item_id")
        serializer_class = Bare
        pagination_class = Paged
        authentication_classes = ()
        permission_classes = ()
        filter_backends = ()

    return View.as_view({"get": "list"})


def timed(call: Any) -> tuple[float, float]:
    """Median and worst of ROUNDS, in ms, after one that does not count."""
    call()
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), max(took)


def main() -> None:
    """Fill, then ask."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("WATCHKEEPER_DATA", folder)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchkeeper.app.settings")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection
        from django.test import Client, RequestFactory

        call_command("migrate", verbosity=0)
        from watchkeeper.domains import identity

        began = time.perf_counter()
        fill()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
        counts = f"{DEVICES:,} devices, {DEVICES * PORTS:,} interfaces"
        print(
            f"{connection.vendor}: {counts}, filled in {time.perf_counter() - began:.0f} s", file=sys.stderr
        )
        client = Client(
            SERVER_NAME="127.0.0.1",
            headers={"authorization": f"Bearer {identity.create_token('bench', 'admin')}"},
        )

        def get(path: str) -> Any:
            answer = client.get(path)
            assert answer.status_code == 200, answer.content[:300]
            return answer

        bare, factory = bare_view(), RequestFactory(SERVER_NAME="127.0.0.1")
        figures: dict[str, Any] = {}
        figures["bare framework, a page of 50"] = timed(lambda: bare(factory.get("/")).render())
        for name, path in {
            "list, a page of 50": "/api/devices/",
            "page 1,000": "/api/devices/?offset=50000",
            "filtered": "/api/devices/?status=failed&role=switch",
            "searched": "/api/devices/?search=device-0777",
            "interfaces of one device": "/api/devices/d777/interfaces/",
            "all items, filtered by kind": "/api/items/?declared=interfaces",
            "impact, 3 steps, of a rack": "/api/graph/impact/?item=r77&hops=3",
            "impact, 3 steps, of a switch": "/api/graph/impact/?item=d0&hops=3",
        }.items():
            figures[name] = timed(lambda path=path: get(path))
        for name, (median, worst) in figures.items():
            print(f"{name:<32} {median:8.1f} ms median {worst:8.1f} ms worst")
        if "--json" in sys.argv:
            print(json.dumps({k: {"median_ms": a, "worst_ms": b} for k, (a, b) in figures.items()}))


if __name__ == "__main__":
    main()
