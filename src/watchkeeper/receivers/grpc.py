"""gRPC's unary calls, as a server over HTTP/2, with TLS or without: connections that may be idle, calls of bounded size
and time, answers with trailers. No streams of messages, and no knowledge of what is called: a Service brings that.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md; HTTP/2 itself is the library h2.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, cast

import h2.events as h2
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from multidict import CIMultiDict

from watchkeeper.model.errors import Malformed, TooLarge, WatchkeeperError
from watchkeeper.receivers import grpc_status
from watchkeeper.receivers.body import ENCODINGS
from watchkeeper.receivers.door_stats import DoorCounters
from watchkeeper.receivers.limits import Allowance, Busy, Limits, Places, SlowClient

Take = Callable[[bytes, str], Awaitable[bytes]]
"""(message as sent, its encoding) → the message that answers it. Raises WatchkeeperError."""
_WINDOW = 1024 * 1024  # bytes of a call that may be on their way to us
_CALLS = 100  # at once on one connection
_RESETS = 200  # calls given up, more than were answered, after which a connection is
_SPARE_FILES = 256  # descriptors that connections leave to the others
_PATIENCE = 5.0  # seconds that stopping waits for calls in hand
_PREFIX = 5  # bytes before a message: whether it is compressed, and its size
_HEAD = [(":status", "200"), ("content-type", "application/grpc")]
_CONFIG = H2Configuration(client_side=False, header_encoding="latin-1", validate_outbound_headers=False)
_log = logging.getLogger(__name__)


class InternalError(WatchkeeperError):
    """A fault of ours. Its traceback is in the log; the client is told no more than that."""


class Service(Protocol):
    """What can be called."""

    def open(self, path: str, headers: Mapping[str, str], address: str) -> Take:
        """What takes the message of this call. Raises WatchkeeperError: no such method, or not for this caller."""
        ...


@dataclass(eq=False, slots=True)
class _Call:
    stream: int
    encoding: str
    take: Take
    lent: ExitStack  # gives the bytes of the body back
    borrow: Callable[[int], None]
    late: asyncio.TimerHandle
    body: bytearray = field(default_factory=bytearray)
    task: asyncio.Task[bytes] | None = None

    def close(self) -> None:
        """Let go of everything."""
        self.late.cancel()
        self.lent.close()
        if self.task is not None:
            self.task.cancel()


class GrpcServer:
    """Serves on `bound`, which is listening already, by TLS with what is `shown`. `allowance` is what all bodies in hand
    share."""

    def __init__(
        self, bound: socket.socket, service: Service, *, limits: Limits, allowance: Allowance, counters: DoorCounters,
        shown: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self.service, self.limits, self.allowance, self.counters = service, limits, allowance, counters
        self.connections: set[_Connection] = set()
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.places = Places(max(16, min(limits.connections, files - _SPARE_FILES)), limits.of_one)
        self.closing = False
        self._bound, self._shown = bound, shown
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to accept connections."""
        loop = asyncio.get_running_loop()
        patience = self.limits.header_time if self._shown is not None else None
        self._server = await loop.create_server(
            lambda: _Connection(self),
            sock=self._bound,
            backlog=1024,
            ssl=self._shown,
            ssl_handshake_timeout=patience,
        )

    async def stop(self) -> None:
        """Accept no more, let calls in hand finish (at most 5 s), close."""
        if self._server is not None:
            self._server.close()
        self.closing = True
        tasks = [task for c in self.connections for task in c.tasks()]
        if tasks:
            await asyncio.wait(tasks, timeout=_PATIENCE)
            await asyncio.sleep(0)  # their answers are written when they are done
        for connection in list(self.connections):
            connection.leave()


