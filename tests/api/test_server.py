"""The server around Django: whom it believes about the client, static files, streams, and kept connections."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import http.client
import select
import socket
import struct
import termios
import threading
import types
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from tests.api.platform_parts import Web, served
from tests.support import eventually
from watchkeeper.kernel.models import AuditEntry

SECRET = "known-to-the-processes-of-one-start"


def _ask(url: str, path: str, **headers: str) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        answer.body = answer.read()  # type: ignore[attr-defined]
        return answer
    finally:
        connection.close()


@pytest.fixture
def behind_front(transactional_db: None) -> Iterator[str]:  # noqa: ARG001
    """A server that knows the front's secret."""
    with served(SECRET) as url:
        yield url


def _root() -> str:
    from watchkeeper.domains import identity

    return "Bearer " + identity.create_token("root")


def test_only_the_front_is_believed(behind_front: str) -> None:
    """Its word on address, scheme and host counts; anybody else's is thrown away."""
    said = {
        "X_Forwarded_For": "192.0.2.7",
        "X_Forwarded_Proto": "https",
        "X_Forwarded_Host": "localhost:9999",
    }
    root = _root()
    honest = _ask(behind_front, "/api/", Authorization=root, X_Watchkeeper_Inner=SECRET, **said)
    assert b'"alerts":"https://localhost:9999/api/alerts/"' in honest.body  # type: ignore[attr-defined]
    for wrong in ("", SECRET + "x", SECRET[:-1]):
        liar = _ask(behind_front, "/api/", Authorization=root, X_Watchkeeper_Inner=wrong, **said)
        assert b"https" not in liar.body  # type: ignore[attr-defined]
        assert b"9999" not in liar.body  # type: ignore[attr-defined]

    from watchkeeper.domains.identity.models import FailedSignIn

    parts = urlsplit(behind_front)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    body = '{"name": "x", "kind": "host"}'
    for secret, address in ((SECRET, "192.0.2.7"), ("wrong", "127.0.0.1")):
        headers = {"Authorization": root, "X-Watchkeeper-Inner": secret, "X-Forwarded-For": "192.0.2.7",
                   "Content-Type": "application/json"}  # fmt: skip
        connection.request("POST", "/api/items/", body, headers)
        assert connection.getresponse().read()
        assert AuditEntry.objects.first().address == address  # type: ignore[union-attr]
    connection.close()
    assert not FailedSignIn.objects.exists()


def test_a_host_that_is_not_ours_is_refused(behind_front: str) -> None:
    """Nobody points a name at us and reads what the browser gets."""
    assert _ask(behind_front, "/api/", Host="evil.example").status == 400
    assert _ask(behind_front, "/-/web/ready").status == 200


def test_a_body_without_end_is_refused(behind_front: str) -> None:
    """413, or an end of the connection where the answer comes while we still send; and not a full disk."""
    parts = urlsplit(behind_front)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    body = (b"x" * 2**20 for _ in range(20))
    status = 413
    with contextlib.suppress(ConnectionError):
        connection.request(
            "POST", "/api/items/", body, {"Content-Type": "application/json"}, encode_chunked=True
        )
        status = connection.getresponse().status
    assert status == 413
    connection.close()


def _wait_for(go_on: threading.Event) -> types.ModuleType:
    """Addresses of one page, which is not done before `go_on`."""

    @csrf_exempt
    def slow(_: HttpRequest) -> HttpResponse:
        go_on.wait(60)
        return HttpResponse()

    made = types.ModuleType("slow_pages")
    made.urlpatterns = [path("slow/", slow)]  # type: ignore[attr-defined]
    return made


