"""What is polled: scrape jobs and probes as people have declared them, the port by which the pollers ask for them, and
how every target stands, which the pollers tell and people look at. Times: Unix milliseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from watchkeeper.model.declared import Unread
from watchkeeper.model.relabelling import Rule

SCRAPE, PROBE = "scrape", "probe"  # the two doors


class PollTarget(msgspec.Struct, frozen=True):
    """Whom to ask: `host:port`, a host or a URL, by what the kind of poll needs, and the labels that say who it is.
    `name` is what people see of it, where that is not the address."""

    address: str
    labels: dict[str, str] = {}
    name: str = ""

    @property
    def called(self) -> str:
        """What people know it by."""
        return self.name or self.address


class ScrapeJob(msgspec.Struct, frozen=True, kw_only=True):
    """Metrics of many targets that are fetched in the same way. Times in seconds."""

    id: str
    name: str
    targets: tuple[PollTarget, ...] = ()  # as written down, and those of the inventory
    files: tuple[str, ...] = ()  # Prometheus' file_sd
    discovery_url: str = ""  # Prometheus' http_sd
    interval: float = 15.0
    timeout: float = 10.0
    scheme: str = "http"
    path: str = "/metrics"
    params: dict[str, str] = {}
    labels: dict[str, str] = {}
    user: str = ""
    password: str = ""
    bearer: str = ""
    authority: str = ""  # PEM, "" for those of this system
    verify: bool = True
    honor_labels: bool = False
    sample_limit: int = 50_000
    relabel_configs: tuple[Rule, ...] = ()
    metric_relabel_configs: tuple[Rule, ...] = ()
    failures: int = 2  # in a row, before it is told


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A question that many targets are asked in the same way. Times in seconds."""

    id: str
    name: str
    kind: str  # icmp tcp http dns tls
    targets: tuple[PollTarget, ...] = ()
    interval: float = 30.0
    timeout: float = 5.0
    statuses: tuple[int, ...] = ()  # of HTTP; none: any of 200 to 299
    body: str = ""  # regular expression (RE2) that HTTP's body has to match
    send: str = ""  # of TCP
    expect: str = ""  # of TCP: regular expression that what comes has to match
    record: str = "A"  # of DNS
    answers: tuple[str, ...] = ()  # of DNS: each has to be among those that come
    server: str = ""  # of DNS: host or host:port; "": this machine's
    authority: str = ""
    verify: bool = True
    warn_days: int = 21  # before a certificate ends
    critical_days: int = 7
    slow: float = 0.0  # seconds from which an answer is slow; 0: never
    failures: int = 2
    severity: str = "critical"


class Polled(Protocol):
    """What to poll now. From any thread; the same objects while nothing has changed."""

    def scrape_jobs(self) -> tuple[ScrapeJob, ...]:
        """Those that are on."""
        ...

    def probes(self) -> tuple[Probe, ...]:
        """Those that are on."""
        ...

    def unread(self) -> Mapping[str, Sequence[Unread]]:
        """By door, those that are on and cannot be read."""
        ...


class Firing(msgspec.Struct):
    """A condition of a target that was told and is not over."""

    since_ms: int
    labels: dict[str, str]
    severity: str
    target: str


class TargetStanding(msgspec.Struct, kw_only=True):
    """How one target stands. `last_ms` is 0 before its first answer."""

    door: str  # scrape or probe
    record: str  # id of the scrape job or probe
    target: str
    up: bool = False
    last_ms: int = 0
    next_ms: int = 0
    seconds: float = 0.0  # that the last answer took
    samples: int = 0
    error: str = ""  # what was wrong at the last time, "" for nothing
    skipped: int = 0  # times at which the one before was still going on


class Standing(msgspec.Struct, kw_only=True):
    """All of it, as the polling process leaves it for the others and for its own successor."""

    written_ms: int
    doors: dict[str, dict[str, Any]] = {}  # as the receiving process tells of its doors
    targets: list[TargetStanding] = []
    left_out: dict[str, int] = {}  # id of a scrape job → targets that its rules leave out
    troubles: dict[str, str] = {}  # "door record" → what keeps its targets from being found or asked
    firing: dict[str, Firing] = {}  # by the alert's key
