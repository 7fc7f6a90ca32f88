"""Reads the sockets of this machine and who holds them: from the Linux kernel, else through psutil.

The kernel tells every socket but no process; finding the holders means reading every process's descriptors,
which is dear. So holders are remembered by the socket's inode, and looked for again, together with the
connections, when a listening socket is unknown and else every `walk_every` seconds.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import psutil

from watchkeeper.pollers.host_diag import CLOSE, ESTABLISHED, LISTEN, InetSocket, inet_sockets, unix_peers
from watchkeeper.pollers.host_reading import Connection, Listener, Sockets


class SocketTable(Protocol):
    """The sockets of this machine."""

    def read(self, pids: Iterable[int], now: float) -> Sockets:
        """Every socket; `pids` are the processes there are, `now` is in seconds. Listeners are as they
        are now, connections may be as old as the reader's period."""
        ...

    def same_listeners(self) -> bool:
        """Whether `read` would give the same listeners again; False where that is not cheap to tell."""
        ...


class KernelSockets:
    """Sockets from the Linux kernel. An ordinary user sees every socket, and the holders of its own."""

    def __init__(self, proc: Path = Path("/proc"), walk_every: float = 30.0) -> None:
        self._proc = proc
        self._every = walk_every
        self._walked = -walk_every
        self._last: set[int] = set()  # inodes of what listened
        self._holders: dict[int, tuple[int, ...]] = {}
        self._unheld: frozenset[int] = (
            frozenset()
        )  # listening sockets whose holders the last walk did not find
        self._connections: tuple[Connection, ...] = ()
        self._unix: tuple[tuple[int, int], ...] = ()
        self._ephemeral = ephemeral_ports(proc)

    def read(self, pids: Iterable[int], now: float) -> Sockets:
        """See SocketTable."""
        tcp, udp = self._listening()
        inodes = self._last = {s.inode for s in (*tcp, *udp)}
        if not 0 <= now - self._walked < self._every or inodes - self._holders.keys() - self._unheld:
            self._walked = now
            self._walk(pids)
            self._unheld = frozenset(inodes - self._holders.keys())
        listeners = [self._listener("tcp", s) for s in tcp] + [self._listener("udp", s) for s in udp]
        return Sockets(tuple(listeners), self._connections, self._unix)

    def same_listeners(self) -> bool:
        """See SocketTable."""
        return {s.inode for some in self._listening() for s in some} == self._last

    def _listening(self) -> tuple[list[InetSocket], list[InetSocket]]:
        tcp = inet_sockets(socket.IPPROTO_TCP, LISTEN) or []
        udp = inet_sockets(socket.IPPROTO_UDP, CLOSE) or []
        return tcp, [s for s in udp if 0 < s.port < self._ephemeral]

    def _listener(self, protocol: str, s: InetSocket) -> Listener:
        return Listener(protocol, _text(s.address), s.port, self._holders.get(s.inode, ()))

    def _walk(self, pids: Iterable[int]) -> None:
        holders: dict[int, list[int]] = {}
        for pid in pids:
            for inode in _inodes(f"{self._proc}/{pid}/fd"):
                holders.setdefault(inode, []).append(pid)
        self._holders = {inode: tuple(dict.fromkeys(found)) for inode, found in holders.items()}
        self._connections = tuple(
            Connection(
                _text(s.address), s.port, _text(s.remote), s.remote_port, self._holders.get(s.inode, (0,))[0]
            )
            for s in inet_sockets(socket.IPPROTO_TCP, ESTABLISHED) or []
        )
        pairs = set()
        for client, server in unix_peers():
            a, b = self._holders.get(client, ()), self._holders.get(server, ())
            if a and b and a[0] != b[0]:
                pairs.add((a[0], b[0]))
        self._unix = tuple(sorted(pairs))


class PsutilSockets:
    """Sockets through psutil, where the kernel does not tell."""

    def __init__(self, walk_every: float = 30.0) -> None:
        self._every = walk_every
        self._read = -walk_every
        self._last = Sockets()

    def read(self, pids: Iterable[int], now: float) -> Sockets:  # noqa: ARG002 - psutil finds them itself
        """See SocketTable; not asked more often than every `walk_every` seconds, for it is dear."""
        if 0 <= now - self._read < self._every:
            return self._last
        self._read = now
        try:
            found = psutil.net_connections("inet")
        except (psutil.Error, OSError):
            return self._last
        low = ephemeral_ports(Path("/proc"))
        listeners: dict[tuple[str, str, int], list[int]] = {}
        connections = []
        for c in found:
            if not c.laddr:
                continue
            protocol = "tcp" if c.type == socket.SOCK_STREAM else "udp"
            bound = protocol == "udp" and not c.raddr and c.laddr.port < low
            if c.status == psutil.CONN_LISTEN or bound:
                holders = listeners.setdefault((protocol, plain(c.laddr.ip), c.laddr.port), [])
                holders.extend([c.pid] if c.pid else [])
            elif c.status == psutil.CONN_ESTABLISHED and c.raddr:
                ends = (plain(c.laddr.ip), c.laddr.port, plain(c.raddr.ip), c.raddr.port)
                connections.append(Connection(*ends, c.pid or 0))
        self._last = Sockets(
            tuple(Listener(*key, tuple(dict.fromkeys(held))) for key, held in listeners.items()),
            tuple(connections),
        )
        return self._last

    def same_listeners(self) -> bool:
        """See SocketTable."""
        return False


def sockets(proc: Path = Path("/proc"), walk_every: float = 30.0) -> SocketTable:
    """The reader that fits this system."""
    told = (proc / "self" / "fd").exists() and inet_sockets(socket.IPPROTO_TCP, LISTEN) is not None
    return KernelSockets(proc, walk_every) if told else PsutilSockets(walk_every)


def ephemeral_ports(proc: Path) -> int:
    """The first port that the system gives out by itself; 32768 where it does not say."""
    try:
        return int((proc / "sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32768


def plain(address: str) -> str:
    """An address in its one form, without a zone, IPv4 in IPv6 as IPv4.

    >>> plain("::ffff:127.0.0.1"), plain("fe80::1%eth0")
    ('127.0.0.1', 'fe80::1')
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def _text(raw: bytes) -> str:
    found = _addresses.get(raw)
    if found is None:
        found = plain(socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw))
        if len(_addresses) > 50_000:
            _addresses.clear()
        _addresses[raw] = found
    return found


_addresses: dict[bytes, str] = {}


def _inodes(folder: str) -> Iterator[int]:
    """The inodes of the sockets among a process's descriptors; none when we may not look."""
    try:
        descriptors = os.listdir(folder)  # noqa: PTH208
    except OSError:
        return
    for d in descriptors:
        try:
            target = os.readlink(f"{folder}/{d}")  # noqa: PTH115
        except OSError:
            continue
        if target.startswith("socket:["):
            yield int(target[8:-1])
