"""How full the networks of the inventory are: the share of their addresses that is noted, as samples of an hour, so that
it is foreseen like whatever is measured. Of IPv4 alone: no IPv6 network is ever full."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from watchkeeper.domains.inventory.models import Address, Prefix
from watchkeeper.domains.inventory.models.addressing import AddressStatus
from watchkeeper.model.measured import Entry, measured
from watchkeeper.model.series import NAME

METRIC = "watchkeeper.prefix.utilization"
DOOR = "watchkeeper"
_GIVEN = (AddressStatus.ACTIVE, AddressStatus.DHCP)  # networks out of which addresses are given
_BITS = 32


def samples(now_ms: int) -> list[Entry]:
    """Of every network that has addresses and no networks inside; empty where there is none."""
    values = [({NAME: METRIC, **labels}, "gauge", share) for labels, share in _shares()]
    return measured(values, now_ms, DOOR) if values else []


def _shares() -> Iterator[tuple[dict[str, str], float]]:
    noted: dict[Any, list[str]] = defaultdict(list)
    for vrf, key in Address.objects.order_by("sort_key").values_list("vrf_id", "sort_key"):
        noted[vrf].append(key)
    for prefix in _leaves():
        there = noted[prefix.vrf_id]
        used = bisect_right(there, prefix.high) - bisect_left(there, prefix.low)
        if used:
            labels = {"subnet": prefix.prefix, **({"vrf": prefix.vrf.name} if prefix.vrf else {})}
            yield labels, min(1.0, used / _size(prefix.length))


def _leaves() -> Iterator[Prefix]:
    """Networks of IPv4 in use with none inside: in order of their first address, what is inside comes next."""
    known = Prefix.objects.select_related("vrf").order_by("vrf_id", "low", "length")
    listed = [p for p in known if ":" not in p.prefix]
    for prefix, following in zip_longest(listed, listed[1:]):
        inside = (
            following is not None
            and following.vrf_id == prefix.vrf_id
            and prefix.low <= following.low
            and following.high <= prefix.high
        )
        if not inside and prefix.status in _GIVEN:
            yield prefix


def _size(length: int) -> int:
    """Addresses that can be given: without those of the network itself and of all, where there are such.

    >>> _size(24), _size(31), _size(32)
    (254, 2, 1)
    """
    return 2 ** (_BITS - length) - (2 if length < _BITS - 1 else 0)
