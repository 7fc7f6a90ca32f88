"""Policy: what its filter costs on lists of 100,000 items, against the same lists without a policy.

    python -m benchmarks.policy [--items 100000] [--rounds 60] [--postgres]

Everybody signs in with a session and asks through the whole of Django, without a socket. "No policy" is
ScopeAuthority, which knows nothing but scopes; "narrowed by hand" asks it for the records that the policy leaves,
with a filter in the query. The ways take turns, so that the ratios hold on a busy machine.
"""

from __future__ import annotations

import datetime as dt
import statistics
import time
from typing import Any

from benchmarks.whole.records import analyse, arguments, database

SCOPES = "watchkeeper.kernel.permissions.ScopeAuthority"
CEDAR = "watchkeeper.domains.access.authority.CedarAuthority"
KINDS = ("host", "service", "switch", "disk", "interface", "database", "container", "queue")
LISTS = (
    "/api/items/",
    "/api/items/?search=item-777",
    "/api/items/?limit=500&offset=40000",
    "/api/items/?cursor=",
    "/items/",
)
#: who sees six of the eight kinds, by policy and by hand
KEPT = KINDS[:6]
BY_HAND = "kind__in=" + ",".join(KEPT)
POLICIES = """
forbid (principal == User::"narrow", action, resource == Kind::"items")
unless { ["host", "service", "switch", "disk", "interface", "database"].contains(resource.kind) };
forbid (principal == User::"intricate", action, resource == Kind::"items")
when { ["container", "queue"].contains(resource.kind) || resource.name like "*-99" ||
       resource.source == "secret" && resource.discovered };
"""


def main() -> None:
    """Build, measure, print; the database is removed after."""
    parser = arguments(__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=60)
    given = parser.parse_args()
    with database(given.postgres):
        _run(given.items, given.rounds)


def _run(items: int, rounds: int) -> None:
    from django.conf import settings

    clients = _fill(items)
    vendor = analyse()
    ways = {
        "no policy": (SCOPES, clients["wide"], ""),
        "narrowed by hand": (SCOPES, clients["wide"], BY_HAND),
        "policy: sees all": (CEDAR, clients["wide"], ""),
        "policy: by kind": (CEDAR, clients["narrow"], ""),
        "policy: intricate": (CEDAR, clients["intricate"], ""),
    }
    print(f"{items} items, {vendor}; median of {rounds} requests each, ms")
    print(f"{'':36}" + "".join(f"{way:>19}" for way in ways))
    for address in LISTS:
        took = _measured(ways, address, rounds, settings)
        base = took["no policy"]
        cells = "".join(f"{took[w]:>11.1f} {took[w] / base - 1:+7.0%}" for w in ways)
        print(f"{address:36}{cells}")


def _fill(items: int) -> dict[str, Any]:
    """The records, and a client for each person."""
    from django.test import Client

    from watchkeeper.domains.access.models import Policy
    from watchkeeper.domains.identity.models import User
    from watchkeeper.domains.inventory.models import Item

    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        Item(id=f"{n:032x}", kind=KINDS[n % 8], name=f"item-{n}", source=f"source-{n % 5}", discovered=n % 2 == 0,
             first_seen_at=now, last_seen_at=now)
        for n in range(items)
    )  # fmt: skip
    Item.objects.bulk_create(made, batch_size=2000)
    Policy.objects.create(name="narrow", text=POLICIES)
    clients = {}
    for name in ("wide", "narrow", "intricate"):
        clients[name] = Client()
        clients[name].force_login(User.objects.create_user(name))
    return clients


def _measured(
    ways: dict[str, tuple[str, Any, str]], address: str, rounds: int, settings: Any
) -> dict[str, float]:
    took: dict[str, list[float]] = {way: [] for way in ways}
    for n in range(rounds + 3):
        for way, (authority, client, more) in ways.items():
            settings.AUTHORITY = authority
            begun = time.perf_counter()
            answer = client.get(f"{address}{'&' if '?' in address else '?'}{more}" if more else address)
            lasted = (time.perf_counter() - begun) * 1000
            assert answer.status_code == 200, answer.content
            if n >= 3:
                took[way].append(lasted)
    return {way: statistics.median(times) for way, times in took.items()}


if __name__ == "__main__":
    main()
