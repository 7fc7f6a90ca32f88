"""A probe: the question of its kind, within its time, and what is to be complained about. Names of metrics are those of
Prometheus' blackbox_exporter."""

from __future__ import annotations

import asyncio
import time

from watchkeeper.model.polled import Probe
from watchkeeper.pollers import dns, http, tcp, tls
from watchkeeper.pollers.icmp import Pinger
from watchkeeper.pollers.outcome import CERTIFICATE, DOWN, SLOW, Complaint, Measured, Outcome
from watchkeeper.pollers.reach import Reach, Unreachable
from watchkeeper.pollers.web import Web

_DAY_MS = 86_400_000


class Prober:
    """Asks, over what all probes share."""

    def __init__(self, reach: Reach, web: Web) -> None:
        self._reach, self._web, self._pinger = reach, web, Pinger()

    def close(self) -> None:
        """Close what is open."""
        self._pinger.close()

    async def ask(self, probe: Probe, target: str, now_ms: int) -> Outcome:
        """Ask one target; whatever goes wrong is in the outcome."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(probe.timeout):
                found = await self._asked(probe, target)
        except TimeoutError:
            found = _failed(probe, f"does not answer within {probe.timeout:g} s")
        except Unreachable as error:
            found = _failed(probe, error.detail)
        found.seconds = time.perf_counter() - began
        found.complaints.setdefault(DOWN, None)
        if found.ok:
            self._look_further(probe, found, now_ms)
        found.measured += (Measured("probe_success", float(found.ok)),
                           Measured("probe_duration_seconds", found.seconds))  # fmt: skip
        return found

    async def _asked(self, probe: Probe, target: str) -> Outcome:
        match probe.kind:
            case "http":
                return await http.probe(probe, target, self._web)
            case "tcp":
                return await tcp.probe(probe, target, self._reach)
            case "tls":
                return await tls.probe(probe, target, self._reach)
            case "dns":
                return await dns.probe(probe, target, self._reach)
        return await self._pinger.probe(target, self._reach)

    def _look_further(self, probe: Probe, found: Outcome, now_ms: int) -> None:
        """What there is to complain about though the target answers."""
        if found.ends_ms:
            found.complaints[CERTIFICATE] = certificate(probe, found.ends_ms, now_ms)
        if probe.slow:
            slow = found.seconds >= probe.slow
            words = f"needs {found.seconds:.2g} s to answer, {probe.slow:g} s is slow"
            found.complaints[SLOW] = Complaint("warning", words) if slow else None


def certificate(probe: Probe, ends_ms: int, now_ms: int) -> Complaint | None:
    """What to say of a certificate that ends then.

    >>> probe = Probe(id="1", name="shop", kind="tls")
    >>> certificate(probe, 12 * 86_400_000, 0).words, certificate(probe, 90 * 86_400_000, 0)
    ('has a certificate that ends in 12 days', None)
    """
    days = (ends_ms - now_ms) // _DAY_MS
    if days >= probe.warn_days:
        return None
    if ends_ms <= now_ms:
        return Complaint("critical", "has a certificate that has ended")
    when = "within a day" if days < 1 else f"in {days} day{'s' if days > 1 else ''}"
    severity = "critical" if days < probe.critical_days else "warning"
    return Complaint(severity, f"has a certificate that ends {when}")


def _failed(probe: Probe, words: str) -> Outcome:
    return Outcome(complaints={DOWN: Complaint(probe.severity, words)})