def test_bodies_in_memory_have_a_bound_together(behind_front: str, settings: Any) -> None:
    """Those that still come, and those of whom has gone while the request waits; the small ones are let in."""
    parts, size, go_on = urlsplit(behind_front), 15 * 2**20, threading.Event()
    head = b"POST /slow/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
    settings.ROOT_URLCONF = _wait_for(go_on)

    def post(length: int, sent: int) -> socket.socket:
        made = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20)
        kept.callback(made.close)
        made.sendall(head % length + b"x" * sent)
        return made

    with contextlib.ExitStack() as kept:
        kept.callback(go_on.set)
        for _ in range(5):
            gone = post(size, size)
            eventually(lambda s=gone: _unsent(s) == 0)
            gone.close()
        held = [post(size, size - 1) for _ in range(10)]
        refused = [s for s in held if select.select([s], [], [], 2)[0]]
        assert {s.recv(12) for s in refused} == {b"HTTP/1.1 503"}
        assert (5 + len(held) - len(refused)) * size <= 128 * 2**20
        small = post(1000, 1000)
        go_on.set()
        assert small.recv(12) == b"HTTP/1.1 200"
        for s in held:
            s.close()
        eventually(lambda: post(size, size).recv(12) == b"HTTP/1.1 200")


def _unsent(s: socket.socket) -> int:
    """Bytes that the other side has not received."""
    return int(struct.unpack("I", fcntl.ioctl(s, termios.TIOCOUTQ, b"\0" * 4))[0])


def test_headers_that_keep_browsers_safe(behind_front: str) -> None:
    """On pages and answers alike; a request id comes back."""
    answer = _ask(behind_front, "/api/", X_Request_Id="0123456789abcdef")
    assert answer.headers["X-Request-Id"] == "0123456789abcdef"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert _ask(behind_front, "/api/", X_Request_Id="a\tb" * 99).headers["X-Request-Id"] != "a\tb" * 99


def test_static_files_are_ours_alone(tmp_path: Any) -> None:
    """With a type, by name, and nothing outside the folder."""
    from watchkeeper.app.asgi import with_static

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "app.js").write_text("1")
    (tmp_path / "secret").write_text("2")

    async def nothing(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
        await send({"type": "http.response.start", "status": 404, "headers": []})

    app = with_static(nothing, str(tmp_path / "in"), "/static/")

    def get(path: str) -> tuple[int, dict[bytes, bytes]]:
        said: list[Any] = []

        async def send(message: Any) -> None:
            said.append(message)

        asyncio.run(app({"type": "http", "method": "GET", "path": path, "headers": []}, None, send))  # type: ignore[arg-type]
        return said[0]["status"], dict(said[0]["headers"])

    status, headers = get("/static/app.js")
    assert (status, headers[b"content-type"].split(b";")[0]) == (200, b"text/javascript")
    assert get("/static/../secret")[0] == get("/static/%2e%2e/secret")[0] == 404


def test_views_keep_their_connections(behind_front: str) -> None:
    """Forty requests at once make no more database connections than there are threads, and all are answered."""
    from django.db.backends.signals import connection_created

    from watchkeeper.app.asgi import THREADS

    made: list[int] = []

    def note(**_: Any) -> None:
        made.append(threading.get_ident())

    root = _root()
    connection_created.connect(note)
    try:
        with ThreadPoolExecutor(20) as pool:
            answers = list(
                pool.map(lambda _: _ask(behind_front, "/api/items/", Authorization=root).status, range(60))
            )
    finally:
        connection_created.disconnect(note)
    assert set(answers) == {200}
    assert len(made) <= THREADS


def test_a_stream_ends_when_its_reader_goes(web_alone: Web) -> None:
    """Server-sent events hold no thread, and stop when nobody reads."""
    from watchkeeper.console.views.live import watcher
    from watchkeeper.domains.identity.models import User

    User.objects.create_user("ann", "correct horse battery")
    from django.test import Client

    browser = Client()
    browser.force_login(User.objects.get())
    cookie = "; ".join(f"{k}={v.value}" for k, v in browser.cookies.items())
    parts = urlsplit(web_alone.url)
    readers = []
    for _ in range(30):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        connection.request("GET", "/live/", headers={"Cookie": cookie})
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.readline().startswith(b"retry")
        readers.append((connection, answer))
    assert web_alone.call("GET", "/api/items/").status == 200
    assert len(watcher._listeners) == 30
    for connection, answer in readers:
        answer.close()
        connection.close()
    eventually(lambda: not watcher._listeners)