class _Connection(asyncio.Protocol):
    """One client."""

    transport: asyncio.Transport

    def __init__(self, server: GrpcServer) -> None:
        self._server, self._limits, self._counters = server, server.limits, server.counters
        self._h2 = H2Connection(_CONFIG)
        self._calls: dict[int, _Call] = {}
        self._given_up = 0
        self._silent: asyncio.TimerHandle | None = None
        self._handlers: dict[type[h2.Event], Callable[[Any], None]] = {
            h2.RemoteSettingsChanged: self._greeted,
            h2.RequestReceived: self._requested,
            h2.DataReceived: self._data,
            h2.StreamEnded: self._ended,
            h2.StreamReset: self._reset,
            h2.ConnectionTerminated: lambda _: self.transport.close(),
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or turn away when there are too many."""
        self.transport = cast(asyncio.Transport, transport)
        peer = self.transport.get_extra_info("peername")
        self._address = peer[0] if peer else ""
        if not self._server.places.take(self._address):
            self._give_up("too_many_connections")
            return
        self._server.connections.add(self)
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._h2.initiate_connection()
        self._h2.update_settings(
            {SettingCodes.MAX_CONCURRENT_STREAMS: _CALLS, SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW}
        )
        self._h2.increment_flow_control_window(4 * _WINDOW)
        self._flush()
        loop = asyncio.get_running_loop()
        self._silent = loop.call_later(self._limits.header_time, self._give_up, "slow_client")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Forget all of it. What is on its way to the disk goes there all the same."""
        if self in self._server.connections:
            self._server.connections.remove(self)
            self._server.places.leave(self._address)
        self._greeted()
        for call in list(self._calls.values()):
            self._drop(call)

    def data_received(self, data: bytes) -> None:
        """Take in frames."""
        try:
            events = self._h2.receive_data(data)
        except ProtocolError:
            self._counters.reject("malformed_http")
            self._flush()  # h2 has said why
            self.transport.close()
            return
        for event in events:
            handle = self._handlers.get(type(event))
            if handle is not None and not self.transport.is_closing():
                handle(event)
        self._flush()

    def pause_writing(self) -> None:
        """The client reads no answers: then its frames are not read either."""
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self.transport.resume_reading()

    def tasks(self) -> list[asyncio.Task[bytes]]:
        """The calls that are being worked on."""
        return [call.task for call in self._calls.values() if call.task is not None]

    def leave(self) -> None:
        """Say goodbye and close. HTTP/2 lets nothing be said after it."""
        if not self.transport.is_closing():
            self._h2.close_connection()
            self._flush()
            self.transport.close()

    # --- what the client does ---------------------------------------------------------------------
    def _greeted(self, event: h2.Event | None = None) -> None:  # noqa: ARG002
        if self._silent is not None:
            self._silent.cancel()

    def _requested(self, event: h2.RequestReceived) -> None:
        headers: CIMultiDict[str] = CIMultiDict(cast(list[tuple[str, str]], event.headers))
        stream = event.stream_id
        grpc = headers.get("content-type", "").startswith("application/grpc")
        if headers.get(":method") != "POST" or not grpc:
            self._counters.reject("unsupported_media")
            if self._open(stream):
                self._h2.send_headers(stream, [(":status", "415")], end_stream=True)
            return
        encoding = headers.get("grpc-encoding", "identity")
        try:
            if self._server.closing:
                raise Busy("this server is being stopped; try again")
            if encoding not in ENCODINGS:
                raise grpc_status.Unimplemented(f"grpc-encoding {encoding[:60]!r} is not taken here")
            take = self._server.service.open(headers.get(":path", ""), headers, self._address)
        except WatchkeeperError as error:
            self._refuse(stream, error)
            return
        lent = ExitStack()
        borrow = lent.enter_context(self._server.allowance.lend())
        late = asyncio.get_running_loop().call_later(self._limits.body_time, self._late, stream)
        self._calls[stream] = _Call(stream, encoding, take, lent, borrow, late)

    def _data(self, event: h2.DataReceived) -> None:
        if event.flow_controlled_length:
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        call = self._calls.get(event.stream_id)
        if call is None or not event.data:
            return
        try:
            if len(call.body) + len(event.data) > self._limits.body + _PREFIX:
                raise TooLarge(f"the message has more than {self._limits.body} bytes")
            call.borrow(len(event.data))
        except WatchkeeperError as error:
            self._refuse(call.stream, error)
        else:
            call.body += event.data

    def _ended(self, event: h2.StreamEnded) -> None:
        call = self._calls.get(event.stream_id)
        if call is None:
            return
        call.late.cancel()
        self._counters.in_flight += 1
        call.task = asyncio.get_running_loop().create_task(_work(call))
        call.task.add_done_callback(partial(self._done, call))

    def _reset(self, event: h2.StreamReset) -> None:
        if (call := self._calls.get(event.stream_id)) is not None:
            self._drop(call)
        self._given_up += 1
        if self._given_up > _RESETS:
            self._h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
            self._flush()
            self._give_up("too_many_resets")

    # --- what we do -------------------------------------------------------------------------------
    def _late(self, stream: int) -> None:
        self._refuse(stream, SlowClient(f"the message did not arrive in {self._limits.body_time:g} s"))
        self._flush()

    def _done(self, call: _Call, task: asyncio.Task[bytes]) -> None:
        """Answer, unless the client has gone."""
        self._counters.in_flight -= 1
        failed = None if task.cancelled() else task.exception()
        if self._calls.get(call.stream) is not call or self.transport.is_closing():
            return
        if isinstance(failed, WatchkeeperError):
            self._refuse(call.stream, failed)
        elif failed is not None:
            _log.error("a call failed", exc_info=failed)
            self._refuse(call.stream, InternalError("an error of ours; the server's log says which"))
        else:
            self._answer(call, task.result())
        self._flush()

    def _answer(self, call: _Call, message: bytes) -> None:
        self._drop(call)
        if not self._open(call.stream):
            return
        self._given_up = max(0, self._given_up - 1)
        data = b"\0" + len(message).to_bytes(4) + message
        size = self._h2.max_outbound_frame_size
        if len(data) > self._h2.local_flow_control_window(call.stream):  # of a client that wants no answer
            self._h2.reset_stream(call.stream, ErrorCodes.FLOW_CONTROL_ERROR)
            return
        self._h2.send_headers(call.stream, _HEAD)
        for at in range(0, len(data), size):
            self._h2.send_data(call.stream, data[at : at + size])
        self._h2.send_headers(call.stream, [("grpc-status", "0")], end_stream=True)

    def _refuse(self, stream: int, error: WatchkeeperError) -> None:
        """Answer with an error, also in the middle of a message."""
        if (call := self._calls.get(stream)) is not None:
            self._drop(call)
        self._counters.reject(error.reason)
        if self._open(stream):
            self._h2.send_headers(stream, _HEAD + grpc_status.trailers(error), end_stream=True)
        if self._open(stream):
            self._h2.reset_stream(stream, ErrorCodes.NO_ERROR)  # the rest of the message need not be sent

    def _open(self, stream: int) -> bool:
        """Whether something may still be said on a stream."""
        known = self._h2.streams.get(stream)
        return known is not None and not known.closed

    def _drop(self, call: _Call) -> None:
        call.close()
        self._calls.pop(call.stream, None)

    def _give_up(self, reason: str) -> None:
        self._counters.reject(reason)
        self.transport.abort()

    def _flush(self) -> None:
        if data := self._h2.data_to_send():
            self.transport.write(data)


async def _work(call: _Call) -> bytes:
    message, compressed = _unframed(bytes(call.body))
    return await call.take(message, call.encoding if compressed else "identity")


def _unframed(body: bytes) -> tuple[bytes, bool]:
    """The one message of a body, and whether it is compressed. Raises Malformed."""
    size = int.from_bytes(body[1:_PREFIX])
    if len(body) < _PREFIX or body[0] > 1 or len(body) != _PREFIX + size:
        raise Malformed("not one gRPC message")
    return body[_PREFIX:], body[0] == 1
