"""How long each part of a request over HTTP took, named as blackbox_exporter does; of redirects, all together."""

from __future__ import annotations

import ssl
import time
from types import SimpleNamespace
from typing import Any

import aiohttp

PHASES = ("resolve", "connect", "tls", "processing", "transfer")


class Phases:
    """Seconds by phase. `step` takes what has passed since the last one for a phase."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self._since = time.perf_counter()

    def step(self, phase: str) -> None:
        """What has passed since the last step was this."""
        now = time.perf_counter()
        self.seconds[phase] += now - self._since
        self._since = now

    def secured(self, tls: Any) -> None:
        """A part of what was taken for the connection was the handshake of TLS."""
        if isinstance(tls, Timed):
            self.seconds["tls"] += tls.took
            self.seconds["connect"] = max(0.0, self.seconds["connect"] - tls.took)


class Timed(ssl.SSLObject):
    """TLS that knows how long its handshake took, in seconds."""

    _began = took = 0.0

    def do_handshake(self) -> None:
        """See SSLObject; called again for every part of it."""
        self._began = self._began or time.perf_counter()
        try:
            super().do_handshake()
        finally:
            self.took = time.perf_counter() - self._began


def tracing() -> aiohttp.TraceConfig:
    """Lets aiohttp tell a request's `trace_request_ctx`, a Phases, when it is connected."""

    async def connected(
        _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceConnectionCreateEndParams
    ) -> None:
        if context.trace_request_ctx is not None:
            context.trace_request_ctx.step("connect")

    made = aiohttp.TraceConfig()
    made.on_connection_create_end.append(connected)
    return made
