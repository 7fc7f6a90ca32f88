"""HTTP and HTTPS: whether an address answers with an expected status and body."""

from __future__ import annotations

import re2

from watchkeeper.model.polled import Probe
from watchkeeper.pollers.outcome import DOWN, Complaint, Measured, Outcome
from watchkeeper.pollers.web import Request, Response, Web

_MOST = 1024**2  # bytes of a body that are looked at


async def probe(probe: Probe, target: str, web: Web) -> Outcome:
    """GET the address. Raises Unreachable."""
    url = target if "://" in target else f"http://{target}"
    answer = await web.get(Request(url, timeout=probe.timeout, most=_MOST, cut=True, authority=probe.authority,
                                   verify=probe.verify, keep=False))  # fmt: skip
    found = Outcome(measured=_measured(answer), ends_ms=answer.secure_until_ms)
    if wrong := _wrong(probe, answer):
        found.complaints[DOWN] = Complaint(probe.severity, wrong)
    return found


def _wrong(probe: Probe, answer: Response) -> str:
    wanted = probe.statuses or tuple(range(200, 300))
    if answer.status not in wanted:
        words = " or ".join(map(str, probe.statuses)) or "200"
        return f"answers {answer.status} instead of {words}"
    if probe.body and not re2.compile(probe.body.encode()).search(answer.body):
        return f"answers without what is expected: nothing in it matches {probe.body!r}"
    return ""


def _measured(answer: Response) -> list[Measured]:
    found = [
        Measured("probe_http_status_code", answer.status),
        Measured("probe_http_redirects", answer.redirects),
        Measured("probe_http_uncompressed_body_length", len(answer.body)),
        Measured("probe_http_version", answer.version),
        Measured("probe_http_ssl", 1.0 if answer.secure_until_ms else 0.0),
    ]
    found += (
        Measured("probe_http_duration_seconds", took, {"phase": p}) for p, took in answer.phases.items()
    )
    if answer.secure_until_ms:
        found.append(Measured("probe_ssl_earliest_cert_expiry", answer.secure_until_ms / 1000))
    return found
