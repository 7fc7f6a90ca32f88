"""Sources, what they say, and what is done about two that are one keep what every kind promises."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.utils import timezone

from tests.kernel.kind_checks import KindChecks
from watchkeeper.domains.inventory.models import Duplicate, Item, MatchRule, Source, Statement


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


def items(*names: str) -> list[Item]:
    """Devices of these names, made anew."""
    now = timezone.now()
    return [
        Item.objects.create(id=str(uuid4()), kind="host", name=name, first_seen_at=now, last_seen_at=now)
        for name in names
    ]


class TestStatements(KindChecks):
    path = "statements"

    def make(self, start: int, stop: int) -> list[Any]:
        source, now = Source.objects.get_or_create(name="netbox")[0], timezone.now()
        return [
            Statement.objects.create(
                source=source, item=one, key=f"key {n}", first_seen_at=now, last_seen_at=now
            ).pk
            for n, one in enumerate(items(*(f"host-{n}" for n in range(start, stop))), start)
        ]


class TestDuplicates(KindChecks):
    path = "duplicates"

    def make(self, start: int, stop: int) -> list[Any]:
        pairs = [
            sorted(items(f"db-{n}", f"db-{n}.example.org"), key=lambda i: i.pk) for n in range(start, stop)
        ]
        return [
            Duplicate.objects.create(first=a, second=b, score=0.8, found_at=timezone.now()).pk
            for a, b in pairs
        ]


class TestMerges(KindChecks):
    path = "merges"

    def make(self, start: int, stop: int) -> list[Any]:
        made = []
        for n in range(start, stop):
            kept, gone = items(f"db-{n}", f"db-{n}.example.org")
            made.append(self.send("post", f"/api/items/{gone.pk}/merge/", {"into": kept.pk})["merge"])
        return made


class TestMatchRules(KindChecks):
    """There from the start; they are set, not made."""

    path = "match-rules"
    changes = {"weight": 0.42, "enabled": False}

    def make(self, start: int, stop: int) -> list[Any]:
        for n in range(start, stop):
            MatchRule.objects.get_or_create(
                name=f"rule {n}", defaults={"weight": 0.5, "description": f"reason {n}"}
            )
        return list(MatchRule.objects.filter(name__startswith="rule ").values_list("pk", flat=True))[
            start:stop
        ]
