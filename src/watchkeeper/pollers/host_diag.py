"""Asks the Linux kernel for sockets: sock_diag(7), which any user may ask. Listening sockets come from a
small table, where /proc/net/tcp walks the whole hash table each time (13 ms were seen, against 0.1).

A unix socket that was accepted bears the path of the socket that accepted it, so of two connected sockets the
one with a path is the server's.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

_SOCK_DIAG, _BY_FAMILY = 4, 20  # NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY
_DONE, _ERROR = 3, 2
_DUMP = 0x301  # NLM_F_REQUEST, NLM_F_DUMP
_SHOW_NAME, _SHOW_PEER = 0x1, 0x4
_NAME, _PEER = 0, 2  # attributes UNIX_DIAG_NAME, UNIX_DIAG_PEER
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ASK_UNIX = struct.Struct("=BBHIIIII")  # family, protocol, padding, states, inode, show, two cookies
_ASK_INET = struct.Struct("=BBBBI48x")  # family, protocol, extensions, padding, states; any socket
_UNIX = struct.Struct("=BBBBIII")  # family, type, state, padding, inode, two cookies
_INET = struct.Struct("=BBBBHH16s16sIII")  # family, state, timer, retransmits, ports (network order), ends …
_INET_SIZE, _INODE_AT = 72, 68
_ATTRIBUTE = struct.Struct("=HH")  # length, type
_TIMEOUT = 2.0
MOST = 200_000  # sockets looked at

ESTABLISHED, CLOSE, LISTEN = (
    1,
    7,
    10,
)  # states as in the kernel's tcp_states.h; CLOSE is any unconnected UDP socket


class InetSocket(NamedTuple):
    """A TCP or UDP socket; addresses as the kernel has them, 4 or 16 bytes."""

    address: bytes
    port: int
    remote: bytes
    remote_port: int
    inode: int


def inet_sockets(protocol: int, state: int) -> list[InetSocket] | None:
    """The sockets of a protocol (socket.IPPROTO_TCP, IPPROTO_UDP) in a state, both families; None where the
    kernel does not tell."""
    found = []
    for family, size in ((socket.AF_INET, 4), (socket.AF_INET6, 16)):
        answers = _ask(_ASK_INET.pack(family, protocol, 0, 0, 1 << state))
        if answers is None:
            return None
        for body in answers:
            if len(body) < _INET_SIZE:
                continue
            fields = _INET.unpack_from(body)
            (inode,) = struct.unpack_from("=I", body, _INODE_AT)
            port, remote_port = socket.ntohs(fields[4]), socket.ntohs(fields[5])
            found.append(InetSocket(fields[6][:size], port, fields[7][:size], remote_port, inode))
    return found


def unix_peers() -> list[tuple[int, int]]:
    """Pairs of inodes (client's socket, server's socket); none where the kernel does not tell."""
    answers = _ask(_ASK_UNIX.pack(socket.AF_UNIX, 0, 0, 1 << ESTABLISHED, 0, _SHOW_NAME | _SHOW_PEER, 0, 0))
    named: dict[int, bool] = {}
    peers: dict[int, int] = {}
    for body in answers or ():
        inode, name, peer = _unix(body)
        named[inode], peers[inode] = name, peer
    return [
        (peer, inode) for inode, peer in peers.items() if named[inode] and peer and not named.get(peer, True)
    ]


def _ask(question: bytes) -> list[bytes] | None:
    """The bodies of all answers; None when the kernel refuses or knows no such question."""
    family = getattr(socket, "AF_NETLINK", None)
    if family is None:
        return None
    message = _HEADER.pack(_HEADER.size + len(question), _BY_FAMILY, _DUMP, 1, 0) + question
    found: list[bytes] = []
    try:
        with socket.socket(family, socket.SOCK_RAW, _SOCK_DIAG) as asked:
            asked.settimeout(_TIMEOUT)
            asked.sendto(message, (0, 0))
            while len(found) < MOST:
                for kind, body in _messages(asked.recv(1 << 17)):
                    if kind == _ERROR:
                        return None
                    if kind == _DONE:
                        return found
                    found.append(body)
    except OSError:
        return None
    return found


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, at)
        if length < _HEADER.size:
            return
        yield kind, data[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def _unix(body: bytes) -> tuple[int, bool, int]:
    """Inode, whether the socket has a path, and the peer's inode (0: none)."""
    inode = _UNIX.unpack_from(body)[4]
    name, peer, at = False, 0, _UNIX.size
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if length < _ATTRIBUTE.size:
            break
        if kind == _NAME:
            name = True
        elif kind == _PEER:
            (peer,) = struct.unpack_from("=I", body, at + _ATTRIBUTE.size)
        at += (length + 3) & ~3
    return inode, name, peer
