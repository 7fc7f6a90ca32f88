"""Heartbeats outwards from a whole platform: they come while all is well, stop while a process hangs or is gone, say why,
and come back."""

from __future__ import annotations

import http.server
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.platform import Platform
from tests.support import eventually


class Outside(http.server.ThreadingHTTPServer):
    """A service that waits for heartbeats, and is told of trouble at /fail."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Calls)
        self.calls: list[tuple[str, str, bytes]] = []
        self.status = 200

    def count(self, path: str) -> int:
        """How often this path was called."""
        return sum(p == path for _, p, _ in self.calls)

    def next(self, path: str, within: float = 40.0) -> tuple[str, str, bytes]:
        """The next call of this path from now on."""
        before = self.count(path)
        eventually(lambda: self.count(path) > before, within)
        return [c for c in self.calls if c[1] == path][before]


class _Calls(http.server.BaseHTTPRequestHandler):
    server: Outside

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.calls.append((self.command, self.path, body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    with Outside() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, outside: Outside) -> Iterator[Platform]:
    allow = {"WATCHKEEPER_OUTBOUND_ALLOW": "127.0.0.0/8"}
    with Platform(tmp_path_factory.mktemp("heartbeats") / "var", allow) as running:
        running.start()
        yield running
        told = outside.count("/fail")
        assert running.stop() == 0
        assert outside.count("/fail") == told, "who stops it knows"


@pytest.fixture(scope="module")
def beat(platform: Platform, outside: Outside) -> str:
    """The address of a heartbeat that is impatient."""
    base = f"http://127.0.0.1:{outside.server_port}"
    made = platform.do("/api/heartbeats/", {
        "name": "outside", "url": f"{base}/beat", "fail_url": f"{base}/fail", "method": "post", "interval": 5,
        "patience": 8, "least_free": 1,
    })  # fmt: skip
    assert made.status == 201, made.body
    outside.next("/beat", 60)
    return f"/api/heartbeats/{made.json()['id']}/"


def state(platform: Platform, beat: str, wanted: str) -> dict[str, Any]:
    """The record, once it is in this state."""
    return eventually(lambda: found if (found := platform.get(beat))["state"] == wanted else None, 60)


def test_beats_come_while_all_is_well_and_the_record_says_so(
    platform: Platform, outside: Outside, beat: str
) -> None:
    told = state(platform, beat, "beating")
    assert told["succeeded_at"] and told["reason"] == ""
    assert "url" not in told and told["calls"] == f"http://127.0.0.1:{outside.server_port}/…"
    assert b"/beat" not in (platform.data / "records.db").read_bytes(), (
        "whoever reads it can beat in our name"
    )
    assert (
        "/beat"
        not in platform.call("GET", "/api/audit/", Authorization=f"Bearer {platform.token}").body.decode()
    )
    assert outside.next("/beat") == ("POST", "/beat", b"")
    metrics = platform.call("GET", "/metrics", Authorization=f"Bearer {platform.token}").body.decode()
    assert 'watchkeeper_heartbeat_up{heartbeat="outside"} 1.0' in metrics
    assert 'watchkeeper_process_silent_seconds{process="analyse"}' in metrics
    assert 'watchkeeper_journal_lag_seconds{consumer="analysis"}' in metrics


def test_an_answer_that_is_none_is_on_the_record(platform: Platform, outside: Outside, beat: str) -> None:
    outside.status = 503
    told = state(platform, beat, "unanswered")
    outside.status = 200
    assert told["reason"] == "it answered 503" and told["failed_at"]
    state(platform, beat, "beating")


def test_a_disk_that_is_nearly_full_keeps_them_back(platform: Platform, outside: Outside, beat: str) -> None:
    platform.do(beat, {"least_free": 900_000_000}, "PATCH")
    _, _, reason = outside.next("/fail")
    assert b"MiB left" in reason
    assert "MiB left" in state(platform, beat, "held")["reason"]
    platform.do(beat, {"least_free": 1}, "PATCH")
    outside.next("/beat")


@pytest.mark.parametrize(("name", "told"), [
    ("receive", b"receive"), ("analyse", b"analyse"), ("supervisor", b"supervisor"),
])  # fmt: skip
def test_a_process_that_hangs_is_told_and_they_come_back(
    platform: Platform, outside: Outside, beat: str, name: str, told: bytes
) -> None:
    assert beat and platform.process is not None
    hanging = {**platform.processes(), "supervisor": psutil.Process(platform.process.pid)}[name]
    hanging.send_signal(signal.SIGSTOP)
    try:
        _, _, reason = outside.next("/fail")
        before = outside.count("/beat")
        if told not in reason:  # the front that hangs is seen before its process is silent for long
            eventually(lambda: any(told in body for _, path, body in outside.calls if path == "/fail"), 40)
        assert outside.count("/beat") == before
    finally:
        hanging.send_signal(signal.SIGCONT)
    outside.next("/beat")


@pytest.mark.parametrize("name", ["receive", "analyse"])
def test_a_process_that_was_killed_is_told_and_they_come_back(
    platform: Platform, outside: Outside, beat: str, name: str
) -> None:
    """It dies as often as it is started, else it may be back before anybody looked."""
    assert beat
    before = outside.count("/fail")

    def told() -> bool:
        if victim := platform.processes().get(name):
            victim.kill()
        return outside.count("/fail") > before

    eventually(told, 60, 0.3)
    reason = [body for _, path, body in outside.calls if path == "/fail"][before]
    assert name.encode() in reason or b"front" in reason
    outside.next("/beat", 60)


@pytest.mark.parametrize("way", [signal.SIGSTOP, signal.SIGKILL])
def test_nothing_comes_while_the_sender_itself_hangs_or_is_gone(
    platform: Platform, outside: Outside, beat: str, way: signal.Signals
) -> None:
    assert beat
    web = platform.processes()["web"]
    outside.next("/beat")
    web.send_signal(way)
    stopped, calls = time.monotonic(), len(outside.calls)
    if way is signal.SIGSTOP:
        eventually(lambda: time.monotonic() - stopped > 6, every=1.0)  # longer than its interval
        assert len(outside.calls) <= calls + 1  # one may have been on its way
        web.send_signal(signal.SIGCONT)
    outside.next("/beat", 60)
