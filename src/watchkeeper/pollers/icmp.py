"""ICMP echo: pings of many targets over one socket a family. An unprivileged socket where the system gives one
(net.ipv4.ping_group_range), else a raw one, which needs CAP_NET_RAW."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time

from watchkeeper.pollers.outcome import Measured, Outcome
from watchkeeper.pollers.reach import Reach, Unreachable

_HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence number
_TOKEN = 16  # bytes by which an answer is known: identifiers are the system's to choose
#: of IPv4 and IPv6: protocol, the question's type, the answer's
_FAMILIES = {
    socket.AF_INET: (socket.IPPROTO_ICMP, 8, 0),
    socket.AF_INET6: (socket.IPPROTO_ICMPV6, 128, 129),
}


class Pinger:
    """Opens its sockets when the first ping needs them. For one event loop."""

    def __init__(self) -> None:
        self._sockets: dict[int, socket.socket] = {}
        self._waiting: dict[bytes, asyncio.Future[float]] = {}
        self._sequence = 0

    def close(self) -> None:
        """Close what is open."""
        loop = asyncio.get_running_loop()
        for s in self._sockets.values():
            loop.remove_reader(s)
            s.close()

    async def probe(self, target: str, reach: Reach) -> Outcome:
        """Ping a host once, until cancelled. Raises Unreachable."""
        address = (await reach.addresses(target.strip("[]")))[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        token = os.urandom(_TOKEN)
        answered = self._waiting[token] = asyncio.get_running_loop().create_future()
        sent = time.perf_counter()
        try:
            self._socket(family).sendto(self._question(family, token), (address, 0))
            took = await answered - sent
        except OSError as error:
            raise Unreachable(f"cannot be sent a ping: {error.strerror or error}") from error
        finally:
            del self._waiting[token]
        return Outcome(measured=[Measured("probe_icmp_duration_seconds", took, {"phase": "rtt"})])

    def _question(self, family: int, token: bytes) -> bytes:
        self._sequence = (self._sequence + 1) & 0xFFFF
        kind = _FAMILIES[socket.AddressFamily(family)][1]
        identifier = os.getpid() & 0xFFFF
        bare = _HEADER.pack(kind, 0, 0, identifier, self._sequence) + token
        # of IPv6 the system computes it, with the addresses in it
        return _HEADER.pack(kind, 0, _checksum(bare), identifier, self._sequence) + token

    def _socket(self, family: int) -> socket.socket:
        if family not in self._sockets:
            made = _opened(family)
            made.setblocking(False)
            asyncio.get_running_loop().add_reader(made, self._answer, made, family)
            self._sockets[family] = made
        return self._sockets[family]

    def _answer(self, s: socket.socket, family: int) -> None:
        now = time.perf_counter()
        wanted = _FAMILIES[socket.AddressFamily(family)][2]
        while True:
            try:
                packet = s.recv(2048)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # an error that the network told of an earlier ping; that one runs into its time limit
            if family == socket.AF_INET and packet[:1] and packet[0] >> 4 == 4 and s.type == socket.SOCK_RAW:
                packet = packet[(packet[0] & 15) * 4 :]
            waiting = self._waiting.get(packet[_HEADER.size : _HEADER.size + _TOKEN])
            if waiting is not None and packet[0] == wanted and not waiting.done():
                waiting.set_result(now)


def _opened(family: int) -> socket.socket:
    protocol = _FAMILIES[socket.AddressFamily(family)][0]
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            return socket.socket(family, kind, protocol)
        except PermissionError:
            continue
        except OSError as error:
            raise Unreachable(f"cannot be sent a ping: {error.strerror}") from error
    raise Unreachable(
        "cannot be sent a ping, because this system lets us send none: widen net.ipv4.ping_group_range, or give the "
        "polling process CAP_NET_RAW"
    )


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
