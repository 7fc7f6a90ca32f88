"""Who sends a request that came through a reverse proxy. Only the proxies that the settings name are believed; what
anybody else says in forwarding headers is worth nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network

from aiohttp import hdrs, web

from watchkeeper.receivers.limits import among


class Forwarding:
    """`proxies`: networks in CIDR of those that are believed. Raises ValueError for one that is none."""

    def __init__(self, proxies: Sequence[str] = ()) -> None:
        self._networks = [ip_network(p, strict=False) for p in proxies]
        self._believed = lru_cache(1024)(lambda address: among(address, self._networks))

    def believes(self, address: str) -> bool:
        """Whether a connection from here is a proxy's."""
        return bool(self._networks) and self._believed(address)

    def address(self, request: web.BaseRequest) -> str:
        """The client: the last address of X-Forwarded-For that is no proxy's, told by a proxy."""
        here = request.remote or ""
        if not self.believes(here):
            return here
        told = ",".join(request.headers.getall("X-Forwarded-For", ()))
        for hop in reversed([h.strip() for h in told.split(",") if h.strip()]):
            if not _is_address(hop):
                return here
            here = hop
            if not self._believed(hop):
                return hop
        return here

    def scheme(self, request: web.BaseRequest) -> str:
        """http or https, as the client has it."""
        told = self._told(request, "X-Forwarded-Proto").lower()
        return told if told in ("http", "https") else request.scheme

    def host(self, request: web.BaseRequest) -> str:
        """The name by which the client calls us."""
        return self._told(request, "X-Forwarded-Host") or request.headers.get(hdrs.HOST, "")

    def _told(self, request: web.BaseRequest, header: str) -> str:
        if not self.believes(request.remote or ""):
            return ""
        return request.headers.get(header, "").rpartition(",")[2].strip()


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
