"""What is to be polled, in memory and brought up to date in the background, so that no poll waits for the database."""

from __future__ import annotations

import time
from typing import Any

from watchkeeper.domains import inventory
from watchkeeper.domains.annotations import tagged
from watchkeeper.domains.polling import item_labels, models, rules
from watchkeeper.domains.polling.relabelling import rules_of
from watchkeeper.domains.receiving import Rereading, readable
from watchkeeper.model.polled import SCRAPE, PollTarget, Probe, ScrapeJob

ITEMS_EVERY = 10.0  # seconds between two looks at the inventory, which is larger
MOST_ITEMS = 20_000
_BOTH = ("name", "interval", "timeout", "authority", "verify", "failures")
_JOB = (*_BOTH, "scheme", "path", "params", "labels", "discovery_url", "user", "password", "bearer", "honor_labels",
        "sample_limit")  # fmt: skip
_PROBE = (*_BOTH, "kind", "body", "send", "expect", "record", "server", "warn_days", "critical_days", "slow",
          "severity")  # fmt: skip
Choice = tuple[str, str, str, str, bool]


class DatabasePolled(Rereading):
    """See model.polled.Polled. Inert until `start`; what it gives may be asked for from any thread."""

    what = "what is to be polled"

    def __init__(self) -> None:
        super().__init__()
        self._jobs: tuple[ScrapeJob, ...] = ()
        self._probes: tuple[Probe, ...] = ()
        self._items: dict[Choice, tuple[float, tuple[PollTarget, ...]]] = {}

    def start(self) -> None:
        """Read, and keep reading; returns when it has been read once, so that nobody takes what is not read yet for
        what is not there."""
        super().start()
        self._read_once.wait()

    def scrape_jobs(self) -> tuple[ScrapeJob, ...]:
        """Those that are on."""
        return self._jobs

    def probes(self) -> tuple[Probe, ...]:
        """Those that are on."""
        return self._probes

    def _read(self) -> None:
        found = models.ScrapeJob.objects.filter(enabled=True).order_by("pk")
        jobs, unread = readable(found, self._job)
        self._unread = {SCRAPE: unread}
        if jobs != self._jobs:
            self._jobs = jobs
        probes = tuple(map(self._probe, models.Probe.objects.filter(enabled=True).order_by("pk")))
        if probes != self._probes:
            self._probes = probes

    def _job(self, one: models.ScrapeJob) -> ScrapeJob:
        own = tuple(PollTarget(t) for t in one.targets)
        return ScrapeJob(
            id=str(one.pk), files=tuple(one.files), targets=(*own, *self._of_items(one)),
            relabel_configs=rules_of(one.relabel_configs),
            metric_relabel_configs=rules_of(one.metric_relabel_configs),
            **{name: getattr(one, name) for name in _JOB},
        )  # fmt: skip

    def _probe(self, one: models.Probe) -> Probe:
        own = tuple(PollTarget(t, one.labels) for t in one.targets)
        return Probe(
            id=str(one.pk), statuses=tuple(one.statuses), answers=tuple(one.answers),
            targets=(*own, *self._of_items(one)), **{name: getattr(one, name) for name in _PROBE},
        )  # fmt: skip

    def _of_items(self, one: Any) -> tuple[PollTarget, ...]:
        """The targets of the inventory that a record chooses."""
        ruled = isinstance(one, models.ScrapeJob) and bool(one.relabel_configs)
        choice = (one.item_kind, one.item_tag, one.item_name, one.item_target, ruled)
        if not any(choice[:3]):
            return ()
        now = time.monotonic()
        kept = self._items.get(choice)
        if kept is None or now >= kept[0]:
            kept = self._items[choice] = now + ITEMS_EVERY, _chosen(*choice)
        labels = one.labels if isinstance(one, models.Probe) else {}
        return tuple(PollTarget(t.address, {**t.labels, **labels}) for t in kept[1])


def _chosen(kind: str, tag: str, name: str, asked: str, ruled: bool) -> tuple[PollTarget, ...]:
    """`ruled`: with the labels that rules ask for, which cost more to read."""
    among = tagged(tag) if tag else None
    found: dict[str, PollTarget] = {}
    items = inventory.reached(kind, name, among, MOST_ITEMS)
    more = item_labels.of(items) if ruled else {}
    for item in items:
        address = rules.asked_as(asked, item.address, item.host, item.name)
        labels = {"host_name": item.host} if item.host else {}
        found.setdefault(address, PollTarget(address, labels | more.get(item.id, {})))
    return tuple(found.values())
