"""Sources and precedence keep what every kind promises."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks
from watchkeeper.domains.inventory.models import Source


class TestSources(KindChecks):
    path = "sources"
    changes = {"rank": 7, "orphans": "retire", "stale_after_hours": 24}
    invalid = {"type": "crystal ball", "least_percent": 101}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"system {n}", "type": "netbox", "rank": 30 + n}


class TestPrecedence(KindChecks):
    path = "precedence"
    changes = {"rank": 300}
    invalid = {"rank": -1}

    def valid(self, n: int) -> dict[str, Any]:
        source = Source.objects.get_or_create(name="netbox")[0]
        return {"source": source.pk, "kind": "devices", "attribute": f"field{n}", "rank": n + 1}


class TestConnections(KindChecks):
    path = "connections"
    changes = {"address": "https://netbox.example.com", "every_hours": 24}
    invalid = {"every_hours": -1}

    def valid(self, n: int) -> dict[str, Any]:
        source = Source.objects.get_or_create(name=f"system {n}", type="netbox")[0]
        return {"source": source.pk, "address": f"https://netbox{n}.example.org", "secret": f"t0ken{n}"}
