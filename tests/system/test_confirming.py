"""Confirming a subscription of Amazon SNS: what is journalled then, and what is left to a person."""

from __future__ import annotations

import http.server
import ipaddress
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import eventually
from watchkeeper.app.confirming import Confirming


class Sns(http.server.BaseHTTPRequestHandler):
    """Confirms what has the right token."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200 if "Token=right" in self.path else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def sns() -> Iterator[Any]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sns) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_was_confirmed_waits_no_longer(sns: Any, settings: Any) -> None:
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    journal: queue.Queue[Any] = queue.Queue()
    confirming = Confirming(journal.put)
    confirming.start()
    base = f"http://127.0.0.1:{sns.server_port}/?Action=ConfirmSubscription&Token="
    for token in ("wrong", "right"):
        confirming(base + token, [token])
    assert journal.get(timeout=20) == ["right"]
    assert journal.empty() and [p.rpartition("=")[2] for p in sns.asked] == ["wrong", "right"]


def test_without_a_way_out_a_person_has_to_follow_the_link(
    sns: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.OUTBOUND_ALLOW = []
    journal: queue.Queue[Any] = queue.Queue()
    confirming = Confirming(journal.put)
    confirming.start()
    confirming(f"http://127.0.0.1:{sns.server_port}/?Token=right", ["right"])
    eventually(lambda: "its alert has the link" in caplog.text)
    assert journal.empty() and not sns.asked and "Token" not in caplog.text
