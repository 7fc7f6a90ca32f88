"""Told: an event or a finding in the form in which deduplication compares it with what it knows."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from watchkeeper.analysis.pipeline import Event
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.verdicts import Finding, fingerprint

_NONE: dict[str, str] = {}


class Told(NamedTuple):
    """One telling of an alert. Times in Unix milliseconds; `ends_ms` is meant only when it is not firing."""

    fingerprint: str
    firing: bool
    seen_ms: int
    starts_ms: int
    ends_ms: int
    times_out_ms: int
    item: str
    name: str
    severity: str
    summary: str
    labels: dict[str, str]
    annotations: dict[str, str]
    url: str
    source: str
    score: float
    because: tuple[Reason, ...]


def from_event(event: Event) -> Told:
    """An event of kind alert. An end in the future is when it times out; one in the past resolves it."""
    seen = event.received_ms
    starts = event.starts_ms or seen
    over = event.status == "resolved" or 0 < event.ends_ms <= seen
    return Told(
        fingerprint(event.name, event.labels, event.door), not over, seen, min(starts, seen),
        min(event.ends_ms or seen, seen) if over else 0, 0 if over else event.ends_ms, event.item,
        event.name, event.severity, event.summary, event.labels, event.annotations or _NONE, event.url,
        event.door, 1.0, _reported(event.door),
    )  # fmt: skip


def from_finding(finding: Finding, now_ms: int) -> Told:
    """A detector's finding; its key is its identity, and it tells its own end."""
    return Told(
        blake2b(f"finding\xff{finding.key}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest(),
        finding.active, now_ms, finding.time_ms, 0 if finding.active else finding.time_ms, 0, finding.item,
        finding.name, finding.severity, finding.summary, finding.labels, finding.annotations or _NONE, "",
        finding.key.split("|", 1)[0], finding.score, finding.because,
    )  # fmt: skip


@lru_cache(maxsize=256)
def _reported(door: str) -> tuple[Reason, ...]:
    return (Reason(ReasonKind.RULE, f"{door or 'A sender'} reported it.", 1.0),)
