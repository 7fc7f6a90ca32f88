"""Run by test_rebinding in a network of its own: a server of names that lies, servers of HTTP at a public and at internal
addresses of this machine, and requests by each way that people can make the platform ask. Prints who was reached."""

from __future__ import annotations

import asyncio
import http.server
import json
import socket
import socketserver
import threading
from collections import Counter
from typing import Any

import dns.flags
import dns.message
import dns.rrset

from watchkeeper.domains.outgoing import outbound
from watchkeeper.domains.polling.guarding import refuses
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.polled import PollTarget, Probe, ScrapeJob
from watchkeeper.pollers.probing import Prober
from watchkeeper.pollers.reach import Reach
from watchkeeper.pollers.scrape import Scraper
from watchkeeper.pollers.targets import chosen
from watchkeeper.pollers.web import Web
from watchkeeper.receivers.series import SeriesTable

PUBLIC, PORT = "93.184.216.34", 8080
NAMES = ("rebind", "cname", "mixed", "both", "public")
came: Counter[str] = Counter()
asked: Counter[str] = Counter()


class Lying(socketserver.BaseRequestHandler):
    """Answers over UDP, the first time otherwise than ever after where the name begins with rebind."""

    def handle(self) -> None:
        data, via = self.request
        question = dns.message.from_wire(data)
        name, kind = str(question.question[0].name), question.question[0].rdtype.name
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        for line in _records(name, kind):
            answer.answer.append(dns.rrset.from_text(*line))
        via.sendto(answer.to_wire(), self.client_address)


def _records(name: str, kind: str) -> list[tuple[str, int, str, str, str]]:
    asked[f"{name} {kind}"] += 1
    what = name.partition("-")[0]
    if kind == "AAAA":
        return [(name, 0, "IN", "AAAA", "::1")] if what == "mixed" else []
    if kind != "A":
        return []
    first = asked[f"{name} A"] == 1
    addresses = {"rebind": [PUBLIC if first else "127.0.0.1"], "mixed": [PUBLIC], "public": [PUBLIC],
                 "both": [PUBLIC, "127.0.0.1"]}  # fmt: skip
    if what == "cname":
        return [(name, 0, "IN", "CNAME", "inner.example."), ("inner.example.", 0, "IN", "A", "127.0.0.1")]
    return [(name, 0, "IN", "A", address) for address in addresses.get(what, [])]


class Page(http.server.BaseHTTPRequestHandler):
    """Metrics, and who asked for them where."""

    def do_GET(self) -> None:
        came[self.connection.getsockname()[0]] += 1
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"a 1\n")

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class PageSix(http.server.ThreadingHTTPServer):
    """At ::1."""

    address_family = socket.AF_INET6


def webhook(host: str) -> bool:
    """As a channel or a rule sends it."""
    try:
        return outbound.post(f"http://{host}:{PORT}/", b"", {}, timeout=3).status == 200
    except WatchkeeperError:
        return False


def polled(host: str, way: str) -> bool:
    """As a scrape job or a probe asks; a probe twice, as it does every interval."""

    async def ask() -> bool:
        web = Web(Reach(refuses))
        await web.start()
        if way == "scrape":
            job = ScrapeJob(id="1", name="j", timeout=3)
            (target,), _ = chosen(job, [PollTarget(f"{host}:{PORT}")])
            ok = (await Scraper(job, target, SeriesTable(), web).ask())[0].ok
        else:
            prober = Prober(Reach(refuses), web)
            probe = Probe(id="1", name="p", kind="http", timeout=3)
            ok = (await prober.ask(probe, f"http://{host}:{PORT}/", 0)).ok
            await prober.ask(probe, f"http://{host}:{PORT}/", 0)
            prober.close()
        await web.stop()
        return ok

    return asyncio.run(ask())


def main() -> None:
    """Everybody is asked for every name."""
    servers: list[Any] = [
        socketserver.ThreadingUDPServer(("127.0.0.53", 53), Lying),
        PageSix(("::1", PORT), Page),
    ]
    servers += [http.server.ThreadingHTTPServer((address, PORT), Page) for address in (PUBLIC, "127.0.0.1")]
    for one in servers:
        threading.Thread(target=one.serve_forever, args=(0.02,), daemon=True).start()
    found = {}
    for name in NAMES:
        for way in ("webhook", "scrape", "probe"):
            came.clear()
            host = f"{name}-{way}.example"
            ok = webhook(host) if way == "webhook" else polled(host, way)
            found[f"{name} {way}"] = {"ok": ok, "came": dict(came), "asked": asked[f"{host}. A"]}
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()
