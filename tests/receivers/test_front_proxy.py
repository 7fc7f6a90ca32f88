"""What goes through the front to the web process: a real uvicorn behind it, streams, headers, its absence."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import json
import os
import select
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.receivers.front_harness import INNER, InnerWeb, RunningFront, call, exchange
from tests.support import eventually
from watchkeeper.receivers.limits import Limits

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
BIG = 40 * 2**20
seen: dict[str, Any] = {"left": threading.Event()}


async def application(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """What the web process does, in little: echo, streams, cookies, redirects."""
    path = scope["path"]
    headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json")]
    status, body = 200, b""
    if path == "/events":
        await events(receive, send)
        return
    if path == "/upload":
        digest, size = hashlib.sha256(), 0
        while True:
            message = await receive()
            digest.update(message.get("body", b""))
            size += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        body = json.dumps([size, digest.hexdigest()]).encode()
    elif path == "/download":
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for _ in range(BIG // 65536):
            await send({"type": "http.response.body", "body": b"d" * 65536, "more_body": True})
        await send({"type": "http.response.body"})
        return
    elif path == "/cookies":
        headers += [(b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2"), (b"location", b"/elsewhere")]
        status = 302
    elif path == "/gzip":
        headers += [(b"content-encoding", b"gzip"), (b"connection", b"x-secret"), (b"x-secret", b"1")]
        body = b"\x1f\x8bnot unpacked on the way"
    elif path == "/unchanged":
        status, headers = 304, [(b"etag", b'"1"')]
    elif path == "/slow":
        await asyncio.sleep(0.3)
    else:
        given = [[k.decode("latin-1"), v.decode("latin-1")] for k, v in scope["headers"]]
        body = json.dumps({
            "method": scope["method"], "raw": scope["raw_path"].decode(), "headers": given,
            "query": scope["query_string"].decode(),
        }).encode()  # fmt: skip
    if status != 304:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def events(receive: Receive, send: Send) -> None:
    """An event every 50 ms until the client goes."""
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    gone = asyncio.create_task(receive_disconnect(receive))
    number = 0
    while not gone.done():
        await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
        number += 1
        await asyncio.wait([gone], timeout=0.05)
    seen["left"].set()


async def receive_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@pytest.fixture(scope="module")
def inner() -> Iterator[InnerWeb]:
    web = InnerWeb(application)
    web.start()
    yield web
    web.close()


@pytest.fixture(scope="module")
def front(inner: InnerWeb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFront]:
    running = RunningFront(tmp_path_factory.mktemp("proxy"), inner.url)
    eventually(lambda: running.call("GET", "/readyz", key=None).status == 200)
    yield running
    running.stop()


def echoed(
    front: RunningFront, path: str = "/echo", headers: dict[str, str] | None = None
) -> dict[str, list[str]]:
    reply = front.call("GET", path, None, headers, key=None)
    assert reply.status == 200, reply
    out: dict[str, list[str]] = {}
    for name, value in reply.json()["headers"]:
        out.setdefault(name, []).append(value)
    return out


def test_what_a_client_says_of_itself_is_replaced(front: RunningFront) -> None:
    got = echoed(front, headers={
        "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil",
        "Forwarded": "for=6",
        "X-Forwarded-Prefix": "/evil", "X-Real-IP": "6.6.6.6", "X-Watchkeeper-Inner": "guess",
        "X_Watchkeeper_Inner": "guess", "X_Forwarded_For": "6.6.6.6", "x-watchkeeper-INNER-more": "x",
        "Host": "console.example:8080", "Cookie": "s=1", "X-Ok": "kept",
    })  # fmt: skip
    assert got["x-forwarded-for"] == ["127.0.0.1"]
    assert got["x-forwarded-proto"] == ["http"]
    assert got["x-forwarded-host"] == got["host"] == ["console.example:8080"]
    assert got["x-watchkeeper-inner"] == [INNER]
    assert got["x-ok"] == ["kept"] and got["cookie"] == ["s=1"]
    assert not {n for n in got if "_" in n} | {"forwarded", "x-real-ip", "x-forwarded-prefix"} & set(got)
    assert "6.6.6.6" not in str(got)


def test_hop_by_hop_headers_end_here(front: RunningFront) -> None:
    got = echoed(front, headers={
        "Connection": "keep-alive, X-Mine", "X-Mine": "1", "Keep-Alive": "5", "TE": "trailers",
        "Upgrade": "websocket", "Proxy-Authorization": "Basic eA==",
    })  # fmt: skip
    assert not {"x-mine", "keep-alive", "te", "upgrade", "proxy-authorization"} & set(got)
    reply = front.call("GET", "/gzip")
    assert reply.body == b"\x1f\x8bnot unpacked on the way"
    assert reply.headers["Content-Encoding"] == "gzip" and "x-secret" not in reply.headers


def test_paths_methods_and_queries_arrive_as_sent(front: RunningFront) -> None:
    path = "/a%2Fb//c/%C3%A9;x=1/..%2e?q=a+b%20c&q=%26&e="
    got = front.call("GET", path).json()
    assert (got["raw"], got["query"]) == ("/a%2Fb//c/%C3%A9;x=1/..%2e", "q=a+b%20c&q=%26&e=")
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "POST"):
        assert front.call(method, "/echo", b"x" if method != "OPTIONS" else None).json()["method"] == method
    assert front.call("GET", "/api/v2/alerts").json()["raw"] == "/api/v2/alerts"
    assert front.call("POST", "/api/v2/silences", b"{}").json()["raw"] == "/api/v2/silences"


def test_answers_arrive_as_given(front: RunningFront) -> None:
    reply = front.call("GET", "/cookies")
    assert reply.status == 302 and reply.headers["Location"] == "/elsewhere"
    assert reply.headers.get_all("Set-Cookie") == ["a=1; Path=/", "b=2"]
    assert len(reply.headers.get_all("Date") or []) == 1
    assert reply.headers.get_all("Server") == ["Watchkeeper"]
    head = front.call("HEAD", "/echo")
    assert head.status == 200 and head.body == b"" and int(head.headers["Content-Length"]) > 50
    unchanged = front.call("GET", "/unchanged")
    assert unchanged.status == 304 and unchanged.headers["ETag"] == '"1"'


def test_large_bodies_stream_both_ways(front: RunningFront) -> None:
    piece = os.urandom(2**20)
    digest = hashlib.sha256(piece * 40).hexdigest()
    chunked = front.call("POST", "/upload", iter([piece] * 40))
    assert chunked.json() == [BIG, digest]
    sized = front.call(
        "POST", "/upload", iter([piece] * 40), {"Content-Length": str(BIG), "Expect": "100-continue"}
    )
    assert sized.json() == [BIG, digest]
    assert len(front.call("GET", "/download").body) == BIG


def test_bodies_on_their_way_have_a_bound_together(inner: InnerWeb, tmp_path: Path) -> None:
    """The web process holds them in memory before it knows who sends them."""
    front = RunningFront(tmp_path, inner.url, limits=Limits(in_hand=4 * 2**20))
    eventually(lambda: front.call("GET", "/readyz", key=None).status == 200)
    head = b"POST /upload HTTP/1.1\r\nHost: x\r\nAuthorization: x\r\nContent-Length: 3000000\r\n\r\n"
    held = [socket.create_connection(("127.0.0.1", front.port), timeout=20) for _ in range(3)]
    for s in held[:2]:
        s.sendall(head + b"x" * 1_900_000)  # and nothing more
    held[2].sendall(head + b"x" * 2_000_000)
    assert any(s.recv(200).startswith(b"HTTP/1.1 503") for s in select.select(held, [], [], 20)[0])
    assert front.call("POST", "/upload", b"x" * 50_000).json()[0] == 50_000, "what is small is let in"
    for s in held:
        s.close()
    eventually(lambda: front.call("POST", "/upload", b"x" * 3_000_000).status == 200)
    front.stop()


def test_strangers_may_send_forms_and_no_more(front: RunningFront) -> None:
    """A hundred of them that send, and then wait, are told so at once; an answer of an identity provider fits."""
    head = b"POST /upload HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n"
    with contextlib.ExitStack() as kept:
        held = [
            kept.enter_context(socket.create_connection(("127.0.0.1", front.port), timeout=5))
            for _ in range(100)
        ]
        for number, s in enumerate(held):
            s.sendall(head % (b"Content-Length: 16000000" if number % 2 else b"Transfer-Encoding: chunked"))
            if not number % 2:
                s.sendall(b"200000\r\n" + b"x" * 2**21)
        assert {s.recv(12) for s in held} == {b"HTTP/1.1 413"}
    form = b"x" * 900_000
    assert front.call("POST", "/upload", form, key=None).json()[0] == len(form)
    for given in ({"Cookie": f"a=b; {settings.SESSION_COOKIE_NAME}=x"}, {"Authorization": "Bearer x"}):
        assert front.call("POST", "/upload", form * 2, given, key=None).json()[0] == 2 * len(form)


def test_a_body_that_never_ends_has_a_time(inner: InnerWeb, tmp_path: Path) -> None:
    """However often a piece of it comes."""
    front = RunningFront(tmp_path, inner.url, limits=Limits(proxied_time=1.0))
    eventually(lambda: front.call("GET", "/readyz", key=None).status == 200)
    with socket.create_connection(("127.0.0.1", front.port), timeout=0.1) as s:
        s.sendall(b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n")
        got, end = b"", time.monotonic() + 20
        while not got and time.monotonic() < end:
            s.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                got = s.recv(12)
    assert got == b"HTTP/1.1 408"
    front.stop()


def test_events_are_not_held_back_and_end_with_the_client(front: RunningFront) -> None:
    seen["left"].clear()
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=5)
    connection.request("GET", "/events")
    response = connection.getresponse()
    assert response.headers["Content-Type"] == "text/event-stream"
    assert [response.readline() for _ in range(6)] == [
        b"data: 0\n",
        b"\n",
        b"data: 1\n",
        b"\n",
        b"data: 2\n",
        b"\n",
    ]
    response.close()
    connection.close()
    assert seen["left"].wait(5), "the web process learns that the client has gone"


def test_an_open_event_stream_does_not_keep_the_front_from_stopping(inner: InnerWeb, tmp_path: Path) -> None:
    front = RunningFront(tmp_path, inner.url)
    eventually(lambda: front.call("GET", "/readyz", key=None).status == 200)
    with socket.create_connection(("127.0.0.1", front.port), timeout=20) as s:
        s.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b""
        while b"data: 1" not in got:
            got += s.recv(4096)
        front.stop()
        while s.recv(4096):
            pass


def test_targets_that_are_no_path(front: RunningFront) -> None:
    for target in (b"http://evil.example/x", b"*"):
        answer = exchange(front.port, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400")), answer
    answer = exchange(front.port, b"CONNECT evil:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_bad_chunks_through_the_proxy(front: RunningFront) -> None:
    head = b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert exchange(front.port, head + b"2\r\nab\r\nzz\r\n").startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))


def test_many_at_once(front: RunningFront) -> None:
    results: list[int] = []

    def ask() -> None:
        results.append(call(front.port, "GET", "/slow").status)

    threads = [threading.Thread(target=ask) for _ in range(40)]
    began = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [200] * 40
    assert time.monotonic() - began < 8, "one after the other would take 12 s"


def test_while_the_web_process_is_away(inner: InnerWeb, front: RunningFront) -> None:
    inner.stop()
    away = eventually(lambda: (r := front.call("GET", "/readyz", key=None)).status == 503 and r)
    assert away.json() == {"status": "unavailable", "journal": "ok", "web": "does not answer (yet)"}
    assert front.call("GET", "/healthz", key=None).json() == {"status": "ok", "journal": "ok"}
    page = front.call("GET", "/", key=None)
    assert page.status == 503 and page.headers["Retry-After"] == "2"
    assert b"Starting" in page.body and b'http-equiv="refresh"' in page.body
    assert (
        front.call("GET", "/situations/", None, {"Accept": "text/html,*/*"})
        .headers["Content-Type"]
        .startswith("text/html")
    )
    api = front.call("GET", "/api/items/")
    assert (api.status, api.headers["Content-Type"]) == (503, "application/problem+json")
    assert api.json()["reason"] == "web_starting" and api.headers["Retry-After"] == "2"
    assert front.call("POST", "/api/v2/alerts", b"[]", {"Content-Type": "application/json"}).status == 200
    inner.start()
    assert eventually(lambda: front.call("GET", "/readyz", key=None).status == 200)
    assert front.call("GET", "/echo").status == 200


def test_a_web_process_that_breaks_off(tmp_path: Path) -> None:
    """A server that answers its health, and closes every other connection in the middle."""
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                s, _ = listening.accept()
            except OSError:
                return
            with s:
                asked = s.recv(65536)
                if b"/-/web/ready" in asked:
                    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                elif b"/half" in asked:
                    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    thread = threading.Thread(target=serve)
    thread.start()
    front = RunningFront(tmp_path, f"http://127.0.0.1:{listening.getsockname()[1]}")
    try:
        eventually(lambda: front.call("GET", "/readyz").status == 200)
        assert front.call("POST", "/act", b"x").status == 502
        assert front.call("GET", "/page").status == 503
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            front.call("GET", "/half")
    finally:
        front.stop()
        stop.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)
