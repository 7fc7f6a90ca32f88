"""The lines of one SMTP connection, bounded in length and time, and TLS begun in the middle of it. A line ends with CRLF and
nothing else, so that no mail can hide another in it."""

from __future__ import annotations

import asyncio
import ssl

LINE = 64 * 1024  # bytes; RFC 5321 wants 1000 at least
_END = b"\r\n.\r\n"
_AHEAD = 256 * 1024  # bytes that may wait to be read


class Ended(Exception):
    """The connection is over: closed, broken, or too slow."""


class Wire(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._over = self._paused = False
        self._drained = asyncio.Event()
        self._drained.set()
        self.secure = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Also when TLS has begun."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Keep it, and stop reading when too much waits."""
        self._buffer += data
        if len(self._buffer) > _AHEAD and not self._paused and self._transport is not None:
            self._transport.pause_reading()
            self._paused = True
        self._wake()

    def eof_received(self) -> bool:
        """The other side says no more."""
        self._over = True
        self._wake()
        return False

    def connection_lost(self, _: Exception | None) -> None:
        """It is gone."""
        self._over = True
        self._drained.set()
        self._wake()

    def pause_writing(self) -> None:
        """The other side does not read."""
        self._drained.clear()

    def resume_writing(self) -> None:
        """It reads again."""
        self._drained.set()

    async def line(self, seconds: float) -> bytes:
        """The next line without its end. Raises Ended, and ValueError for one that is too long."""
        searched = 0
        while (at := self._buffer.find(b"\r\n", max(0, searched - 1))) < 0:
            searched = len(self._buffer)
            if searched > LINE:
                raise ValueError("a line is too long")
            if self._over:
                raise Ended
            await self._more(seconds)
        found = bytes(self._buffer[:at])
        del self._buffer[: at + 2]
        self._read_on()
        if len(found) > LINE:
            raise ValueError("a line is too long")
        return found

    async def mail(self, most: int, seconds: float) -> bytes | None:
        """What comes until a line that is a dot, without the dots that were put before others (RFC 5321, section
        4.5.2); None when it is larger than `most` bytes. Raises Ended, and ValueError when it is four times as large."""
        mail = bytearray(b"\r\n")
        dropped = searched = 0
        while True:
            mail += self._buffer
            self._buffer.clear()
            at = mail.find(_END, max(0, searched - len(_END)))
            if at >= 0:
                break
            if len(mail) > most:
                dropped += len(mail) - len(_END)
                del mail[: -len(_END)]
            if dropped > 4 * most:
                raise ValueError("the mail does not end")
            searched = len(mail)
            if self._over:
                raise Ended
            self._read_on()
            await self._more(seconds)
        self._buffer += mail[at + len(_END) :]
        self._read_on()
        if dropped or at > most:
            return None
        return bytes(mail[: at + 2].replace(b"\r\n..", b"\r\n.")[2:])

    async def say(self, text: str, seconds: float) -> None:
        """Send a line, or several. Raises Ended."""
        if self._transport is None or self._transport.is_closing():
            raise Ended
        self._transport.write(text.encode("ascii", "replace") + b"\r\n")
        try:
            async with asyncio.timeout(seconds):
                await self._drained.wait()
        except TimeoutError as error:
            raise Ended from error

    def has_more(self) -> bool:
        """Whether the other side has said something already that was not asked for."""
        return bool(self._buffer)

    async def begin_tls(self, context: ssl.SSLContext) -> None:
        """Raises Ended when it fails."""
        assert self._transport is not None
        loop = asyncio.get_running_loop()
        try:
            made = await loop.start_tls(
                self._transport, self, context, server_side=True, ssl_handshake_timeout=10
            )
        except (TimeoutError, OSError) as error:
            raise Ended from error
        if made is None:
            raise Ended
        self._transport, self.secure = made, True
        self._buffer.clear()

    def close(self) -> None:
        """Let go."""
        if self._transport is not None:
            self._transport.close()

    def address(self) -> str:
        """Where the other side is."""
        peer = self._transport.get_extra_info("peername") if self._transport is not None else None
        return str(peer[0]) if peer else ""

    def _read_on(self) -> None:
        if self._paused and len(self._buffer) < _AHEAD and self._transport is not None:
            self._transport.resume_reading()
            self._paused = False

    async def _more(self, seconds: float) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._waiter
        except TimeoutError as error:
            raise Ended from error
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
