"""Django for uvicorn: views run in a pool of threads that keep their database connections, static files are
served before Django is asked, and the front is believed about the client when it proves to be the front.

Django's own handler makes a thread, and so a database connection, for every request.
"""

from __future__ import annotations

import asyncio
import contextvars
import hmac
import io
import os
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchkeeper.app.settings")
django.setup()

from django.conf import settings  # noqa: E402  (after setup)
from django.core import signals  # noqa: E402
from django.core.exceptions import RequestAborted  # noqa: E402
from django.core.handlers.asgi import ASGIHandler, ASGIRequest  # noqa: E402
from django.core.handlers.base import BaseHandler  # noqa: E402
from django.db import connections  # noqa: E402
from django.http import HttpResponseBase, StreamingHttpResponse  # noqa: E402
from whitenoise.base import WhiteNoise  # noqa: E402

from watchkeeper.kernel.problems import answer  # noqa: E402
from watchkeeper.model.errors import TooLarge  # noqa: E402
from watchkeeper.receivers.limits import MIB, SMALL, Allowance, Busy  # noqa: E402

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

THREADS = 12
IN_HAND = 128 * MIB  # bodies in memory, all together
_SECRET = "WATCHKEEPER_INNER_SECRET"
_INNER = b"x-watchkeeper-inner"
_FORWARDED = {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", _INNER}


class Pooled(ASGIHandler):
    """Django's handler with its middleware and views in our threads. A streaming answer's iterator runs in
    the event loop, so that a thousand open streams hold no thread."""

    def __init__(self, threads: int = THREADS) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._threads, self._bodies = threads, Allowance(IN_HAND)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="view")

    def close(self) -> None:
        """End the threads, and the connections they kept."""
        everybody = threading.Barrier(self._threads)

        def leave() -> None:
            everybody.wait(5)
            connections.close_all()

        for _ in range(self._threads):
            self._pool.submit(leave)
        self._pool.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self.handle(scope, receive, send)

    async def _in_thread(self, function: Callable[[], Any]) -> Any:
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, context.run, function)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As Django's, without its signals in the event loop: they look after a thread's connections. A body counts until
        it is closed: whoever sent it may have gone long before its view begins."""
        with self._bodies.lend(SMALL) as take:
            await self._handle(scope, receive, send, take)

    async def _handle(self, scope: Scope, receive: Receive, send: Send, take: Callable[[int], None]) -> None:
        try:
            body = await self.read_body(receive, take)
        except RequestAborted:
            return
        except (TooLarge, Busy) as error:
            refused = answer(error.status, error.reason, error.detail)
            if isinstance(error, Busy):
                refused.headers["Retry-After"] = str(round(error.retry_after))
            await self.send_response(refused, send)
            return
        try:
            request, response = self.create_request(scope, body)
            if request is not None:
                response = await self._in_thread(lambda: self._respond(request, scope))
            await self._answer(response, receive, send)
        finally:
            body.close()

    async def read_body(self, receive: Receive, take: Callable[[int], None] = lambda _: None) -> IO[bytes]:
        """The whole body, in memory; `take` is told of every piece. Raises TooLarge, RequestAborted, or what that does."""
        body, most = io.BytesIO(), settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            piece = message.get("body", b"")
            take(len(piece))
            body.write(piece)
            if body.tell() > most:
                raise TooLarge(f"the body is larger than {most} bytes")
            more = message.get("more_body", False)
        body.seek(0)
        return body

    def _respond(self, request: ASGIRequest, scope: Scope) -> HttpResponseBase:
        signals.request_started.send(sender=type(self), scope=scope)
        try:
            response = self.get_response(request)
            if isinstance(response, StreamingHttpResponse) and not response.is_async:
                # A file, or a generator of ours: read here, where it may block, and not in the event loop.
                response.streaming_content = list(response.streaming_content)
            return response
        finally:
            signals.request_finished.send(sender=type(self))

    async def _answer(self, response: HttpResponseBase, receive: Receive, send: Send) -> None:
        """Send it; stop a stream when its reader has gone."""
        sending = asyncio.ensure_future(self.send_response(response, send))
        if response.streaming:
            gone = asyncio.ensure_future(_gone(receive))
            await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
            for task in (sending, gone):
                if not task.done():
                    task.cancel()
        try:
            await sending
        except asyncio.CancelledError:
            if not sending.cancelled():
                raise
        finally:
            # request_finished has been sent in the thread; closing sends it again, where there is no connection.
            for close in response._resource_closers:  # type: ignore[attr-defined]
                close()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def from_front(app: App, secret: str) -> App:
    """Believe the forwarding headers of a request that carries the front's secret; drop them from any other."""
    expected = secret.encode()

    async def trusted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is served here, not {scope['type']}")
        said = {k: v for k, v in scope["headers"] if k in _FORWARDED}
        headers = [(k, v) for k, v in scope["headers"] if k not in _FORWARDED]
        scope = {**scope, "headers": headers}
        if expected and hmac.compare_digest(said.get(_INNER, b""), expected):
            if client := said.get(b"x-forwarded-for"):
                scope["client"] = (client.decode("latin-1").split(",")[-1].strip(), 0)
            if said.get(b"x-forwarded-proto") in (b"http", b"https"):
                scope["scheme"] = said[b"x-forwarded-proto"].decode()
            if host := said.get(b"x-forwarded-host"):
                scope["headers"] = [(k, v) for k, v in headers if k != b"host"] + [(b"host", host)]
        await app(scope, receive, send)

    return trusted


def with_static(app: App, root: str, prefix: str) -> App:
    """Serve what lies under `root`, which never changes while we run; the rest is the application's."""
    files = WhiteNoise(application=None, max_age=3600, allow_all_origins=False,
                       immutable_file_test=lambda _, url: "/dist/assets/" in url)  # fmt: skip
    files.add_files(root, prefix=prefix)

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        found = files.files.get(scope["path"])
        if found is None:
            await app(scope, receive, send)
            return
        asked = {
            f"HTTP_{k.decode().upper().replace('-', '_')}": v.decode("latin-1") for k, v in scope["headers"]
        }
        response = found.get_response(scope["method"], asked)
        body = b""
        if response.file is not None:
            with response.file:
                body = await asyncio.to_thread(response.file.read)
        headers = [(k.lower().encode(), v.encode("latin-1")) for k, v in response.headers]
        headers.append((b"x-content-type-options", b"nosniff"))
        await send({"type": "http.response.start", "status": int(response.status), "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return served


def assemble(secret: str) -> tuple[App, Pooled]:
    """The whole application behind a front with this secret, and its pool, to be closed at the end."""
    pooled = Pooled()
    return from_front(with_static(pooled, settings.STATIC_ROOT, settings.STATIC_URL), secret), pooled


application = assemble(os.environ.get(_SECRET, ""))[0]
