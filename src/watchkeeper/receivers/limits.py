"""How much one sender may ask of a door, and who it is: sizes, times, rows a second, and keys held in memory.

Not the intake keys of the records: those come from a Keyring that the domain `identity` gives.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.errors import RateLimited, Unauthorised, WatchkeeperError

MIB = 1024 * 1024
SMALL = 64 * 1024  # bytes of a body for the web process that are not counted, so that forms are always let in
BURST_SECONDS = 5.0  # what a key may send at once, in seconds of its rate


class SlowClient(WatchkeeperError):
    """The body did not arrive in time."""

    status = 408
    reason = "slow_client"


class Busy(WatchkeeperError):
    """Too many large bodies are in hand at once. Try again later."""

    status = 503
    reason = "busy"
    retry_after = 1.0


@dataclass(frozen=True)
class Limits:
    """Bounds of the HTTP front. Sizes in bytes, times in seconds."""

    body: int = 16 * MIB  # as sent
    decoded: int = 16 * MIB  # after decompression
    in_hand: int = 128 * MIB  # bodies being received and decoded, all together
    header_time: float = 10.0  # from the connection to the end of the first request's headers
    idle_time: float = 10.0  # between two pieces of a body
    body_time: float = 60.0  # for a whole body
    proxied_time: float = 600.0  # for a whole body on its way to the web process, which people send as well
    stranger: int = MIB  # a body there that comes with neither session nor token: forms, providers
    keepalive_time: float = 75.0  # between two requests on one connection
    connections: int = 4096  # at once, of each door with a port of its own
    of_one: int = 1024  # of these, from one address
    inline: int = 64 * 1024  # bodies up to here are decoded at once, larger ones in a thread
    letters_per_second: float = 20.0  # dead letters kept; a burst of ten seconds' worth at once
    letter_bytes: int = 64 * 1024  # kept of one dead letter


class Places:
    """The connections that a door holds: `most` at once, `of_one` of them from one address, so that nobody takes all.
    `shared` says of an address that many senders are behind it, as behind a reverse proxy. For one thread."""

    def __init__(self, most: int, of_one: int, shared: Callable[[str], bool] = lambda _: False) -> None:
        self._most, self._of_one, self._shared = most, of_one, shared
        self._taken: Counter[str] = Counter()
        self._all = 0

    def take(self, address: str) -> bool:
        """Whether there was one for this address; it is taken then, until `leave`."""
        if self._all >= self._most or (self._taken[address] >= self._of_one and not self._shared(address)):
            return False
        self._taken[address] += 1
        self._all += 1
        return True

    def leave(self, address: str) -> None:
        """Give one back."""
        self._all -= 1
        self._taken[address] -= 1
        if not self._taken[address]:
            del self._taken[address]


class RateLimiter:
    """A token bucket of rows for every key that has a rate. A body is let in while its key is not in debt and
    pays when its rows are known, so that no body is too large for any rate.

    `monotonic` gives seconds. Source: the leaky bucket as a meter, ITU-T I.371.
    """

    def __init__(self, monotonic: Callable[[], float], burst_seconds: float = BURST_SECONDS) -> None:
        self._monotonic = monotonic
        self._burst = burst_seconds
        self._buckets: dict[str, tuple[float, float]] = {}  # key id → rows left, at which time

    def check(self, key: IntakeKey) -> None:
        """Raises RateLimited while the key is in debt, saying when it will be out of it."""
        if key.rate > 0 and (left := self._left(key)) <= 0:
            wait = max(-left / key.rate, 1 / key.rate)
            raise RateLimited(
                f"intake key {key.name!r} may send {key.rate:g} rows/s; try again in {math.ceil(wait)} s",
                retry_after=wait,
            )

    def charge(self, key: IntakeKey, rows: int) -> None:
        """Take this many rows off the key's bucket."""
        if key.rate > 0:
            self._buckets[key.id] = (self._left(key) - rows, self._monotonic())

    def _left(self, key: IntakeKey) -> float:
        full = max(1.0, key.rate * self._burst)
        left, at = self._buckets.get(key.id, (full, 0.0))
        return min(full, left + (self._monotonic() - at) * key.rate)


class Allowance:
    """A number of bytes that all bodies in hand share."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.taken = 0

    @contextmanager
    def lend(self, free: int = 0) -> Iterator[Callable[[int], None]]:
        """Gives a function that takes more bytes, and returns them all at the end; the first `free` are not counted.
        The function raises Busy when there are not so many."""
        mine = -free

        def take(more: int) -> None:
            nonlocal mine
            counted = max(0, min(more, mine + more))
            if self.taken + counted > self.total:
                raise Busy("too many large bodies at once; try again in a second")
            mine += more
            self.taken += counted

        try:
            yield take
        finally:
            self.taken -= max(0, mine)


class StaticKeyring:
    """A Keyring of keys known beforehand: for tests, benchmarks and offline replay."""

    def __init__(self, keys: Mapping[str, IntakeKey]) -> None:
        self._keys = {_digest(secret): key for secret, key in keys.items()}

    def by_secret(self, secret: str, door: str, address: str) -> IntakeKey:
        """The key with this secret. Raises Unauthorised: unknown, or not for this door or address."""
        key = self._keys.get(_digest(secret))
        if key is None:
            raise Unauthorised("unknown intake key")
        if not _admits(key, door, address):
            raise Unauthorised(f"this intake key may not be used at {door} from {address}")
        return key

    def by_address(self, door: str, address: str) -> IntakeKey:
        """The first key that names a network with this address in it. Raises Unauthorised."""
        for key in self._keys.values():
            if key.addresses and _admits(key, door, address):
                return key
        raise Unauthorised(f"no intake key admits {address} at {door}")


def _digest(secret: str) -> bytes:
    """Keys are looked up by a hash, so that the time it takes says nothing about a secret's beginning."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _admits(key: IntakeKey, door: str, address: str) -> bool:
    if key.doors and door not in key.doors:
        return False
    return not key.addresses or among(address, [ipaddress.ip_network(n, strict=False) for n in key.addresses])


def among(address: str, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    """Whether one of these networks has the address, IPv4 in IPv6 as IPv4; what is no address is in none."""
    try:
        where = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(where, ipaddress.IPv6Address) and where.ipv4_mapped:
        where = where.ipv4_mapped
    return any(where in n for n in networks)
