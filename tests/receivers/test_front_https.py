"""The front by TLS, its certificate renewed under way, and who a request comes from behind proxies."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.receivers.certificates import Authority
from tests.receivers.front_harness import SECRET, RunningFront, call, listener
from tests.support import eventually
from watchkeeper.model.doors import IntakeKey
from watchkeeper.receivers.forwarding import Forwarding
from watchkeeper.receivers.tls import Certificate

ALERT = b'[{"labels": {"alertname": "Secured"}}]'
JSON = {"Content-Type": "application/json", "Authorization": f"Bearer {SECRET}"}


class Clock:
    """Goes on by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "tls")
    made.issue("here")
    return made


def post(port: int, authority: Authority) -> tuple[int, str]:
    """The status of an alert that was posted by TLS, and the serial number of what the front showed."""
    context = ssl.create_default_context(cafile=str(authority.ca))
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    try:
        connection.connect()
        shown = connection.sock.getpeercert()
        connection.request("POST", "/api/v2/alerts", ALERT, JSON)
        return connection.getresponse().status, shown["serialNumber"]
    finally:
        connection.close()


def test_the_doors_are_served_by_tls_too_and_a_renewed_certificate_is_shown(
    tmp_path: Path, authority: Authority
) -> None:
    clock, bound = Clock(), listener()
    certificate = Certificate(authority.folder / "here.pem", authority.folder / "here.key", monotonic=clock)
    front = RunningFront(tmp_path / "front", secured=(bound, certificate))
    try:
        port = bound.getsockname()[1]
        status, first = post(port, authority)
        assert status == 200
        assert front.call("POST", "/api/v2/alerts", ALERT, JSON).status == 200, "the plain port goes on"
        authority.issue("here")
        clock.now += 60
        status, second = eventually(lambda: post(port, authority))
        assert status == 200 and second != first
        with pytest.raises((http.client.BadStatusLine, ConnectionError)):
            call(port, "GET", "/healthz")
        assert post(port, authority)[0] == 200, "whoever speaks no TLS hurts nobody else"
    finally:
        front.stop()
        bound.close()


PROXIES = ("127.0.0.1", "10.0.0.0/8")


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[RunningFront]:
    """A front behind a proxy on this machine, with a key that is for one address."""
    keys = {SECRET: IntakeKey(id="k", name="one", addresses=("203.0.113.7/32",))}
    front = RunningFront(tmp_path, forwarding=Forwarding(PROXIES), keys=keys)
    yield front
    front.stop()


@pytest.mark.parametrize(("told", "admitted"), [
    ("203.0.113.7", True), ("203.0.113.7, 10.1.2.3", True), ("198.51.100.9, 203.0.113.7, 10.1.2.3", True),
    ("203.0.113.7, 198.51.100.9", False), ("", False), ("nonsense, 203.0.113.7", True), ("203.0.113.7, nonsense", False),
    ("::ffff:10.0.0.1", False),
])  # fmt: skip
def test_a_proxy_that_is_believed_says_who_sends(behind: RunningFront, told: str, admitted: bool) -> None:
    status = behind.call("POST", "/api/v2/alerts", ALERT, {**JSON, "X-Forwarded-For": told}).status
    assert status == (200 if admitted else 401)


def test_from_anybody_else_forwarding_headers_are_worth_nothing(tmp_path: Path) -> None:
    keys = {SECRET: IntakeKey(id="k", name="one", addresses=("203.0.113.7/32",))}
    front = RunningFront(tmp_path, forwarding=Forwarding(("10.0.0.0/8",)), keys=keys)
    try:
        headers = {**JSON, "X-Forwarded-For": "203.0.113.7"}
        assert front.call("POST", "/api/v2/alerts", ALERT, headers).status == 401
    finally:
        front.stop()
