"""The listening side of HTTP: connections with limits on their number and their patience, and errors below a
request, such as broken framing, counted and answered. It knows neither doors nor the web process.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from watchkeeper.model.errors import Malformed, WatchkeeperError
from watchkeeper.receivers.door_stats import DoorCounters
from watchkeeper.receivers.http import problem
from watchkeeper.receivers.intake import refusal
from watchkeeper.receivers.limits import Limits, Places
from watchkeeper.receivers.tls import Certificate

Secured = tuple[socket.socket, Certificate]
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
_SPARE_FILES = 128  # descriptors that connections leave to the journal and the rest
_log = logging.getLogger(__name__)


class InternalError(WatchkeeperError):
    """A fault of ours. Its traceback is in the log; the client is told no more than that."""


class _Connection(web.RequestHandler):
    """aiohttp's protocol, with our answers to what is no request."""

    counters: DoorCounters

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what the parser refused (400) or a handler did not catch (500)."""
        if isinstance(exc, ConnectionError):
            raise exc  # nobody is there to be answered
        error: WatchkeeperError
        if status == 400:
            self.counters.reject("malformed_http")
            error = Malformed((message or "not HTTP").splitlines()[0][:300], reason="malformed_http")
        else:
            self.counters.reject("internal")
            _log.error("a request failed: %s %s", request.method, request.path, exc_info=exc)
            error = InternalError("an error of ours; the server's log says which")
        if request.writer.output_size > 0:
            raise ConnectionResetError("the response had begun")
        response = refusal(problem(error), error)
        response.force_close()
        return response


class Server(web.Server):
    """Makes connections and tends those that send nothing."""

    def __init__(
        self, handler: Handler, limits: Limits, counters: DoorCounters, shared: Callable[[str], bool] = lambda _: False
    ) -> None:  # fmt: skip
        self._settings = {
            "keepalive_timeout": limits.keepalive_time,
            "lingering_time": 2.0,
            "auto_decompress": False,
            "access_log": None,
        }
        super().__init__(self._handle, handler_cancellation=True)
        self._wrapped = handler
        self._counters = counters
        self.header_time = limits.header_time
        self._silent: dict[web.RequestHandler, asyncio.TimerHandle] = {}
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._places = Places(max(16, min(limits.connections, files - _SPARE_FILES)), limits.of_one, shared)
        self._addresses: dict[web.RequestHandler, str] = {}  # of those that have a place

    def __call__(self) -> web.RequestHandler:
        connection = _Connection(self, loop=asyncio.get_running_loop(), **self._settings)  # type: ignore[arg-type]
        connection.counters = self._counters
        return connection

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Count a connection in, or out at once when there are too many."""
        super().connection_made(handler, transport)
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        if not self._places.take(address):
            self._counters.reject("too_many_connections")
            transport.abort()
            return
        self._addresses[handler] = address
        loop = asyncio.get_running_loop()
        self._silent[handler] = loop.call_later(self.header_time, self._give_up, handler, transport)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """Forget a connection."""
        self._heard(handler)
        if (address := self._addresses.pop(handler, None)) is not None:
            self._places.leave(address)
        super().connection_lost(handler, exc)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._heard(request.protocol)
        return await self._wrapped(request)

    def _heard(self, handler: web.RequestHandler) -> None:
        timer = self._silent.pop(handler, None)
        if timer is not None:
            timer.cancel()

    def _give_up(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """No whole request came in time: a port scan, or somebody who wants to hold the connection."""
        self._silent.pop(handler, None)
        self._counters.reject("slow_client")
        transport.abort()


class _SecuredSite(web.SockSite):
    """A site whose handshakes end as soon as the headers of a request have to: aiohttp leaves them a minute."""

    async def start(self) -> None:
        """Begin to accept connections."""
        await web.BaseSite.start(self)
        server = self._runner.server
        assert isinstance(server, Server)
        self._server = await asyncio.get_running_loop().create_server(
            server, sock=self._sock, ssl=self._ssl_context, backlog=self._backlog,
            ssl_handshake_timeout=server.header_time,
        )  # fmt: skip


async def listen(
    server: Server, sockets: Sequence[socket.socket], secured: Secured | None = None
) -> web.ServerRunner:
    """Serve on sockets that are bound already, and by TLS on the one that is `secured`. `cleanup()` of what it gives
    ends that."""
    runner = web.ServerRunner(server, shutdown_timeout=5.0)
    await runner.setup()
    for s in sockets:
        await web.SockSite(runner, s, backlog=1024).start()
    if secured is not None:
        context = secured[1].following()
        await _SecuredSite(runner, secured[0], backlog=1024, ssl_context=context).start()
    return runner
