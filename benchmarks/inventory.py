"""The inventory at size: 100,000 devices, 500,000 interfaces and a million relations, asked through the API's views.

    python -m benchmarks.inventory [--devices 100000] [--postgres] [--json]

Devices are then made, read and listed one request after the other, with policy, audit and search, beside a bare REST
framework viewset over the same table in the same run. No socket is in between.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.whole.estate import PORTS, fill
from benchmarks.whole.records import analyse, arguments, database

ROUNDS = 15
LISTS = {
    "list, a page of 50": "/api/devices/",
    "console, a page of 50": "/devices/",
    "page 1,000": "/api/devices/?offset=50000",
    "filtered": "/api/devices/?status=failed&role=switch",
    "searched": "/api/devices/?search=device-0777",
    "interfaces of one device": "/api/devices/d777/interfaces/",
    "all items, filtered by kind": "/api/items/?declared=interfaces",
    "impact, 3 steps, of a rack": "/api/graph/impact/?item=r77&hops=3",
    "impact, 3 steps, of a switch": "/api/graph/impact/?item=d0&hops=3",
}
#: what NetBox 4.7.3 was seen to do on a machine of this size through its API, a second
NETBOX = {"create": 8.8, "get": 7.2, "list": 5.4}


def main() -> None:
    """Fill, ask, print; the database is removed after."""
    parser = arguments(__doc__)
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with database(given.postgres):
        began = time.perf_counter()
        fill(given.devices)
        vendor = analyse()
        counts = f"{given.devices:,} devices, {given.devices * PORTS:,} interfaces"
        print(f"{vendor}: {counts}, filled in {time.perf_counter() - began:.0f} s, load {os.getloadavg()[0]:.1f}",
              file=sys.stderr)  # fmt: skip
        client = _client()
        figures = {name: _timed(lambda path=path: _get(client, path)) for name, path in LISTS.items()}
        for name, (median, worst) in figures.items():
            print(f"{name:<32} {median:8.1f} ms median {worst:8.1f} ms worst")
        rates = _rates(client, given.devices)
        print(
            f"{'a second, one after the other':<32} {'ours':>8} {'bare':>8} {'NetBox':>8} {'ours/NetBox':>12}"
        )
        for name, (ours, bare) in rates.items():
            print(f"{name:<32} {ours:8.0f} {bare:8.0f} {NETBOX[name]:8.1f} {ours / NETBOX[name]:12.1f}")
        if given.json:
            print(json.dumps({"ms": figures, "a_second": rates}))


def _client() -> Any:
    """An administrator, by token in the API and by session in the console."""
    from django.test import Client

    from watchkeeper.domains import identity
    from watchkeeper.domains.identity.models import User

    client = Client(headers={"authorization": f"Bearer {identity.create_token('bench', 'admin')}"})
    client.force_login(User.objects.create_user("bench", is_administrator=True))
    return client


def _get(client: Any, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content[:300]


def _rates(client: Any, devices: int) -> dict[str, tuple[float, float]]:
    from django.test import RequestFactory

    view, make = _bare_views(), RequestFactory()

    def ours_create(n: int) -> None:
        body = {"name": f"made-{n}", "role": "server", "serial": f"M{n}"}
        answer = client.post("/api/devices/", json.dumps(body), "application/json")
        assert answer.status_code == 201, answer.content[:300]

    def bare_create(n: int) -> None:
        body = {"name": f"bare-{n}", "role": "server", "serial": f"B{n}"}
        answer = view["all"](make.post("/", json.dumps(body), "application/json"))
        assert answer.status_code == 201, answer.render().content[:300]

    key = lambda n: f"d{n * 7919 % devices}"  # noqa: E731
    return {
        "create": (_rate(ours_create), _rate(bare_create)),
        "get": (
            _rate(lambda n: _get(client, f"/api/devices/{key(n)}/")),
            _rate(lambda n: view["one"](make.get("/"), pk=key(n)).render()),
        ),
        "list": (
            _rate(lambda n: _get(client, f"/api/devices/?offset={50 * n}")),
            _rate(lambda n: view["all"](make.get("/", {"offset": 50 * n})).render()),
        ),
    }


def _bare_views() -> dict[str, Any]:
    """The control: the framework alone over the same table, without policy, audit, search or derived fields."""
    import uuid

    from django.utils import timezone
    from rest_framework import serializers, viewsets
    from rest_framework.pagination import LimitOffsetPagination

    from watchkeeper.domains.inventory.models import Device

    class Bare(serializers.ModelSerializer[Any]):
        class Meta:
            model = Device
            fields = ("id", "name", "role", "status", "device_type", "platform", "serial", "asset_tag", "site",
                      "location", "rack", "position", "face", "source", "first_seen_at", "last_seen_at")  # fmt: skip
            read_only_fields = ("id", "source", "first_seen_at", "last_seen_at")

    class Paged(LimitOffsetPagination):
        default_limit = 50

    class View(viewsets.ModelViewSet[Any]):
        queryset = Device.objects.order_by("name", "item_id")
        serializer_class = Bare
        pagination_class = Paged
        authentication_classes = ()
        permission_classes = ()
        filter_backends = ()

        def perform_create(self, serializer: Any) -> None:
            now = timezone.now()
            serializer.save(id=uuid.uuid4().hex, kind="device", first_seen_at=now, last_seen_at=now)

    return {
        "all": View.as_view({"get": "list", "post": "create"}),
        "one": View.as_view({"get": "retrieve"}),
    }


def _rate(call: Callable[[int], None], seconds: float = 4.0) -> float:
    """Calls a second, after one that does not count."""
    call(0)
    began, n = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        n += 1
        call(n)
    return n / (time.perf_counter() - began)


def _timed(call: Callable[[], None]) -> tuple[float, float]:
    """Median and worst of ROUNDS, in ms, after one that does not count."""
    call()
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), max(took)


if __name__ == "__main__":
    main()
