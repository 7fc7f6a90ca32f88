"""Requests to addresses that people enter: however an internal one is spelled, nothing reaches it. A server listens on
every address of this machine and would tell."""

from __future__ import annotations

import http.server
import ipaddress
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from watchkeeper.domains.outgoing import outbound

PUBLIC = ("1.1.1.1", "93.184.216.34", "8.8.8.8", "2606:4700::1111", "2a00:1450:4001::1", "64:ff9b::808:808",
          "::ffff:8.8.8.8", "2002:808:808::1")  # fmt: skip

LOOPBACK = (
    # dotted, short, decimal, octal, hexadecimal, mixed, with zeros in front
    *("127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "017700000001", "0x7f000001", "0x7F000001"),
    *("0x7f.0x0.0x0.0x1", "0x7f.1", "0177.0.0.1", "0177.0.0.01", "0177.0x0.1", "127.0x1", "00000177.0.0.1", "0x7f.0.1"),
    *("0177.1", "127.0.0.0x1", "127.00.0.1", "127.000.000.001", "0x0000007f.1", "2130706433.", "127.0.0.1.", "0"),
    *("0.0.0.0", "0x0", "00", "0.0", "0.0.0", "localhost", "LOCALHOST", "localhost."),
    # letters of other alphabets that the resolver takes for digits and dots
    *("127。0。0。1", "127．0．0．1", "１２７.0.0.1", "①②⑦.0.0.1", "127。1", "ｌｏｃａｌｈｏｓｔ"),
    *("ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "%31%32%37.0.0.1"),
    # IPv6
    *("[::1]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::]", "[::0]", "[0::0]", "[::0001]"),
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:7F00:0001]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::ffff:0.0.0.0]"),
    *("[::127.0.0.1]", "[::7f00:1]", "[::ffff:0:127.0.0.1]", "[::ffff:0:7f00:1]", "[64:ff9b::127.0.0.1]"),
    *("[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:7f00:0001::1]", "[2001:0:7f00:1::]"),
    *("[2001::1:2:80ff:fffe]", "[2606:4700::5efe:127.0.0.1]", "[2606:4700::200:5efe:7f00:1]", "[fe80::1%25lo]"),
    *("[::1%25lo]", "[::1%lo]", "[fe80::1%lo]", "[fe80::1%1]", "[::ffff:127.1]"),
)  # fmt: skip
INTERNAL = (
    *("10.0.0.1", "10.1", "167772161", "0x0a000001", "012.0.0.1", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]"),
    *("[2002:a00:1::]", "[::10.0.0.1]", "172.16.0.1", "172.31.255.255", "0xac100001", "2886729729", "[::ffff:ac10:1]"),
    *("192.168.0.1", "192.168.1", "3232235521", "0xc0a80001", "0300.0250.0.1", "[::ffff:c0a8:1]", "[64:ff9b::c0a8:1]"),
    # metadata of clouds
    *("169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe", "169.254.43518"),
    *("169.16689662", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[::a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]"),
    *("[2002:a9fe:a9fe::]", "[fd00:ec2::254]", "169。254。169。254", "100.100.100.200", "192.0.0.192"),
    # shared, link-local, unique local, site-local, multicast, broadcast, reserved, documentation, benchmarks, relays
    *("100.64.0.1", "100.127.255.255", "[fe80::1]", "[febf::1]", "[fc00::1]", "[fd12:3456::1]", "[fdff::1]"),
    *("[fec0::1]", "[feff::1]", "[ff02::1]", "[ff05::2]", "[ff0e::1]", "224.0.0.1", "239.255.255.250", "255.255.255.255"),
    *("240.0.0.1", "250.1.1.1", "0.1.2.3", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.255.255"),
    *("192.0.0.1", "192.88.99.1", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[100::1]", "[64:ff9b:1::1]", "[4000::1]"),
    *("[2001:10::1]", "[2001:2::1]", "[::2]", "[e000::1]", "0xffffffff", "4294967295", "[::ffff:255.255.255.255]"),
)  # fmt: skip
URLS = (
    "http://user@{0}/", "http://user:password@{0}/", "http://8.8.8.8@{0}/", "http://8.8.8.8%40{0}/", "http://8.8.8.8:80@{0}/",
    "http://8.8.8.8\\@{0}/", "http://{0}\\@8.8.8.8/", "http:\\\\{0}/", "http:{0}/", "//{0}/", "{0}",
    "http://{0} /", "http://{0}/\r\nHost: 8.8.8.8", "http://{0}/ HTTP/1.1\r\nx: y", "http://\t{0}/", "ftp://{0}/",
    "file://{0}/etc/passwd", "gopher://{0}/", "https+unix://{0}/", "http://[{0}]/", "http://", "http:///", "", "http://:80/",
    "http://[::1/", "http://{0}:99999/", "http://{0}:x/",
)  # fmt: skip


class Listening(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Counts connections to any address of this machine, of both families."""

    address_family = socket.AF_INET6
    daemon_threads = True

    def __init__(self, handler: type[socketserver.BaseRequestHandler]) -> None:
        self.came: list[Any] = []
        super().__init__(("::", 0), handler, bind_and_activate=False)
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.server_bind()
        self.server_activate()

    def process_request(self, request: Any, address: Any) -> None:
        """Note it first."""
        self.came.append(address)
        super().process_request(request, address)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class Redirecting(http.server.BaseHTTPRequestHandler):
    """Sends everybody to another place on this machine."""

    def do_POST(self) -> None:
        self.send_response(307)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/secret")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def listening() -> Iterator[Listening]:
    """One server for all of them."""
    with Listening(Redirecting) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def server(listening: Listening, settings: Any) -> Listening:
    """To which nobody has come yet, and nobody may."""
    settings.OUTBOUND_ALLOW = []
    listening.came.clear()
    return listening


def test_there_are_many_spellings() -> None:
    assert len(LOOPBACK) + len(INTERNAL) + len(URLS) >= 150


@pytest.mark.parametrize("host", [*LOOPBACK, *INTERNAL])
def test_an_internal_address_is_reached_by_no_spelling(server: Listening, host: str) -> None:
    for url in (f"http://{host}:{server.port}/", f"https://{host}:{server.port}/"):
        for ask in (outbound.get, partial(outbound.post, body=b"")):
            with pytest.raises((outbound.NotAllowed, outbound.Unreachable)):
                ask(url, headers={}, timeout=2)
    assert server.came == []


@pytest.mark.parametrize("shape", URLS)
def test_an_address_in_disguise_is_refused(server: Listening, shape: str) -> None:
    for host in ("127.0.0.1", f"127.0.0.1:{server.port}", f"localhost:{server.port}", f"[::1]:{server.port}"):
        with pytest.raises((outbound.NotAllowed, outbound.Unreachable)):
            outbound.post(shape.format(host), b"", {}, timeout=2)
    assert server.came == []


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_allowed(address: str) -> None:
    assert outbound.public(address)


def test_a_redirect_is_not_followed(server: Listening, settings: Any) -> None:
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    answer = outbound.post(f"http://127.0.0.1:{server.port}/", b"", {})
    assert (answer.status, len(server.came)) == (307, 1)
    assert (outbound.get(f"http://127.0.0.1:{server.port}/", {}).status, len(server.came)) == (307, 2)
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    assert outbound.post(f"http://[::ffff:127.0.0.1]:{server.port}/", b"", {}).status == 307
    with pytest.raises(outbound.NotAllowed):
        outbound.post(f"http://[::1]:{server.port}/", b"", {})


@pytest.mark.parametrize(
    "answers", [(["8.8.8.8"], ["127.0.0.1"]), (["8.8.8.8", "127.0.0.1"],), (["::1", "8.8.8.8"],)]
)
def test_a_name_that_changes_its_mind_gains_nothing(
    server: Listening, monkeypatch: pytest.MonkeyPatch, answers: tuple[list[str], ...]
) -> None:
    """The resolver answers otherwise each time, or with several; the connection goes to what was checked."""
    real, asked = socket.getaddrinfo, list(answers)
    reached: list[Any] = []

    def resolve(host: str, port: int, *_: Any, **__: Any) -> Any:
        if host != "rebind.example":
            reached.append(host)
            raise OSError("no way there from a test")
        addresses = asked.pop(0) if asked else ["127.0.0.1"]
        return [entry for a in addresses for entry in real(a, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises((outbound.NotAllowed, outbound.Unreachable)):
        outbound.post(f"http://rebind.example:{server.port}/", b"", {}, timeout=2)
    assert server.came == []
    assert set(reached) <= {"8.8.8.8"}


def _silent(_: socket.socket, stop: threading.Event) -> None:
    stop.wait(20)


def _trickling(client: socket.socket, stop: threading.Event) -> None:
    while not stop.wait(0.1):
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize("behaviour", [_silent, _trickling])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_request_ends_in_its_time(
    settings: Any, scheme: str, behaviour: Callable[[socket.socket, threading.Event], None]
) -> None:
    """Whether the other side says nothing, or goes on for ever, or does so instead of a TLS handshake."""
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            client, _ = listening.accept()
            with client:
                try:
                    behaviour(client, stop)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        began = time.monotonic()
        with pytest.raises(outbound.Unreachable):
            outbound.post(f"{scheme}://127.0.0.1:{listening.getsockname()[1]}/", b"", {}, timeout=0.5)
        assert time.monotonic() - began < 10
        stop.set()
        thread.join()


def test_a_certificate_has_to_fit(settings: Any, tmp_path: Any) -> None:
    """One that nobody trusts is refused before anything is sent."""
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1))
    made = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=True)
    file = tmp_path / "both.pem"
    file.write_bytes(
        made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def serve() -> None:
            client, _ = plain.accept()
            with client:
                try:
                    with context.wrap_socket(client, server_side=True) as secure:
                        got.append(secure.recv(100))
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(outbound.Unreachable, match="certificate"):
            outbound.post(f"https://127.0.0.1:{plain.getsockname()[1]}/", b"secret", {})
        thread.join()
    assert got == []
