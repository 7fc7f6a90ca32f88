"""The web process's parts in this process: a real server on a free port, a real journal, and real analysis of acts."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import uvicorn

from tests.support import eventually
from watchkeeper.model.doors import Journal


@contextlib.contextmanager
def served() -> Iterator[str]:
    """The web application under uvicorn; its address."""
    from watchkeeper.app.asgi import application

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


@contextlib.contextmanager
def analysing(journal: Journal, folder: Path) -> Iterator[None]:
    """Analysis without detectors: what comes through the journal is deduplicated, correlated and written."""
    from django.db import connection
    from watchkeeper.analysis.stages.normalise import Normalise

    from watchkeeper.analysis.pipeline import Pipeline
    from watchkeeper.analysis.stages.correlate import Correlate
    from watchkeeper.analysis.stages.deduplicate import Deduplicate
    from watchkeeper.app.records import DjangoRecords
    from watchkeeper.app.runner import Runner

    runner = Runner(
        journal, Pipeline([Normalise(), Deduplicate(), Correlate()]), DjangoRecords(), folder / "learned"
    )
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


def told(alerts: bytes, now_ms: int) -> list[tuple[object, pa.RecordBatch]]:
    """Alerts as Prometheus posts them, as journal entries."""
    from watchkeeper.receivers.alertmanager import AlertmanagerDoor

    return list(AlertmanagerDoor().take(alerts, "application/json", now_ms).entries)
