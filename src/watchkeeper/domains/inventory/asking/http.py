"""HTTP to a system that an administrator has entered: to allowed addresses alone, no redirect followed, its own
certificate authority trusted where one is given."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter

from watchkeeper.domains.inventory.asking import Access, Unreadable
from watchkeeper.domains.outgoing import outbound

TIMEOUT = 30.0  # seconds without a byte
LARGEST = 64 * 1024 * 1024  # bytes of an answer


class _Guarded(HTTPAdapter):
    """Connects to the address that was checked, so that a name which changes its mind gains nothing; and to no other
    origin than the one that was entered, so that no answer leads our credentials elsewhere."""

    def __init__(self, address: str, certificate: str) -> None:
        self._origin = _origin(address)
        self._trusted = ssl.create_default_context(cadata=certificate or None)
        super().__init__(pool_connections=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """With our own trust."""
        super().init_poolmanager(*args, **more, ssl_context=self._trusted)

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        """Raises NotAllowed, Unreachable or Unreadable."""
        parts = urlsplit(request.url or "")
        scheme, host, port = origin = _origin(request.url or "")
        if origin != self._origin:
            raise Unreadable(
                f"its answer leads to {scheme}://{host}:{port}: enter the address that it gives itself"
            )
        address = outbound.check(host, port)[0]
        request.headers["Host"] = parts.netloc
        request.url = urlunsplit(
            parts._replace(netloc=f"[{address}]:{port}" if ":" in address else f"{address}:{port}")
        )
        if parts.scheme == "https":
            self.poolmanager.connection_pool_kw |= {"server_hostname": host, "assert_hostname": host}
        return super().send(request, *args, **{**more, "timeout": TIMEOUT, "proxies": {}, "verify": True})


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of what `requests` has prepared."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _prepared(address: str) -> str:
    """The address as it is asked, its host's letters in ASCII (RFC 3490). Raises Unreadable for one that is none."""
    try:
        parts = urlsplit(url := requests.Request("GET", address).prepare().url or "")
        if parts.scheme in ("http", "https") and parts.hostname and not parts.username:
            return url
        why = ""
    except ValueError as error:  # as all are that `requests` has for addresses
        why = f": {error}"
    raise Unreadable(f"{address!r} is not an address such as https://netbox.example.org{why}")


@contextmanager
def session(access: Access) -> Iterator[requests.Session]:
    """Raises Unreadable for whatever goes wrong on the network, and for an address that is none."""
    address = _prepared(access.address)
    with requests.Session() as made:
        made.trust_env, made.max_redirects = False, 0
        try:
            for scheme in ("http://", "https://"):
                made.mount(scheme, _Guarded(address, access.certificate))
            yield made
        except ssl.SSLError as error:
            raise Unreadable(f"the certificate cannot be used: {error}") from error
        except requests.TooManyRedirects as error:
            raise Unreadable(
                f"{access.address} sends elsewhere: enter the address that answers itself"
            ) from error
        except requests.RequestException as error:
            raise Unreadable(f"{access.address}: {error}") from error


def answer(made: requests.Session, url: str, **parameters: str) -> Any:
    """The JSON at an address. Raises Unreadable, naming the status."""
    with made.get(url, params=parameters, stream=True) as got:
        if got.status_code != 200:
            raise Unreadable(f"{url} answers {got.status_code} {got.reason}")
        body = got.raw.read(LARGEST + 1, decode_content=True)
        if len(body) > LARGEST:
            raise Unreadable(f"{url} answers more than {LARGEST // 2**20} MiB at once")
        try:
            return json.loads(body)
        except ValueError as error:
            raise Unreadable(f"{url} does not answer in JSON") from error
