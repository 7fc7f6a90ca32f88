"""Syslog over TLS with a client of our own: framing, handshakes that fail or stall, certificates that are renewed."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.receivers.certificates import Authority
from tests.receivers.syslog_harness import RunningSyslog
from tests.support import eventually
from watchkeeper.app.config import Config, ConfigError
from watchkeeper.app.sockets import bind_all
from watchkeeper.model.doors import IntakeKey
from watchkeeper.receivers.tls import Certificate


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("tls"))
    made.issue("here")
    made.issue("sender")
    return made


def certificate(authority: Authority, *, asking: bool = False) -> Certificate:
    folder = authority.folder
    return Certificate(folder / "here.pem", folder / "here.key", authority.ca if asking else None)


@pytest.fixture
def syslog(authority: Authority, tmp_path: Path) -> Iterator[RunningSyslog]:
    running = RunningSyslog(tmp_path, certificate=certificate(authority))
    running.start()
    yield running
    running.stop()
    running.close()


def connect(syslog: RunningSyslog, authority: Authority, sender: str = "") -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(authority.ca))
    if sender:
        context.load_cert_chain(authority.folder / f"{sender}.pem", authority.folder / f"{sender}.key")
    plain = socket.create_connection(("127.0.0.1", syslog.tls_port), 10)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def counted(text: str) -> bytes:
    message = f"<13>1 2026-11-22T22:08:41Z web-1 app 7 - - {text}".encode()
    return b"%d %s" % (len(message), message)


def refused(syslog: RunningSyslog) -> dict[str, int]:
    reasons: dict[str, int] = syslog.counted["rejected"]
    return reasons


def test_octets_are_counted(syslog: RunningSyslog, authority: Authority) -> None:
    with connect(syslog, authority) as s:
        whole = counted("one\nof two lines") + counted("another")
        s.sendall(whole[:7])
        s.sendall(whole[7:])
        eventually(lambda: syslog.bodies() == ["one\nof two lines", "another"])
    assert refused(syslog) == {}


def test_much_at_once_is_whole(syslog: RunningSyslog, authority: Authority) -> None:
    """More than a read takes: what is left in a record that was begun must not wait for the next."""
    text = "x" * 997
    with connect(syslog, authority) as s:
        s.sendall(b"".join(counted(f"{i} {text}") for i in range(3000)))
        eventually(lambda: len(syslog.bodies()) == 3000)
    assert syslog.bodies() == [f"{i} {text}" for i in range(3000)]


def test_stopping_takes_in_what_has_arrived(authority: Authority, tmp_path: Path) -> None:
    running = RunningSyslog(tmp_path, certificate=certificate(authority))
    running.start()
    with connect(running, authority) as s:
        s.sendall(counted("last") * 200)
        running.stop()
    assert running.bodies() == ["last"] * 200
    running.close()


def test_handshakes_that_stall_hinder_nobody(
    syslog: RunningSyslog, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syslog.listener.streams[1], "_patience", 1.0)
    with ExitStack() as held:
        stalled = [
            held.enter_context(socket.create_connection(("127.0.0.1", syslog.tls_port), 10))
            for _ in range(300)
        ]
        for s in stalled[::2]:
            s.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a hello
        with connect(syslog, authority) as good:
            good.sendall(counted("in between"))
            eventually(lambda: syslog.bodies() == ["in between"])
            for s in stalled:
                assert s.recv(1) == b""
            good.sendall(counted("and after"))
            eventually(lambda: len(syslog.bodies()) == 2)
    assert refused(syslog) == {"slow_client": 300}


def test_what_is_no_tls_is_counted(syslog: RunningSyslog) -> None:
    with socket.create_connection(("127.0.0.1", syslog.tls_port), 10) as s:
        s.sendall(counted("in plain"))
        eventually(lambda: refused(syslog) == {"tls_handshake": 1})
    with socket.create_connection(("127.0.0.1", syslog.tls_port), 10):
        pass
    eventually(lambda: refused(syslog) == {"tls_handshake": 2})
    assert syslog.bodies() == []


def test_old_versions_of_tls_are_refused(syslog: RunningSyslog) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", syslog.tls_port), 10) as s, pytest.raises(OSError):
        context.wrap_socket(s)
    eventually(lambda: refused(syslog) == {"tls_handshake": 1})


def test_senders_may_be_asked_for_a_certificate(authority: Authority, tmp_path: Path) -> None:
    running = RunningSyslog(tmp_path / "a", certificate=certificate(authority, asking=True))
    running.start()
    stranger = Authority(tmp_path / "stranger")
    stranger.issue("sender")
    try:
        with connect(running, authority, "sender") as s:
            s.sendall(counted("known"))
            eventually(lambda: running.bodies() == ["known"])
        for context in (None, stranger):
            trusted = ssl.create_default_context(cafile=str(authority.ca))
            if context is not None:
                trusted.load_cert_chain(context.folder / "sender.pem", context.folder / "sender.key")
            with (
                socket.create_connection(("127.0.0.1", running.tls_port), 10) as plain,
                pytest.raises(OSError),
                trusted.wrap_socket(plain, server_hostname="127.0.0.1") as s,
            ):
                while s.recv(4096):
                    pass
        eventually(lambda: refused(running) == {"tls_handshake": 2})
        assert running.bodies() == ["known"]
    finally:
        running.stop()
        running.close()


def test_an_address_has_to_be_admitted_too(authority: Authority, tmp_path: Path) -> None:
    key = IntakeKey(id="k", name="far", addresses=("10.0.0.0/8",))
    running = RunningSyslog(tmp_path, key, certificate=certificate(authority))
    running.start()
    try:
        with pytest.raises(OSError):
            connect(running, authority)
        assert refused(running) == {"unauthorised": 1}
    finally:
        running.stop()
        running.close()


def test_renewed_files_are_read_again(tmp_path: Path) -> None:
    now = [100.0]
    authority = Authority(tmp_path)
    chain, key = authority.issue("here")
    shown = Certificate(chain, key, monotonic=lambda: now[0])
    first = shown.context()
    authority.issue("here")
    os.utime(chain, ns=(1, 1))
    assert shown.context() is first
    now[0] += 60
    second = shown.context()
    assert second is not first
    key.write_text("no key")
    now[0] += 60
    assert shown.context() is second


SETTINGS = {"WATCHKEEPER_LISTEN": "127.0.0.1:0", "WATCHKEEPER_SYSLOG": "off", "WATCHKEEPER_OTLP_GRPC": "off"}


def test_it_listens_with_a_certificate_alone(authority: Authority) -> None:
    assert Config.from_env(SETTINGS).listeners["syslog_tls"] is None
    folder = authority.folder
    files = {"WATCHKEEPER_TLS_CERT": f"{folder}/here.pem", "WATCHKEEPER_TLS_KEY": f"{folder}/here.key"}
    assert Config.from_env({**SETTINGS, **files}).listeners["syslog_tls"] == ("127.0.0.1", 6514)
    bound = bind_all(Config.from_env({**SETTINGS, **files, "WATCHKEEPER_SYSLOG_TLS": "127.0.0.1:0"}))
    assert "syslog_tls_tcp" in bound
    for s in bound.values():
        s.close()


@pytest.mark.parametrize("given", [
    {"WATCHKEEPER_SYSLOG_TLS": "127.0.0.1:0"},
    {"WATCHKEEPER_TLS_CERT": "here.pem"},
    {"WATCHKEEPER_TLS_CERT": "here.pem", "WATCHKEEPER_TLS_KEY": "missing.key"},
    {"WATCHKEEPER_TLS_CERT": "here.pem", "WATCHKEEPER_TLS_KEY": "sender.key"},
    {"WATCHKEEPER_TLS_CERT": "here.pem", "WATCHKEEPER_TLS_KEY": "here.key", "WATCHKEEPER_SYSLOG_CA": "here.key"},
])  # fmt: skip
def test_a_certificate_that_cannot_be_used_is_told_at_the_start(
    authority: Authority, given: dict[str, str]
) -> None:
    files = {k: v if ":" in v else str(authority.folder / v) for k, v in given.items()}
    with pytest.raises(ConfigError, match="WATCHKEEPER_TLS_CERT"):
        bind_all(Config.from_env({**SETTINGS, **files}))
