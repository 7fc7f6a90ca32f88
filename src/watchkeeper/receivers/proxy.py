"""The way from the public socket to the web process: streams both ways and keeps nothing. What a client says about
itself in forwarding headers is thrown away, unless a proxy that is believed says it (forwarding.py). It decides
nothing; the web process knows who may do what.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict
from yarl import URL

from watchkeeper.model.errors import Malformed, TooLarge, WatchkeeperError
from watchkeeper.receivers.forwarding import Forwarding
from watchkeeper.receivers.intake import SERVER
from watchkeeper.receivers.limits import SMALL, Allowance, Limits, SlowClient

INNER_HEADER = "X-Watchkeeper-Inner"
_HOP = frozenset((
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
     "trailer", "transfer-encoding", "upgrade", "expect",
))  # fmt: skip
_FORWARDING = ("x-forwarded-", "forwarded", "x-real-ip", INNER_HEADER.lower())
_SAFE = ("GET", "HEAD")
_SESSION = "watchkeeper_session"  # how the name of its cookie begins
_log = logging.getLogger(__name__)


class WebAway(WatchkeeperError):
    """The web process does not answer: it starts, or was lost and is being replaced."""

    status = 503
    reason = "web_starting"
    retry_after = 2.0


class WebLost(WatchkeeperError):
    """The web process broke off before it answered; what it did is not known."""

    status = 502
    reason = "web_lost"


class WebSlow(WatchkeeperError):
    """The web process did not begin to answer in time."""

    status = 504
    reason = "web_slow"


class Proxy:
    """A pool of connections to the web process at `inner` (http://127.0.0.1:port), and whether it answers.

    `inner_secret` goes into every request, so that the web process knows that it came through here. The web process holds
    bodies in memory before it knows who sends them: `limits` bound what all together may have there, for how long one may
    come, and its size where nothing says who sends it. Times in seconds: `answer_time` from the last piece of the request
    to the response's headers; `pool_time`, how long an unused connection is kept, shorter than the web process keeps it
    (uvicorn: 5).
    """

    def __init__(
        self,
        inner: str,
        inner_secret: str,
        forwarding: Forwarding,
        limits: Limits,
        *,
        answer_time: float = 120.0,
        pool_time: float = 4.0,
        ping_path: str = "/-/web/ready",
        ping_every: float = 2.0,
    ) -> None:
        self.up = False
        self._inner = inner.rstrip("/")
        self._secret = inner_secret
        self._forwarding = forwarding
        self._limits, self._bodies = limits, Allowance(limits.in_hand)
        self._answer_time = answer_time
        self._pool_time = pool_time
        self._ping_path = ping_path
        self._ping_every = ping_every
        self._session: aiohttp.ClientSession | None = None
        self._watch: asyncio.Task[None] | None = None
        self._streams: set[asyncio.Task[Any]] = set()  # whose responses have no end of their own

    async def start(self) -> None:
        """Open the pool and begin to watch the web process."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=self._pool_time),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5.0),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        self._watch = asyncio.create_task(self._keep_watch(), name="watch the web process")

    def hang_up(self) -> None:
        """End the event streams, which else would keep the front from stopping. Browsers come back to them."""
        for stream in self._streams:
            stream.cancel()

    async def stop(self) -> None:
        """Close the pool."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        if self._session is not None:
            await self._session.close()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Hand one request on and its response back. Raises WebAway, WebLost, WebSlow, Malformed, TooLarge,
        SlowClient, Busy."""
        with self._bodies.lend(SMALL) as take:
            return await self._serve(request, take)

    async def _serve(self, request: web.BaseRequest, take: Callable[[int], None]) -> web.StreamResponse:
        assert self._session is not None, "start() comes first"
        if not self.up:
            raise WebAway("Watchkeeper's console and API are starting; try again in a few seconds")
        if not request.raw_path.startswith("/"):
            raise Malformed("the request's target is not a path", reason="bad_target")
        url = URL(self._inner + request.raw_path.partition("#")[0], encoded=True)
        headers = self._request_headers(request)
        upload = _Upload(request, take, self._limits, self._answer_time)
        upload.check(request.content_length or 0)
        try:
            async with asyncio.timeout(self._answer_time) as patience:
                body = upload.pieces(patience) if request.can_read_body else None
                answer = await self._session.request(
                    request.method, url, headers=headers, data=body, allow_redirects=False
                )
        except TimeoutError as error:
            if upload.began and not upload.whole:
                raise SlowClient("the body did not arrive in time") from error
            raise WebSlow(f"no answer within {self._answer_time:g} s") from error
        except aiohttp.ClientConnectorError as error:
            self.up = False
            raise WebAway("Watchkeeper's console and API are starting; try again in a few seconds") from error
        except aiohttp.ClientError as error:
            if upload.refused is not None:
                raise upload.refused from error
            if request.content.exception() is not None:
                raise Malformed("the body is not valid HTTP", reason="malformed_http") from error
            if request.method in _SAFE:
                raise WebAway("Watchkeeper's console and API were interrupted; try again") from error
            raise WebLost(
                f"the connection broke before there was an answer: {type(error).__name__}"
            ) from error
        async with answer:  # what was not read to its end is closed, so that the web process notices
            if answer.content_type != "text/event-stream":
                return await _download(request, answer)
            task = asyncio.current_task()
            assert task is not None
            self._streams.add(task)
            try:
                return await _download(request, answer)
            finally:
                self._streams.discard(task)

    def _request_headers(self, request: web.BaseRequest) -> CIMultiDict[str]:
        named = _connection_names(request.headers.getall(hdrs.CONNECTION, []))
        out: CIMultiDict[str] = CIMultiDict()
        for name, value in request.headers.items():
            low = name.lower()
            # WSGI and ASGI frameworks read `_` as `-`, so such a name could pass for one of ours
            if low in _HOP or low in named or "_" in low or low.startswith(_FORWARDING):
                continue
            out.add(name, value)
        out["X-Forwarded-For"] = self._forwarding.address(request)
        out["X-Forwarded-Proto"] = self._forwarding.scheme(request)
        out["X-Forwarded-Host"] = self._forwarding.host(request)
        out[INNER_HEADER] = self._secret
        return out

    async def _keep_watch(self) -> None:
        misses = 0
        while True:
            if await self._ping():
                misses, self.up = 0, True
            else:
                misses += 1
                # one late answer of a busy process is no outage
                self.up = self.up and misses < 2
            await asyncio.sleep(self._ping_every if self.up and not misses else min(0.3, self._ping_every))

    async def _ping(self) -> bool:
        assert self._session is not None
        try:
            async with self._session.get(
                self._inner + self._ping_path,
                headers={INNER_HEADER: self._secret, hdrs.HOST: "localhost"},
                timeout=aiohttp.ClientTimeout(total=1.5),
                allow_redirects=False,
            ) as answer:
                return answer.status < 500
        except (aiohttp.ClientError, TimeoutError):
            return False


def _connection_names(values: list[str]) -> frozenset[str]:
    return frozenset(name.strip().lower() for value in values for name in value.split(","))


class _Upload:
    """The body of a request on its way to the web process."""

    def __init__(
        self, request: web.BaseRequest, take: Callable[[int], None], limits: Limits, answer_time: float
    ) -> None:
        self._request, self._take, self._answer_time = request, take, answer_time
        self._time, self._most = limits.proxied_time, math.inf if _known(request) else limits.stranger
        self.began = self.whole = False
        self.refused: WatchkeeperError | None = None

    def check(self, size: int) -> None:
        """Raises TooLarge for a body of so many bytes."""
        if size > self._most:
            raise TooLarge(f"without a session or a token, a body may have {self._most} bytes")

    async def pieces(self, patience: asyncio.Timeout) -> AsyncIterator[bytes]:
        """Piece by piece; the time to answer begins anew with each. Raises TooLarge or Busy, and keeps them in `refused`."""
        loop, request, size = asyncio.get_running_loop(), self._request, 0
        self.began, last = True, loop.time() + self._time
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        async for piece in request.content.iter_any():
            patience.reschedule(min(loop.time() + self._answer_time, last))
            size += len(piece)
            try:
                self.check(size)
                self._take(len(piece))
            except WatchkeeperError as error:  # which the client library would hide
                self.refused = error
                raise
            yield piece
        self.whole = True
        patience.reschedule(loop.time() + self._answer_time)


def _known(request: web.BaseRequest) -> bool:
    """Whether it says who sends it; the web process finds out whether that is so."""
    cookies = request.headers.getall(hdrs.COOKIE, [])
    return hdrs.AUTHORIZATION in request.headers or any(_SESSION in c for c in cookies)


async def _download(request: web.BaseRequest, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """The response, each piece as it comes. Raises ConnectionError when the web process breaks off: the
    client then sees a broken response and no whole one."""
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=SERVER)
    named = _connection_names(answer.headers.getall(hdrs.CONNECTION, []))
    for name, value in answer.headers.items():
        low = name.lower()
        if low not in _HOP and low not in named and low not in ("server", "date"):
            response.headers.add(name, value)
    await response.prepare(request)
    try:
        async for piece in answer.content.iter_any():
            await response.write(piece)
    except aiohttp.ClientError as error:
        _log.warning("the web process broke off while answering %s", request.path)
        raise ConnectionResetError("the web process broke off") from error
    await response.write_eof()
    return response
