"""HTTP as pollers need it: bounded in time and size, to checked addresses only, every redirect checked anew."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from watchkeeper.pollers.phases import Phases, tracing
from watchkeeper.pollers.reach import Reach, Unreachable
from watchkeeper.pollers.tls import context, ends_ms, why_not

REDIRECTS = 5
_PIECE = 256 * 1024
AGENT = "Watchkeeper"


@dataclass(frozen=True)
class Request:
    """A GET. `most` is the largest body in bytes; more is an error, or with `cut` left unread."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 10.0
    most: int = 1024**2
    cut: bool = False
    authority: str = ""
    verify: bool = True
    keep: bool = True  # the connection, for the next time


@dataclass
class Response:
    """What came. `secure_until_ms` is when the certificate ends, 0 without one; `phases` are seconds."""

    status: int
    content_type: str
    body: bytes
    redirects: int
    version: float
    secure_until_ms: int
    phases: dict[str, float] = field(default_factory=dict)


class Web:
    """Inert until `start`, on the event loop that it is to serve."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def start(self) -> None:
        """Be ready to ask."""
        for keep in (True, False):
            connector = aiohttp.TCPConnector(
                resolver=_Checked(self._reach), limit=0, use_dns_cache=False, force_close=not keep,
                keepalive_timeout=90 if keep else None,
            )  # fmt: skip
            self._sessions[keep] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": AGENT},
                response_class=_Answer,
                trace_configs=[] if keep else [tracing()],
            )

    async def stop(self) -> None:
        """Close what is open."""
        for session in self._sessions.values():
            await session.close()

    async def get(self, request: Request) -> Response:
        """GET, following redirects, and the answer whatever its status. Raises Unreachable."""
        try:
            async with asyncio.timeout(request.timeout):
                return await self._follow(request)
        except TimeoutError as error:
            raise Unreachable(f"does not answer within {request.timeout:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unreachable(_words(error)) from error

    async def _follow(self, request: Request) -> Response:
        url, headers, phases = URL(request.url), dict(request.headers), Phases()
        for redirects in range(REDIRECTS + 1):
            if url.scheme not in ("http", "https") or not url.host:
                raise Unreachable(f"is no http or https address: {str(url)[:200]!r}")
            await self._reach.addresses(url.host)  # aiohttp asks no resolver about an address
            phases.step("resolve")
            tls = context(request.authority, request.verify) if url.scheme == "https" else False
            async with self._sessions[request.keep].get(
                url, headers=headers, allow_redirects=False, ssl=tls, trace_request_ctx=phases
            ) as answer:
                phases.step("processing")
                phases.secured(answer.secured if isinstance(answer, _Answer) else None)
                where = answer.headers.get("Location")
                if answer.status not in (301, 302, 303, 307, 308) or not where:
                    return await _taken(answer, request, redirects, phases)
            onward = url.join(URL(where))
            if onward.origin() != url.origin():
                headers.pop("Authorization", None)  # meant for the one that was asked
            url = onward
            phases.step("transfer")
        raise Unreachable(f"redirects more than {REDIRECTS} times")


async def _taken(
    answer: aiohttp.ClientResponse, request: Request, redirects: int, phases: Phases
) -> Response:
    version = answer.version
    until = ends_ms(answer.secured) if isinstance(answer, _Answer) and answer.secured is not None else 0
    pieces, size = [], 0
    async for piece in answer.content.iter_chunked(_PIECE):
        size += len(piece)
        if size > request.most:
            if not request.cut:
                raise Unreachable(f"answers with more than {request.most // 1024**2} MiB")
            pieces.append(piece[: request.most - size])
            answer.close()
            break
        pieces.append(piece)
    phases.step("transfer")
    return Response(
        answer.status, answer.content_type, b"".join(pieces), redirects,
        version.major + version.minor / 10 if version else 0.0, until,
        phases.seconds,
    )  # fmt: skip


def _words(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return why_not(error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return why_not(error.os_error)
    return f"does not answer properly: {error or type(error).__name__}"


class _Answer(aiohttp.ClientResponse):
    """One that remembers the TLS of its connection, which is given back before the end of a short body is seen."""

    secured: Any = None

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """See ClientResponse."""
        self.secured = connection.transport.get_extra_info("ssl_object") if connection.transport else None
        return await super().start(connection)


class _Checked(AbstractResolver):
    """Gives aiohttp checked addresses only."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        """See AbstractResolver. Raises Unreachable, which aiohttp passes on."""
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in await self._reach.addresses(host)
        ]

    async def close(self) -> None:
        """Nothing is held."""
