"""One service of a small shop, as a process: `python -m tools.outage.shop NAME`.

frontend → catalogue → PostgreSQL; frontend → checkout → cart → Redis. Each is traced, measured and logged with
the OpenTelemetry SDK, serves /metrics for Prometheus, and writes its log lines to syslog as well. Nothing in
it knows of the fault: what goes wrong is what the libraries raise.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import random
import socket
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

NAME = sys.argv[1]
PORTS: dict[str, int] = json.loads(os.environ["SHOP_PORTS"])
TIMEOUT = 2.0
counts: Counter[tuple[str, str]] = Counter()
seconds: Counter[str] = Counter()
log = logging.getLogger(NAME)
tracer = trace.get_tracer(NAME)


class Unavailable(Exception):
    """Something this service needs did not answer."""


def call(service: str, path: str) -> dict[str, object]:
    """GET from another service, traced. Raises Unavailable."""
    with tracer.start_as_current_span(f"GET {path}", kind=SpanKind.CLIENT) as span:
        span.set_attributes(
            {"peer.service": service, "server.address": "127.0.0.1", "server.port": PORTS[service]}
        )
        headers: dict[str, str] = {}
        inject(headers)
        request = urllib.request.Request(f"http://127.0.0.1:{PORTS[service]}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT * 2) as answer:
                return json.load(answer)
        except (urllib.error.URLError, OSError) as error:
            span.set_status(Status(StatusCode.ERROR, str(error)))
            raise Unavailable(f"{service} failed: {error}") from error


def redis(*words: str) -> str:
    """One Redis command over a fresh connection, traced. Raises Unavailable."""
    with tracer.start_as_current_span(words[0], kind=SpanKind.CLIENT) as span:
        where = {"server.address": "127.0.0.1", "server.port": PORTS["redis"]}
        span.set_attributes({"db.system.name": "redis", "peer.service": "redis", **where})
        parts = "".join(f"${len(w)}\r\n{w}\r\n" for w in words)
        try:
            with socket.create_connection(("127.0.0.1", PORTS["redis"]), TIMEOUT) as s:
                s.sendall(f"*{len(words)}\r\n{parts}".encode())
                return s.recv(4096).decode()
        except OSError as error:
            span.set_status(Status(StatusCode.ERROR, str(error)))
            raise Unavailable(f"redis at 127.0.0.1:{PORTS['redis']}: {error}") from error


def catalogue() -> dict[str, object]:
    """Read products from PostgreSQL."""
    with tracer.start_as_current_span("SELECT products", kind=SpanKind.CLIENT) as span:
        where = {"server.address": "127.0.0.1", "server.port": PORTS["postgres"]}
        span.set_attributes({"db.system.name": "postgresql", "peer.service": "postgres", **where})
        dsn = f"host=127.0.0.1 port={PORTS['postgres']} user=postgres dbname=postgres connect_timeout=2"
        try:
            with psycopg.connect(dsn) as db:
                rows = db.execute("select id, name from products order by random() limit 10").fetchall()
        except psycopg.Error as error:
            span.set_status(Status(StatusCode.ERROR, str(error)))
            raise Unavailable(f"postgres: {error}") from error
    return {"products": rows}


def cart() -> dict[str, object]:
    """Count an item in the cart of some visitor."""
    visitor = random.randrange(500)
    return {"items": redis("HINCRBY", f"cart:{visitor}", str(random.randrange(50)), "1")}


def checkout() -> dict[str, object]:
    """Take an order: the cart's content, then a number."""
    answer = call("cart", "/cart")
    log.info("order %d placed by visitor %d", random.randrange(10**6), random.randrange(500))
    return {"order": answer}


def frontend() -> dict[str, object]:
    """A visit: always the catalogue, now and then an order."""
    answer = call("catalogue", "/products")
    if random.random() < 0.5:
        answer.update(call("checkout", "/checkout"))
    return answer


WORK = {"frontend": frontend, "checkout": checkout, "cart": cart, "catalogue": catalogue}


class Handler(BaseHTTPRequestHandler):
    """One request: traced, counted, and an error logged and answered with 503."""

    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        if self.path == "/metrics":
            return self._answer(200, metrics().encode(), "text/plain; version=0.0.4")
        began, code, body = time.perf_counter(), 200, b"{}"
        context = extract({name.lower(): value for name, value in self.headers.items()})
        with tracer.start_as_current_span(f"GET {self.path}", context=context, kind=SpanKind.SERVER) as span:
            try:
                body = json.dumps(WORK[NAME](), default=str).encode()
            except Unavailable as error:
                code = 503
                span.set_status(Status(StatusCode.ERROR, str(error)))
                log.error("%s failed: %s", self.path, error)
        counts[self.path, str(code)] += 1
        seconds[self.path] += time.perf_counter() - began
        self._answer(code, body, "application/json")

    def _answer(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Requests are counted and traced, not logged."""


def metrics() -> str:
    """Requests and their time, in Prometheus's text format."""
    lines = [f'http_requests_total{{path="{p}",code="{c}"}} {n}' for (p, c), n in sorted(counts.items())]
    lines += [f'http_request_seconds_total{{path="{p}"}} {s:.6f}' for p, s in sorted(seconds.items())]
    return (
        "# TYPE http_requests_total counter\n# TYPE http_request_seconds_total counter\n"
        + "\n".join(lines)
        + "\n"
    )


def main() -> None:
    """Serve until killed."""
    resource = Resource.create({"service.name": NAME, "host.name": socket.gethostname()})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=1000))
    trace.set_tracer_provider(provider)
    host, _, port = os.environ["SHOP_SYSLOG"].rpartition(":")
    handler = logging.handlers.SysLogHandler((host, int(port)))
    handler.ident = f"{NAME}[{os.getpid()}]: "
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    ThreadingHTTPServer(("127.0.0.1", PORTS[NAME]), Handler).serve_forever()


if __name__ == "__main__":
    main()
