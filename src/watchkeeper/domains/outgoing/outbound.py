"""Requests that this platform makes to addresses people have entered: never to internal addresses unless an
operator allows them, bounded in time and size, and following no redirect.

The name is resolved once, every address it has is checked, and the connection goes to a checked address: a name
that changes its mind between check and use (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from watchkeeper.model.errors import WatchkeeperError

TIMEOUT = 15.0  # seconds for all of it
MAX_ANSWER = 64 * 1024  # bytes that are read of an answer
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class NotAllowed(WatchkeeperError):
    """The address is internal, or none that may be asked."""

    status = 400
    reason = "address_not_allowed"


class Unreachable(WatchkeeperError):
    """No answer in time."""

    status = 502
    reason = "unreachable"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, its headers, and the beginning of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def get(url: str, headers: Mapping[str, str], timeout: float = TIMEOUT, most: int = MAX_ANSWER) -> Answer:
    """GET, and the answer whatever its status, with at most so many bytes. Raises NotAllowed or Unreachable."""
    return _ask("GET", url, None, headers, timeout, most)


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float = TIMEOUT) -> Answer:
    """POST, and the answer whatever its status. Raises NotAllowed or Unreachable."""
    return _ask("POST", url, body, headers, timeout)


def _ask(
    method: str, url: str, body: bytes | None, headers: Mapping[str, str], timeout: float, most: int = MAX_ANSWER
) -> Answer:  # fmt: skip
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        host = parts.hostname or ""
    except (KeyError, ValueError) as error:
        raise NotAllowed(f"{url!r} is not a http or https address") from error
    if not host or parts.username is not None:
        raise NotAllowed(f"{url!r}: an address with a host and without a user is needed")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    checked = check(host, port)
    connection = _Pinned(host, port, checked, parts.scheme == "https", timeout)
    # Each step has its own time limit; a server that trickles would go on for ever without this one.
    end = threading.Timer(timeout, connection.abort)
    end.start()
    try:
        connection.request(method, target, body, dict(headers))
        found = connection.getresponse()
        return Answer(found.status, dict(found.headers.items()), found.read(most))
    except http.client.InvalidURL as error:
        raise NotAllowed(f"{url!r} is not a http or https address") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{host}: {error or type(error).__name__}") from error
    finally:
        end.cancel()
        connection.close()


def check(host: str, port: int) -> list[str]:
    """The addresses of a host, when all of them may be asked. Raises NotAllowed or Unreachable."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{host} cannot be resolved: {error}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    allowed = settings.OUTBOUND_ALLOW
    for text in addresses:
        if not public(text) and not _among(text, allowed):
            raise NotAllowed(
                f"{host} is at the internal address {text}; WATCHKEEPER_OUTBOUND_ALLOW can allow its network"
            )
    return addresses


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """A connection to the first address of a host that answers, where all of them may be asked. Raises NotAllowed,
    Unreachable or OSError."""
    error: OSError | None = None
    for address in check(host, port):
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as e:
            error = e
    raise error or OSError("no address has answered in time")


def public(text: str) -> bool:
    """Whether an address is on the public internet, also one that hides IPv4 inside IPv6.

    Of IPv6 that is 2000::/3 alone (RFC 4291, section 2.4): what lies outside is local, special, deprecated or not
    given out, and some of it is newer than Python's own list.

    >>> public("93.184.216.34"), public("127.0.0.1"), public("::ffff:10.0.0.1"), public("::127.0.0.1")
    (True, False, False, False)
    """
    address = ipaddress.ip_address(text.split("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast and not any(address in n for n in _SPECIAL_4)
    hidden = _hidden(address)
    if hidden:
        return all(public(str(inner)) for inner in hidden)
    return address in _UNICAST and address.is_global and not any(address in n for n in _SPECIAL_6)


_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: protocol assignments, relays of 6to4; documentation
_SPECIAL_4 = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))
_SPECIAL_6 = (ipaddress.IPv6Network("3fff::/20"),)


def _hidden(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses to which this one leads: mapped, 6to4, Teredo, NAT64, ISATAP."""
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    isatap = (int(address) >> 32) & 0xFCFFFFFF == 0x5EFE  # RFC 5214: ::0:5efe and ::200:5efe
    return [*filter(None, found), *([last] if address in _NAT64 or isatap else [])]


def _among(text: str, networks: Sequence[Network]) -> bool:
    address = ipaddress.ip_address(text.split("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in n for n in networks)


class _Pinned(http.client.HTTPConnection):
    """A connection to checked addresses; the name serves for the certificate and the Host header alone."""

    def __init__(self, host: str, port: int, addresses: Sequence[str], secure: bool, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self.default_port = 443 if secure else 80
        self._addresses, self._secure = addresses, secure
        self._end = time.monotonic() + timeout

    def connect(self) -> None:
        """Connect to the first address that answers, while there is time."""
        error: OSError | None = None
        for address in self._addresses:
            left = self._end - time.monotonic()
            if left <= 0:
                break
            try:
                self.sock = socket.create_connection((address, self.port), left)
            except OSError as e:
                error = e
                continue
            if self._secure:
                self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
            return
        raise error or OSError("no address has answered in time")

    def abort(self) -> None:
        """Break off from another thread."""
        sock = self.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return
