"""How far a host that is being added has come: what arrived by each of its ways, what was refused, and its item."""

from __future__ import annotations

import datetime as dt
import socket
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils import timezone

from watchkeeper.console.hosts.ways import WAYS, Way
from watchkeeper.console.models import AddedHost
from watchkeeper.domains import polling
from watchkeeper.domains.inventory.models import Item
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import moment
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.ports import ports
from watchkeeper.model.polled import SCRAPE

RECENT_MS = 30_000  # a refusal is told until so long after it everything was taken
LATE = dt.timedelta(minutes=2)  # so long nothing may come before it is said what to look at
_NAMES = ("hostname", "fqdn", "address")
_WORDS = {
    "series": ("series", "series"),
    "logs": ("log line", "log lines"),
    "spans": ("span", "spans"),
    "events": ("event", "events"),
}


@dataclass(frozen=True)
class Arrived:
    """What came by one way: `counts` of series and of rows by stream, none while nothing has come; `trouble` is why some
    of it was refused."""

    way: Way
    counts: Mapping[str, int] = field(default_factory=dict)
    trouble: str = ""
    last: dt.datetime | None = None

    @property
    def said(self) -> str:
        """The counts in words, "" for none."""
        return in_words(self.counts)


@dataclass(frozen=True)
class Progress:
    """Of one host. `elsewhere` is what its key was refused at doors that it is not for; `away` are addresses that were
    turned away because no key admits them: perhaps it is one of these."""

    ways: list[Arrived]
    item: Any = None
    others: list[Any] = field(
        default_factory=list
    )  # hosts that were first seen since, when it is not known which it is
    late: bool = False
    elsewhere: list[str] = field(default_factory=list)
    away: list[tuple[str, int]] = field(default_factory=list)

    @property
    def said(self) -> str:
        """All that came, in words."""
        total: Counter[str] = Counter()
        for shared in {
            a.way.door: a.counts for a in self.ways
        }.values():  # two ways through one door are counted as one
            total.update(shared)
        return in_words(total)

    @property
    def charted(self) -> Way | None:
        """A way whose measurements can be looked at."""
        return next((a.way for a in self.ways if a.way.metric and a.counts), None)

    @property
    def whole(self) -> bool:
        """Whether something came by every way, and it is known whose it is."""
        return all(a.counts and not a.trouble for a in self.ways) and self.item is not None


def progress(actor: Actor, host: AddedHost) -> Progress:
    """As of now."""
    sent = ports.doors(str(host.key_id)) if host.key_id else {}
    ways = [_arrived(WAYS[name], sent, host) for name in host.ways]
    names = [n for n in (host.name or host.address, *(s.get("host", "") for s in sent.values())) if n]
    item = _item(actor, names)
    some = any(a.counts for a in ways)
    return Progress(
        ways, item, _since(actor, host) if some and item is None else [],
        late=not all(a.counts for a in ways) and timezone.now() - host.created_at > LATE,
        elsewhere=[s["trouble"] for door, s in sent.items() if s["trouble"] and door not in {a.way.door for a in ways}],
        away=_turned_away() if "rsyslog" in host.ways and not sent.get("syslog") else [],
    )  # fmt: skip


def _arrived(way: Way, sent: Mapping[str, Mapping[str, Any]], host: AddedHost) -> Arrived:
    if not way.door:
        return _scraped(way, host)
    told = sent.get(way.door)
    if told is None:
        return Arrived(way)
    refused = told["trouble_ms"] and told["trouble_ms"] >= told["last_seen_ms"] - RECENT_MS
    counts = {
        "series": told["series"],
        **{stream: n for stream, n in told["rows"].items() if stream in _WORDS},
    }
    return Arrived(way, +Counter(counts), told["trouble"] if refused else "", moment(told["last_seen_ms"]))


def _scraped(way: Way, host: AddedHost) -> Arrived:
    """What the last scrape brought, or why it brought nothing."""
    found = polling.standing()
    if host.job is None:
        return Arrived(way, trouble="its scrape job has been removed")
    mine = [t for t in (found.targets if found else ()) if t.door == SCRAPE and t.record == str(host.job_id)]
    if not mine or not mine[0].last_ms:
        return Arrived(way)
    target = mine[0]
    counts = {"series": target.samples} if target.up else {}
    return Arrived(way, counts, target.error, moment(target.last_ms))


def in_words(counts: Mapping[str, int]) -> str:
    """What came, series first.

    >>> in_words({"logs": 1, "series": 4120})
    'about 4,120 series, 1 log line'
    """
    parts = []
    for what, (one, many) in _WORDS.items():
        if count := counts.get(what, 0):
            parts.append(f"{count:,} {one if count == 1 else many}")
    return ", ".join(f"about {p}" if p.endswith("series") else p for p in parts)


def _item(actor: Actor, names: Iterable[str]) -> Any:
    """The item that has one of these names."""
    wanted = Q()
    for name in names:
        wanted |= Q(
            identifiers__value__iexact=name, identifiers__scheme__in=_NAMES, identifiers__valid_to=None
        )
    return visible(actor, "items", Item.objects.filter(wanted)).distinct().first() if wanted else None


def _since(actor: Actor, host: AddedHost) -> list[Any]:
    """Hosts that nobody knew before this one was added."""
    new = Item.objects.filter(kind="host", first_seen_at__gte=host.created_at)
    return list(visible(actor, "items", new).exclude(name__iexact=socket.gethostname())[:5])


def _turned_away() -> list[tuple[str, int]]:
    away = ports.doors().get("syslog", {}).get("turned_away", {})
    return sorted(away.items(), key=lambda found: -found[1])[:5]
