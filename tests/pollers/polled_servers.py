"""What tests poll: real servers on loopback that say what they are told to, a server of names, and node_exporter."""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rrset

from tests.support import eventually, free_port

Say = Callable[[http.server.BaseHTTPRequestHandler], None]


class Page:
    """An HTTP server; `say` answers every GET and can be changed. Given files of a certificate it speaks TLS."""

    def __init__(self, say: Say, certificate: tuple[Path, Path] | None = None, port: int = 0) -> None:
        page = self
        self.say, self.asked = say, 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                page.asked += 1
                with contextlib.suppress(ConnectionError):
                    page.say(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.port: int = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Listen no more."""
        self.server.shutdown()
        self.server.server_close()


def text(body: bytes, kind: str = "text/plain; version=0.0.4", status: int = 200) -> Say:
    """Answer with this body."""

    def say(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return say


def endless(line: bytes, pause: float = 0.0) -> Say:
    """Answer with lines that never end; with a pause, in a trickle."""

    def say(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/plain")
        request.end_headers()
        request.close_connection = True
        piece = line if pause else line * (65536 // len(line))
        while True:
            request.wfile.write(piece)
            time.sleep(pause)

    return say


def redirect(where: str) -> Say:
    """Send whoever asks on."""

    def say(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", where)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return say


class Names:
    """A server of names over UDP that knows one name."""

    def __init__(self, name: str, address: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._name, self._address = name, address
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                data, sender = self._socket.recvfrom(4096)
                asked = dns.message.from_wire(data)
                answer = dns.message.make_response(asked)
                answer.flags |= dns.flags.RA
                if str(asked.question[0].name).rstrip(".") == self._name:
                    answer.answer.append(dns.rrset.from_text(f"{self._name}.", 60, "IN", "A", self._address))
                else:
                    answer.set_rcode(3)
                self._socket.sendto(answer.to_wire(), sender)


@contextlib.contextmanager
def node_exporter(*options: str) -> Iterator[str]:
    """Debian's, on a free port."""
    port = free_port()
    running = subprocess.Popen(
        ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}", *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def listens() -> bool:
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    try:
        eventually(listens)
        yield f"127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(10)
