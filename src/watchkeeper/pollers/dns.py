"""DNS: whether a name has the records that it should have."""

from __future__ import annotations

import time

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver

from watchkeeper.model.polled import Probe
from watchkeeper.pollers.outcome import DOWN, Complaint, Measured, Outcome
from watchkeeper.pollers.reach import Reach, Unreachable, split


async def probe(probe: Probe, target: str, reach: Reach) -> Outcome:
    """Ask for the records of the name `target`. Raises Unreachable."""
    try:
        question = dns.message.make_query(target, probe.record)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise Unreachable(f"is no name that can be looked up: {error}") from error
    host, port = split(probe.server or _own_server(), 53)
    address = (await reach.addresses(host))[0]
    began = time.perf_counter()
    try:
        answer, _ = await dns.asyncquery.udp_with_fallback(
            question, address, timeout=probe.timeout, port=port
        )
    except dns.exception.Timeout as error:
        raise Unreachable(f"is not answered for by {host} within {probe.timeout:g} s") from error
    except (dns.exception.DNSException, OSError, EOFError) as error:
        raise Unreachable(f"cannot be asked for at {host}: {error or type(error).__name__}") from error
    took = time.perf_counter() - began
    records = [
        r.to_text() for rrset in answer.answer if rrset.rdtype == question.question[0].rdtype for r in rrset
    ]
    found = Outcome(measured=[Measured("probe_dns_lookup_time_seconds", took),
                              Measured("probe_dns_answer_rrs", len(answer.answer)),
                              Measured("probe_dns_query_succeeded", 1.0)])  # fmt: skip
    if wrong := _wrong(probe, answer, records):
        found.complaints[DOWN] = Complaint(probe.severity, wrong)
    return found


def _wrong(probe: Probe, answer: dns.message.Message, records: list[str]) -> str:
    if answer.rcode() != dns.rcode.NOERROR:
        return f"is answered with {dns.rcode.to_text(answer.rcode())}"
    if not records:
        return f"has no {probe.record} record"
    there = {_plain(r) for r in records}
    missing = [a for a in probe.answers if _plain(a) not in there]
    if missing:
        return f"has {', '.join(sorted(records)[:5])} as {probe.record}, and not {', '.join(missing)}"
    return ""


def _plain(record: str) -> str:
    return record.strip().strip('"').rstrip(".").lower()


def _own_server() -> str:
    """The first server of names that this machine asks. Raises Unreachable."""
    try:
        return f"[{dns.resolver.get_default_resolver().nameservers[0]}]"
    except dns.resolver.NoResolverConfiguration as error:
        raise Unreachable("cannot be looked up: this machine has no server of names") from error
