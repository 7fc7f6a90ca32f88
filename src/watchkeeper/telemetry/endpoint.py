"""The platform's own ClickHouse HTTP endpoint: chDB behind the interface of a ClickHouse server, on loopback.
Any ClickHouse client can talk to it. It is for one installation's processes, not a server for the open
network."""

from __future__ import annotations

import hmac
import json
import logging
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from watchkeeper.telemetry.engine import Answer, Engine, EngineError, reads_only
from watchkeeper.telemetry.request import BadRequest, Request, credentials, parse, read_body, session

USER = "watchkeeper"
DATABASE = "watchkeeper"
MAX_CONNECTIONS = 128
SLIM_FIRST, SLIM_EVERY = 60.0, 600.0  # seconds
_IDLE = 900.0  # seconds a kept connection may be silent
_log = logging.getLogger(__name__)

# As ClickHouse's exceptionCodeToHTTPStatus; what is not here is 500.
_STATUS = {
    **dict.fromkeys((6, 26, 27, 33, 36, 38, 41, 42, 43, 53, 62, 69, 70, 72, 130, 131, 386, 456, 457), 400),
    **dict.fromkeys((16, 46, 47, 50, 56, 60, 63, 73, 81, 115), 404),
    159: 408, 241: 500, 48: 501, 202: 503, 516: 403, 164: 403,
}  # fmt: skip


class Endpoint:
    """ClickHouse's HTTP interface over `data_dir`, for whoever knows `secret`. `sock` is a listening socket
    that is already bound; without one a free loopback port is taken. Inert until `start`."""

    def __init__(self, data_dir: Path, secret: str, sock: socket.socket | None = None) -> None:
        if not secret:
            raise ValueError(
                "the endpoint needs a secret: without one everybody on this machine could read it"
            )
        self.engine = Engine(data_dir)
        self._secret, self._sock = secret, sock
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Open the engine (seconds) and answer. Raises EngineError or OSError."""
        self.engine.open()
        self._server = _Server(self.engine, self._secret, self._sock)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.5}, name="telemetry", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests, finish those that run, close the engine. Harmless when not started."""
        server, self._server = self._server, None
        if server is None or self._thread is None:
            return
        server.shutdown()
        self._thread.join()
        server.hang_up()
        server.server_close()
        self.engine.close()

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        if self._server is None:
            raise RuntimeError("the endpoint is not started")
        return int(self._server.server_address[1])

    @property
    def dsn(self) -> str:
        """What `Store` takes to reach it."""
        return f"http://{USER}:{quote(self._secret, safe='')}@127.0.0.1:{self.port}/{DATABASE}"


