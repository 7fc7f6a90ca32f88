"""Where pollers may go: a name is resolved once, every address it has is checked, and the connection goes to a checked
address. What was found is kept for a short while, so that a name that many probes ask for is looked up once."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable

from watchkeeper.model.errors import WatchkeeperError

KEPT = 20.0  # seconds
MOST = 20_000  # names


class Unreachable(WatchkeeperError):
    """A target that cannot be asked, or does not answer; `detail` goes on a sentence that begins with its name."""

    reason = "unreachable"


class NotAllowed(Unreachable):
    """An address that is not to be polled."""

    reason = "address_not_allowed"


class Reach:
    """`refuses` says what is wrong with an address, "" for nothing."""

    def __init__(self, refuses: Callable[[str], str]) -> None:
        self._refuses = refuses
        self._found: dict[str, tuple[float, tuple[str, ...]]] = {}

    async def addresses(self, host: str) -> tuple[str, ...]:
        """The checked addresses of a host. Raises Unreachable, NotAllowed."""
        now = asyncio.get_running_loop().time()
        kept = self._found.get(host)
        if kept is not None and now < kept[0]:
            return kept[1]
        found = (host,) if _is_address(host) else await _resolved(host)
        for address in found:
            if wrong := self._refuses(address):
                where = "" if address == host else f" is at {address}, which"
                raise NotAllowed(f"{where} is not polled: {wrong}".strip())
        if len(self._found) >= MOST:
            self._found.clear()
        self._found[host] = now + KEPT, found
        return found


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _resolved(host: str) -> tuple[str, ...]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"has a name that cannot be resolved: {_why(error)}") from error
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _why(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def split(target: str, port: int = 0) -> tuple[str, int]:
    """Host and port of `host:port`, `[::1]:port` or a host alone. Raises Unreachable when there is no port.

    >>> split("[::1]:80"), split("db1:5432"), split("::1", 9)
    (('::1', 80), ('db1', 5432), ('::1', 9))
    """
    host, colon, text = target.rpartition(":")
    if target.startswith("[") and target.endswith("]"):
        host, text = target[1:-1], ""
    elif not colon or (":" in host and not host.startswith("[")):
        host, text = target, ""
    if text and not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise Unreachable(f"has no port: {text[:20]!r} is none")
    number = int(text) if text else port
    if not number:
        raise Unreachable("has no port: write host:port")
    return host.strip("[]"), number
