"""Which of the alerts that fire now a silence would hold back, for whoever is about to make it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from watchkeeper.domains.inventory import reached_from
from watchkeeper.domains.situations.models import Alert
from watchkeeper.domains.situations.silencing import About
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible
from watchkeeper.model.matching import Matcher

MOST = 20_000  # firing alerts that are looked at
SHOWN = 5


class HeldBack(NamedTuple):
    """How many alerts, the first of them, and how many fire in all; `least` when there were too many to look at all."""

    count: int
    first: list[Alert]
    firing: int
    least: bool


def would_hold_back(actor: Actor, about: About) -> HeldBack:
    """Of the alerts that the actor may see. Raises Invalid for what would be no silence."""
    matchers = msgspec.convert(about.checked().matchers, list[Matcher])
    items = reached_from(about.items, about.reach) if about.items else None
    firing = visible(actor, "alerts").filter(status="firing").order_by("-last_seen_at", "-fingerprint")
    rows = firing.values_list("fingerprint", "name", "labels", "item_id")[:MOST]
    looked, keys = 0, []
    for key, name, labels, item in rows:
        looked += 1
        named = labels if "alertname" in labels else {**labels, "alertname": name}
        if (items is None or item in items) and all(m.matches(named) for m in matchers):
            keys.append(key)
    first = list(firing.filter(pk__in=keys[:SHOWN]).select_related("item"))
    return HeldBack(len(keys), first, looked, looked == MOST)