class _Server(ThreadingHTTPServer):
    """One thread a connection; knows the open ones, so that an end need not wait for idle clients."""

    daemon_threads = True
    block_on_close = True
    request_queue_size = 128

    def __init__(self, engine: Engine, secret: str, sock: socket.socket | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=sock is None)
        if sock is not None:
            self.socket.close()
            self.socket = sock
            self.server_address = sock.getsockname()
        self.engine, self.secret = engine, secret
        self.sessions: set[str] = set()
        self.lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._slim_at = time.monotonic() + SLIM_FIRST

    def service_actions(self) -> None:
        if time.monotonic() >= self._slim_at:
            self._slim_at = time.monotonic() + SLIM_EVERY
            self.engine.slim()

    @contextmanager
    def in_session(self, name: str) -> Iterator[None]:
        """One session runs one request at a time, as in ClickHouse, and refuses a second."""
        if not name:
            yield
            return
        with self.lock:
            if name in self.sessions:
                raise BadRequest(500, 373, "SESSION_IS_LOCKED", "Session is locked by a concurrent client.")
            self.sessions.add(name)
        try:
            yield
        finally:
            with self.lock:
                self.sessions.discard(name)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.lock:
            full = len(self._open) >= MAX_CONNECTIONS
            if not full:
                self._open.add(request)
        if full:
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        with self.lock:
            self._open.discard(request)
        super().close_request(request)

    def hang_up(self) -> None:
        """End idle connections; an answer that is being made is still sent."""
        with self.lock:
            for s in self._open:
                try:
                    s.shutdown(socket.SHUT_RD)
                except OSError:
                    _log.debug("a client was gone already")

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        _log.warning("a telemetry request from %s failed", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/ping" or (path == "/" and "query=" not in self.path):
            return self._send(200, b"Ok.\n")
        self._run()

    def do_POST(self) -> None:
        self._run()

    def log_message(self, format: str, *args: Any) -> None:
        _log.debug(format, *args)

    def _run(self) -> None:
        try:
            self._admit()
            # The session first: who asks in it after a request that was broken off, waits for its body as well.
            with self.server.in_session(session(self.path)):
                body = read_body(self.rfile, self.headers)  # type: ignore[arg-type]
                request = parse(self.path, self.headers, body)  # type: ignore[arg-type]
                answer = self._execute(request)
        except BadRequest as error:
            # The body may not have been read, so the connection cannot be used again.
            self.close_connection = True
            self._fail(error.status, error.code, error.text)
        except EngineError as error:
            self._fail(_STATUS.get(error.code, 500), error.code, error.text)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        else:
            self._send(200, answer.body, _headers(request, answer))

    def _admit(self) -> None:
        user, password = credentials(self.path, self.headers)  # type: ignore[arg-type]
        if user != USER or not hmac.compare_digest(password.encode(), self.server.secret.encode()):
            raise BadRequest(403, 516, "AUTHENTICATION_FAILED", f"{user}: Authentication failed.")
        if urlsplit(self.path).path != "/":
            raise BadRequest(404, 79, "INCORRECT_FILE_NAME", "There is no such page.")

    def _execute(self, r: Request) -> Answer:
        engine = self.server.engine
        if r.data is not None:
            if self.command == "GET" or r.params:
                raise BadRequest(400, 48, "NOT_IMPLEMENTED", "INSERT of data by GET or with parameters.")
            return engine.insert(r.sql, r.form, r.data, settings=r.settings, database=r.database)
        if reads_only(r.sql):
            return engine.read(r.sql, form=r.form, params=r.params, settings=r.settings, database=r.database)
        if self.command == "GET":
            raise BadRequest(403, 164, "READONLY", "Cannot execute query in readonly mode; use POST.")
        return engine.write(r.sql, form=r.form, params=r.params, settings=r.settings, database=r.database)

    def _fail(self, status: int, code: int, text: str) -> None:
        body = text.encode("utf-8", "replace") + b"\n"
        self._send(status, body, {"X-ClickHouse-Exception-Code": str(code)})

    def _send(self, status: int, body: bytes | memoryview, headers: dict[str, str] | None = None) -> None:
        try:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            if self.close_connection:
                self.send_header("Connection", "close")
            self.send_header("Content-Type", "text/plain; charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if body:
                self.wfile.write(body)
        except (ConnectionError, TimeoutError):  # the client has gone; what it asked for is done all the same
            self.close_connection = True


def _headers(request: Request, answer: Answer) -> dict[str, str]:
    summary = {
        "read_rows": str(answer.read_rows), "read_bytes": str(answer.read_bytes),
        "written_rows": str(answer.written_rows), "written_bytes": str(answer.written_bytes),
        "elapsed_ns": str(int(answer.elapsed * 1e9)),
    }  # fmt: skip
    out = {
        "X-ClickHouse-Summary": json.dumps(summary),
        "X-ClickHouse-Query-Id": _plain(request.query_id) or str(uuid.uuid4()),
        "X-ClickHouse-Server-Display-Name": "watchkeeper",
        "X-ClickHouse-Timezone": "UTC",
    }
    if request.data is None and len(answer.body):
        out["X-ClickHouse-Format"] = _plain(request.form)
    return out


def _plain(text: str) -> str:
    return re.sub(r"[^\w.:-]", "", text)[:128]
