"""The SMTP door's socket: mails come in and become events. What it needs is loaded where it is on."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time

from watchkeeper.model.doors import Keyring
from watchkeeper.receivers.dead_letters import DeadLetters
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.http import Group
from watchkeeper.receivers.limits import Limits, Places, RateLimiter
from watchkeeper.receivers.mail import NAME
from watchkeeper.receivers.smtp_session import Session, Shared
from watchkeeper.receivers.smtp_spool import Spool
from watchkeeper.receivers.smtp_wire import Wire
from watchkeeper.receivers.syslog_listener import wall_ms

_CONNECTIONS = 1000  # at once, where the settings allow as many: each is a task of its own,
_OF_ONE = 100  # and from one address
_GRACE = 5.0  # seconds that a mail in hand has at the end


class SmtpListener:
    """Serves `bound`, which listens already, and leaves it open. With a certificate STARTTLS is offered, and a key is not
    taken as a password before it."""

    def __init__(self, bound: socket.socket, *, group: Group, keyring: Keyring, stats: DoorStats, letters: DeadLetters,
                 tls: ssl.SSLContext | None = None, limits: Limits | None = None,
                 spool: Spool | None = None) -> None:  # fmt: skip
        self._socket = bound
        self._counters = stats.door(NAME)
        self._shared = Shared(keyring, group, self._counters, letters, RateLimiter(time.monotonic), wall_ms, tls,
                              socket.gethostname(), spool)  # fmt: skip
        limits = limits or Limits()
        self._places = Places(min(_CONNECTIONS, limits.connections), min(_OF_ONE, limits.of_one))
        self._sessions: dict[asyncio.Task[None], str] = {}  # and the address of each
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to serve."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), sock=self._socket.dup())

    async def stop(self) -> None:
        """Take no more connections, and let mails in hand arrive."""
        if self._server is not None:
            self._server.close()
        end = asyncio.get_running_loop().time() + _GRACE
        while self._counters.in_flight and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.02)
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    def begin(self, wire: Wire) -> None:
        """Serve a connection that was made."""
        address = wire.address()
        if not self._places.take(address):
            self._counters.reject("too_many_connections")
            wire.close()
            return
        session = asyncio.get_running_loop().create_task(Session(wire, self._shared).serve())
        self._sessions[session] = address
        session.add_done_callback(self._ended)

    def _ended(self, session: asyncio.Task[None]) -> None:
        self._places.leave(self._sessions.pop(session))


class _Connection(Wire):
    """A wire that begins its session itself, once."""

    def __init__(self, listener: SmtpListener) -> None:
        super().__init__()
        self._listener: SmtpListener | None = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, but not again where TLS takes the connection over."""
        super().connection_made(transport)
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.begin(self)
