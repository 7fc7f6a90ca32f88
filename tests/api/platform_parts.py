"""The web process's parts in this process: a real server on a free port, a real journal, and real analysis of acts."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connections

from tests.support import eventually
from watchkeeper.model.doors import Journal
from watchkeeper.model.signals import Stream, batch


@contextlib.contextmanager
def served(secret: str = "") -> Iterator[str]:
    """The web application under uvicorn, behind a front with this secret; its address."""
    from watchkeeper.app.asgi import assemble

    application, pool = assemble(secret)

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        config = uvicorn.Config(application, lifespan="off", log_config=None, proxy_headers=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            eventually(lambda: server.started)
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
            pool.close()
            async_to_sync(sync_to_async(connections.close_all))()  # of the thread that event streams ask in


@contextlib.contextmanager
def analysing(
    journal: Journal, folder: Path, clock: Callable[[], float] = time.time, *, detecting: bool = False
) -> Iterator[None]:
    """Analysis: what comes through the journal is deduplicated, correlated and written, at the time that the clock shows;
    with `detecting` by all stages, else without detectors."""
    from django.db import connection

    from watchkeeper.analysis.pipeline import Pipeline
    from watchkeeper.analysis.stages.correlate import Correlate
    from watchkeeper.analysis.stages.deduplicate import Deduplicate
    from watchkeeper.analysis.stages.detect import Detect
    from watchkeeper.analysis.stages.normalise import Normalise
    from watchkeeper.app.records import DjangoRecords
    from watchkeeper.app.runner import Runner

    def build() -> Pipeline:
        deduplicate = Deduplicate()
        detect = [Detect()] if detecting else []
        return Pipeline([Normalise(), *detect, deduplicate, Correlate(deduplicate.living)])

    runner = Runner(journal, build, DjangoRecords(), folder / "learned", clock=clock)
    stop = threading.Event()

    def run() -> None:
        try:
            runner.run(stop)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@dataclass
class Web:
    """A running web process without its walls."""

    url: str
    journal: Journal
    tokens: dict[str, str]

    def call(
        self, method: str, path: str, body: Any = None, *, scope: str = "write", **headers: str
    ) -> Answer:
        """One request with the token of this scope; "" for none."""
        given = {"Authorization": f"Bearer {self.tokens[scope]}"} if scope else {}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            given["Content-Type"] = "application/json"
        made = urllib.request.Request(self.url + path, data, {**given, **headers}, method=method)
        try:
            with urllib.request.urlopen(made, timeout=30) as answer:
                return Answer(answer.status, dict(answer.headers.items()), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers.items()), error.read())

    def tell(self, *alerts: dict[str, Any]) -> None:
        """Alerts as Prometheus posts them, decoded by their door into the journal."""
        from watchkeeper.receivers.alertmanager import AlertmanagerDoor

        body = json.dumps(list(alerts)).encode()
        self.journal.append(
            AlertmanagerDoor().take(body, "application/json", int(time.time() * 1000)).entries
        )


class Sender:
    """Who sends points to analysis; time, `now` in Unix seconds, is as far as what was sent."""

    def __init__(self, web: Web, now: int) -> None:
        self.web, self.now = web, now

    def clock(self) -> float:
        """Seconds, as far as what was sent."""
        return float(self.now)

    def put(self, stream: Stream, rows: list[dict[str, object]]) -> None:
        """Send, and wait until analysis has seen it."""
        from watchkeeper.domains.situations.models import AnalysisOffset

        offset: Any = self.web.journal.append([(stream, batch(stream, rows))])
        last = int(offset[-1] if isinstance(offset, (list, tuple)) else offset)
        eventually(lambda: (AnalysisOffset.objects.values_list("offset", flat=True).first() or 0) >= last)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[Web]:
    """A web process with a journal, and a token of each scope."""
    from watchkeeper.domains import identity
    from watchkeeper.journal import open_journal
    from watchkeeper.journal.acts import JournalActs
    from watchkeeper.kernel.ports import ports

    journal = open_journal("", folder)
    ports.journal, ports.acts = journal, JournalActs(journal)
    tokens = {scope: identity.create_token(scope, scope) for scope in ("read", "write", "admin")}
    try:
        with served() as url:
            yield Web(url, journal, tokens)
    finally:
        ports.journal = ports.acts = None
        journal.close()


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)
