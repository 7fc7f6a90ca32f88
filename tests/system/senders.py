"""Producers with a ledger of their own: each numbers what it sends and writes down what was acknowledged. What was
not is never sent again under the same number, so a number that is found twice was doubled by the platform."""

from __future__ import annotations

import abc
import http.client
import itertools
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.receivers.remote_write_messages import packed, request
from tests.system.walk import now

PAUSE = 0.02
SYSLOG = "syslog line {} of the ledger"
OTLP = "otlp line {} of the ledger"
SERIES = "ledger_samples"


class Sender(threading.Thread, abc.ABC):
    """Sends five numbers at a time until it is told to stop. `ledger` holds the acknowledged ones, `answers` how
    often there was which status, 0 standing for a connection that failed."""

    path, kind = "", "application/x-protobuf"

    def __init__(self, url: str, key: str, every: float = PAUSE) -> None:
        super().__init__(daemon=True)
        self.address, self.key, self.every = url.removeprefix("http://"), key, every
        self.stop_now = threading.Event()
        self.ledger: list[int] = []
        self.answers: Counter[int] = Counter()

    @abc.abstractmethod
    def body(self, numbers: Sequence[int]) -> bytes:
        """A request that carries these numbers."""

    def headers(self) -> dict[str, str]:
        """What goes with each request."""
        return {"Authorization": f"Bearer {self.key}", "Content-Type": self.kind}

    def run(self) -> None:
        """Send."""
        for first in itertools.count(0, 5):
            if self.stop_now.wait(self.every):
                return
            numbers = range(first, first + 5)
            connection = http.client.HTTPConnection(self.address, timeout=15)
            try:
                connection.request("POST", self.path, self.body(numbers), self.headers())
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except (OSError, http.client.HTTPException):
                status = 0
            finally:
                connection.close()
            self.answers[status] += 1
            if 200 <= status < 300:
                self.ledger.extend(numbers)


class Alerts(Sender):
    """To the Alertmanager API; two kinds of trouble, of which one is grave."""

    path, kind = "/api/v2/alerts", "application/json"

    def body(self, numbers: Sequence[int]) -> bytes:
        """See Sender."""
        return json.dumps([self._alert(n) for n in numbers]).encode()

    def _alert(self, n: int) -> dict[str, Any]:
        labels = {
            "alertname": f"Numbered{n // 50}",
            "number": str(n),
            "service_name": f"ledger-{n // 50}",
            "severity": "info" if n % 50 else "critical",
        }
        return {"labels": labels, "startsAt": now(), "endsAt": now(3600)}


class Samples(Sender):
    """By remote write: one series, the number is the value."""

    path = "/api/v1/write"

    def headers(self) -> dict[str, str]:
        """See Sender."""
        return {
            **super().headers(),
            "Content-Encoding": "snappy",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        }

    def body(self, numbers: Sequence[int]) -> bytes:
        """See Sender."""
        at = int(time.time() * 1000)
        return packed(request([({"__name__": SERIES}, [(float(n), at + i) for i, n in enumerate(numbers)])]))


class Lines(Sender):
    """Log lines by OTLP."""

    path = "/v1/logs"

    def body(self, numbers: Sequence[int]) -> bytes:
        """See Sender."""
        message = ExportLogsServiceRequest()
        resource = message.resource_logs.add()
        resource.resource.attributes.add(key="service.name").value.string_value = "ledger"
        scope = resource.scope_logs.add()
        for n in numbers:
            record = scope.log_records.add(time_unix_nano=time.time_ns(), severity_number=9)
            record.body.string_value = OTLP.format(n)
        return bytes(message.SerializeToString())


class Syslog(threading.Thread):
    """Log lines by syslog over TCP, which acknowledges nothing; connects again whenever it is cut off."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(daemon=True)
        self.address, self.stop_now, self.sent = address, threading.Event(), 0

    def run(self) -> None:
        """Send."""
        while not self.stop_now.is_set():
            try:
                with socket.create_connection(self.address, timeout=5) as connection:
                    while not self.stop_now.wait(PAUSE):
                        line = f"<14>1 {now()} ledger-host ledger - - - {SYSLOG.format(self.sent)}\n"
                        self.sent += 1
                        connection.sendall(line.encode())
            except OSError:
                self.stop_now.wait(0.05)


@contextmanager
def sending(*senders: Sender | Syslog) -> Iterator[None]:
    """All of them at once; when it ends, so have they."""
    for s in senders:
        s.start()
    try:
        yield
    finally:
        for s in senders:
            s.stop_now.set()
        for s in senders:
            s.join(30)
