"""The HTTP front of the receive process: owns the public socket, serves the doors and its own health itself,
and hands everything else to the web process.
"""

from __future__ import annotations

import hmac
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import msgspec
from aiohttp import hdrs, web

from watchkeeper.model.doors import Keyring
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.receivers.dead_letters import DeadLetters
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.forwarding import Forwarding
from watchkeeper.receivers.http import Group, HttpDoor, problem
from watchkeeper.receivers.intake import SERVER, Intake, refusal
from watchkeeper.receivers.limits import Allowance, Limits, RateLimiter
from watchkeeper.receivers.proxy import INNER_HEADER, Proxy, WebAway
from watchkeeper.receivers.series import SeriesTable
from watchkeeper.receivers.server import Secured, Server, listen

STATS_PATH = "/-/receive/stats"
_STARTING = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width"><title>Starting · Watchkeeper</title>
<style>body{font:16px system-ui;margin:20vh auto;max-width:30em;padding:0 1em;color-scheme:light dark}</style>
<h1>Starting</h1><p>Watchkeeper's console is starting. This page tries again by itself every two seconds.
Signals are being taken in meanwhile.</p></html>
"""


def wall_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


class Front:
    """Serves `doors` and the web process at `inner_url` on sockets that are bound already; on the one that is `secured`
    by TLS, with what it shows.

    `group` journals; `series` is the table that the doors' decoders share; `journal_fault` says why the
    journal cannot be written to ("": it can), beyond what the front sees itself; `stats` and `letters` may be
    shared with doors that are not HTTP, as may `intake`, until it stops.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        doors: Sequence[HttpDoor],
        *,
        keyring: Keyring,
        group: Group,
        series: SeriesTable,
        inner_url: str,
        inner_secret: str,
        secured: Secured | None = None,
        forwarding: Forwarding | None = None,
        limits: Limits | None = None,
        stats: DoorStats | None = None,
        letters: DeadLetters | None = None,
        journal_fault: Callable[[], str] = str,
        now_ms: Callable[[], int] = wall_ms,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits or Limits()
        self.door_stats = stats or DoorStats()
        self._sockets, self._secured = sockets, secured
        forwarding = forwarding or Forwarding()
        self._doors = {(d.method, d.path): d for d in doors}
        for d in doors:
            self.door_stats.door(d.name)
        self._secret = inner_secret.encode()
        self._journal_fault = journal_fault
        self._executor = ThreadPoolExecutor(2, thread_name_prefix="decode")
        self._believes = forwarding.believes
        self._proxy = Proxy(inner_url, inner_secret, forwarding, self.limits)
        self.intake = Intake(
            keyring=keyring,
            group=group,
            series=series,
            stats=self.door_stats,
            letters=letters
            or DeadLetters(
                monotonic,
                per_second=self.limits.letters_per_second,
                letter_bytes=self.limits.letter_bytes,
            ),
            limiter=RateLimiter(monotonic),
            allowance=Allowance(self.limits.in_hand),
            limits=self.limits,
            now_ms=now_ms,
            monotonic=monotonic,
            executor=self._executor,
            forwarding=forwarding,
        )
        self._own = {"/healthz": self._healthz, "/readyz": self._readyz, STATS_PATH: self._serve_stats}
        self._runner: web.ServerRunner | None = None

    async def start(self) -> None:
        """Begin to accept connections."""
        await self._proxy.start()
        server = Server(self._handle, self.limits, self.door_stats.door("http"), self._believes)
        self._runner = await listen(server, self._sockets, self._secured)

    async def stop(self) -> None:
        """Stop accepting, let requests in hand finish (at most 5 s), close."""
        self._proxy.hang_up()
        if self._runner is not None:
            await self._runner.cleanup()
        await self._proxy.stop()
        self._executor.shutdown()

    def stats(self) -> dict[str, dict[str, Any]]:
        """door → its numbers (DoorStats.stats)."""
        return self.door_stats.stats()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, _ = request.raw_path.partition("?")
        door, given = self._door(request.method, path)
        response: web.StreamResponse
        if door is not None:
            response = await self.intake.serve(request, door, given)
        elif path in self._own and request.method in ("GET", "HEAD"):
            response = self._own[path](request)
        else:
            response = await self._hand_on(request)
        return response

    def _door(self, method: str, path: str) -> tuple[HttpDoor | None, str]:
        """The door at a path, and the key that stands behind it."""
        if (door := self._doors.get((method, path))) is not None:
            return door, ""
        head, _, last = path.rstrip("/").rpartition("/")
        door = self._doors.get((method, head))
        return (door, unquote(last)) if door is not None and door.keyed else (None, "")

    async def _hand_on(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._proxy.serve(request)
        except WatchkeeperError as error:
            page = "text/html" in request.headers.get(hdrs.ACCEPT, "") or request.raw_path == "/"
            if isinstance(error, WebAway) and request.method == "GET" and page:
                response = web.Response(
                    status=error.status, text=_STARTING, content_type="text/html", headers=SERVER
                )
                response.headers[hdrs.RETRY_AFTER] = str(int(error.retry_after))
                response.headers[hdrs.CACHE_CONTROL] = "no-store"
                return response
            self.door_stats.door("http").reject(error.reason)
            return refusal(problem(error), error)

    def _healthz(self, request: web.BaseRequest) -> web.Response:  # noqa: ARG002
        return _health({"journal": self._journal_fault() or self.intake.fault()})

    def _readyz(self, request: web.BaseRequest) -> web.Response:  # noqa: ARG002
        web_fault = "" if self._proxy.up else "does not answer (yet)"
        return _health({"journal": self._journal_fault() or self.intake.fault(), "web": web_fault})

    def _serve_stats(self, request: web.BaseRequest) -> web.Response:
        """The doors' numbers, for the web process alone: JSON, or Prometheus text with ?format=prometheus;
        with ?key=ID what this intake key has sent, by door."""
        given = request.headers.get(INNER_HEADER, "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._secret):
            return web.Response(status=HTTPStatus.NOT_FOUND)
        if "format=prometheus" in request.raw_path:
            return web.Response(text=self.door_stats.prometheus(), content_type="text/plain")
        key = request.query.get("key", "")
        told = self.door_stats.of_key(key) if key else self.stats()
        return web.Response(body=msgspec.json.encode(told), content_type="application/json")


def _health(parts: dict[str, str]) -> web.Response:
    """200 when no part has a fault, else 503; each part with `ok` or what is wrong."""
    faults = {part: fault for part, fault in parts.items() if fault}
    body = {
        "status": "unavailable" if faults else "ok",
        **{part: fault or "ok" for part, fault in parts.items()},
    }
    response = web.Response(
        status=HTTPStatus.SERVICE_UNAVAILABLE if faults else HTTPStatus.OK,
        body=msgspec.json.encode(body),
        content_type="application/json",
        headers={hdrs.CACHE_CONTROL: "no-store", **SERVER},
    )
    if faults:
        response.headers[hdrs.RETRY_AFTER] = "2"
    return response
