"""A front made of real parts for tests and benchmarks: journal, group commit, keyring, doors, and a small web
process behind it. Each runs an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
import uvloop

from tests.support import rows_of
from watchkeeper.journal.group import GroupCommit
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.doors import Mapping as DoorMapping
from watchkeeper.model.signals import Stream
from watchkeeper.receivers import otlp, otlp_grpc
from watchkeeper.receivers.alertmanager import AlertmanagerDoor
from watchkeeper.receivers.forwarding import Forwarding
from watchkeeper.receivers.front import Front
from watchkeeper.receivers.http import HttpDoor
from watchkeeper.receivers.limits import Limits, StaticKeyring
from watchkeeper.receivers.pagerduty import PagerDutyDoor
from watchkeeper.receivers.remote_write import RemoteWriteDoor
from watchkeeper.receivers.series import SeriesTable
from watchkeeper.receivers.server import Secured
from watchkeeper.receivers.tls import Certificate

SECRET = "wk_test_secret"
INNER = "inner-secret"
MAPPING = DoorMapping(
    alerts_from="events[]",
    name_from="rule.title",
    severity_from="level",
    status_from="state",
    labels_from="{host: server.name, team: owner, site: payload().site}",
    identity_from="join('/', [payload().site, id])",
    summary_from="join(' ', ['it is', to_string(value)])",
    annotations_from="{value: value}",
    starts_from="since",
    ends_from="until",
    url_from="link",
)
KEYS = {
    SECRET: IntakeKey(id="k1", name="test"),
    "slow-secret": IntakeKey(id="k2", name="slow", rate=10.0),
    "otlp-only": IntakeKey(id="k3", name="otlp", doors=("otlp",)),
    "elsewhere": IntakeKey(id="k4", name="elsewhere", addresses=("10.9.0.0/16",)),
    "mapped": IntakeKey(id="k5", name="mapped", mapping=MAPPING),
    "three-series": IntakeKey(id="k6", name="three", series=3),
}


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def call(
    port: int,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    headers: dict[str, str] | None = None,
    *,
    key: str | None = SECRET,
    timeout: float = 20.0,
) -> Reply:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        given = {**({"Authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
        connection.request(method, path, body, given)
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())
    finally:
        connection.close()


def exchange(port: int, data: bytes, *, half_close: bool = False, timeout: float = 10.0) -> bytes:
    """Send bytes on a connection of its own and read until the other side closes it."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        try:
            s.sendall(data)
            if half_close:
                s.shutdown(socket.SHUT_WR)
            out = b""
            while piece := s.recv(65536):
                out += piece
        except ConnectionResetError:
            return b""
        return out


def listener() -> socket.socket:
    """A socket bound to a free port, as the supervisor hands it over."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    s.listen(1024)
    return s


class InnerWeb:
    """uvicorn with an ASGI application on a socket that outlives it."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application
        self.socket = listener()
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        config = uvicorn.Config(
            self._application, log_level="warning", lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = server = uvicorn.Server(config)
        copy = self.socket.dup()
        self._thread = threading.Thread(target=lambda: server.run([copy]), name="inner web")
        self._thread.start()
        while not server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(10)
            assert not self._thread.is_alive()
        self._server = None

    def close(self) -> None:
        self.stop()
        self.socket.close()


class RunningFront:
    """A Front with every door on a free port, and OTLP over gRPC on another, over a SQLite journal in `folder`."""

    def __init__(
        self, folder: Path, inner_url: str = "http://127.0.0.1:9", *, limits: Limits | None = None,
        doors: Iterable[HttpDoor] = (), max_bytes: int = 2 * 1024**3,
        monotonic: Callable[[], float] = time.monotonic,
        keys: Mapping[str, IntakeKey] = KEYS,
        secured: Secured | None = None, forwarding: Forwarding | None = None, remote_write: bool = False,
        grpc_shown: Certificate | None = None,
    ) -> None:  # fmt: skip
        self.journal = SqliteJournal(folder / "journal.db", max_bytes=max_bytes)
        self.group = GroupCommit(self.journal)
        self.series = SeriesTable()
        self.socket = listener()
        self.port: int = self.socket.getsockname()[1]
        self.grpc_socket = listener()
        self.grpc_port: int = self.grpc_socket.getsockname()[1]
        self._grpc_shown = grpc_shown
        self._otlp = otlp.doors(self.series)
        rows = [AlertmanagerDoor().row(), *PagerDutyDoor().rows(), *(d.row() for d in self._otlp), *doors]
        if remote_write:  # compiles, so not for everybody
            rows.append(RemoteWriteDoor(self.series).row())
        self._settings: dict[str, Any] = {
            "keyring": StaticKeyring(keys), "secured": secured, "forwarding": forwarding,
            "group": self.group, "series": self.series,
            "inner_url": inner_url, "inner_secret": INNER, "limits": limits, "monotonic": monotonic,
        }  # fmt: skip
        self._rows = rows
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="front")
        self._thread.start()
        assert self._ready.wait(10)

    def _run(self) -> None:
        uvloop.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self.front = Front([self.socket], self._rows, **self._settings)
        self.grpc = otlp_grpc.server(self.grpc_socket, self._otlp, self.front.intake, self._grpc_shown)
        await self.front.start()
        await self.grpc.start()
        self._ready.set()
        await self._ended.wait()
        await self.grpc.stop()
        await self.front.stop()

    def stop(self) -> None:
        assert self._loop is not None and self._ended is not None
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(15)
        assert not self._thread.is_alive()
        self.group.close()
        self.journal.close()
        self.socket.close()
        self.grpc_socket.close()

    def call(self, method: str, path: str, *args: Any, **options: Any) -> Reply:
        return call(self.port, method, path, *args, **options)

    def rows(self, stream: Stream) -> list[dict[str, Any]]:
        """Every row of a stream that is in the journal."""
        return rows_of(self.journal, stream)

    def stats(self, door: str) -> dict[str, Any]:
        return self.front.stats()[door]
