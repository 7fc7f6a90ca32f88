"""TLS: whether a certificate is one to be trusted, and when it ends."""

from __future__ import annotations

import asyncio
import errno
import ssl
from functools import lru_cache
from typing import Any

from cryptography import x509

from watchkeeper.model.polled import Probe
from watchkeeper.pollers.outcome import Measured, Outcome
from watchkeeper.pollers.phases import Timed
from watchkeeper.pollers.reach import Reach, Unreachable, split

_WORDS = {errno.ECONNREFUSED: "refuses the connection", errno.EHOSTUNREACH: "cannot be reached: no route to it",
          errno.ENETUNREACH: "cannot be reached: no network leads to it",
          errno.ECONNRESET: "breaks the connection off"}  # fmt: skip


@lru_cache(100)  # to read the authorities of a system takes tens of milliseconds
def context(authority: str, verify: bool) -> ssl.SSLContext:
    """What to trust: those who sign for this system or the given PEM, or, without `verify`, everybody."""
    made = ssl.create_default_context(cadata=authority or None)
    made.sslobject_class = Timed
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def ends_ms(secured: Any) -> int:
    """When the certificate that was shown on a connection ends, Unix ms; 0 when there was none."""
    shown = secured.getpeercert(binary_form=True)
    return round(x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp() * 1000) if shown else 0


def why_not(error: Exception) -> str:
    """Why a connection did not come about, in words that go on after the target's name."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"shows a certificate that cannot be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"does not speak TLS as it should: {error.reason or error}"
    number = error.errno if isinstance(error, OSError) else None
    if number in _WORDS:
        return _WORDS[number]
    return f"cannot be reached: {getattr(error, 'strerror', '') or error or type(error).__name__}"


async def connect(
    reach: Reach, target: str, port: int, tls: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address of `host:port` that answers. Raises Unreachable."""
    host, number = split(target, port)
    error: Exception = OSError("it has no address")
    for address in await reach.addresses(host):
        try:
            return await asyncio.open_connection(
                address, number, ssl=tls, server_hostname=host if tls is not None else None
            )
        except OSError as e:  # of TLS too
            error = e
    raise Unreachable(why_not(error)) from error


async def probe(probe: Probe, target: str, reach: Reach) -> Outcome:
    """Shake hands, and look when the certificate ends. Raises Unreachable."""
    _, writer = await connect(reach, target, 443, context(probe.authority, probe.verify))
    try:
        ends = ends_ms(writer.get_extra_info("ssl_object"))
    finally:
        writer.transport.abort()
    return Outcome(measured=[Measured("probe_ssl_earliest_cert_expiry", ends / 1000)], ends_ms=ends)
