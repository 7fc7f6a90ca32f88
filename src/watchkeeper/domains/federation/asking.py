"""Requests to identity providers, under the rules for whatever leaves this machine (domains.outgoing.outbound)."""

from __future__ import annotations

import functools
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter

from watchkeeper.domains.outgoing import outbound

TIMEOUT = 10.0  # seconds


class Unresolved(requests.RequestException):
    """The address may not be asked, or cannot be found."""


class Checked(HTTPAdapter):
    """Resolves the name once, checks every address it has, and connects to a checked one: the name serves for the
    certificate and the Host header alone."""

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        """Raises Unresolved."""
        parts = urlsplit(request.url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        try:
            address = outbound.check(host, port)[0]
        except (outbound.NotAllowed, outbound.Unreachable) as error:
            raise Unresolved(error.detail) from error
        where = f"[{address}]" if ":" in address else address
        request.headers["Host"] = parts.netloc.rpartition("@")[2]
        request.url = urlunsplit((parts.scheme, f"{where}:{port}", parts.path, parts.query, ""))
        if secure:
            self.poolmanager.connection_pool_kw.update(server_hostname=host, assert_hostname=host)
        return super().send(request, *args, **options)


def session() -> requests.Session:
    """For one conversation."""
    made = requests.Session()
    made.trust_env = False
    made.max_redirects = 0
    made.mount("https://", Checked())
    made.mount("http://", Checked())
    made.request = functools.partial(made.request, timeout=TIMEOUT)  # type: ignore[method-assign]
    return made
