"""Many datagrams at once from a UDP socket: one call into the kernel, recvmmsg(2). Where
there is no recvmmsg, one call each. What the kernel dropped is asked of it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SLOTS = 256
_SLOT = 65_536  # no datagram is larger
_NAME = 28  # bytes of a sockaddr_in6
_SO_RCVBUFFORCE, _SO_MEMINFO, _MEMINFO_DROPS = 33, 55, 8
_BUFFER = 32 * 1024 * 1024


class Datagrams(NamedTuple):
    """What was there: the datagrams one behind the other, how long each is, and who sent it (see `address_of`)."""

    data: bytes
    sizes: NDArray[np.int64]
    names: list[bytes]


class _Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class _Message(ctypes.Structure):
    """struct mmsghdr of Linux: a struct msghdr and the size of what came."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("vectors", ctypes.c_void_p),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("_padding", ctypes.c_int),
        ("received", ctypes.c_uint),
    ]


class DatagramSocket:
    """Reads `bound`, which does not block while this does. For one thread."""

    def __init__(self, bound: socket.socket, *, batched: bool = sys.platform.startswith("linux")) -> None:
        self._socket = bound
        bound.setblocking(False)
        self.room = enlarge(bound)
        self._data = np.empty((SLOTS, _SLOT), np.uint8)
        self._names = np.zeros((SLOTS, _NAME), np.uint8)
        self._receive = self._receive_batch if batched else self._receive_singly
        if batched:
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._vectors = (_Vector * SLOTS)()
            self._messages = (_Message * SLOTS)()
            for i in range(SLOTS):
                self._vectors[i] = _Vector(self._data[i].ctypes.data, _SLOT)
                self._messages[i].name = self._names[i].ctypes.data
                self._messages[i].vectors = ctypes.addressof(self._vectors[i])
                self._messages[i].vector_count = 1
            stride = ctypes.sizeof(_Message) // 4
            words = np.frombuffer(memoryview(self._messages).cast("B"), np.uint32).reshape(SLOTS, stride)
            self._received = words[:, _Message.received.offset // 4]
            self._name_sizes = words[:, _Message.name_size.offset // 4]

    def receive(self) -> Datagrams:
        """What is there, at most SLOTS datagrams; does not wait. Raises OSError when the socket is broken."""
        sizes = self._receive()
        data = b"".join([self._data[i, :size].data for i, size in enumerate(sizes.tolist())])
        names = self._names[: len(sizes)].copy()
        names[:, 2:4] = 0  # the port
        old = names[:, 0] == socket.AF_INET
        names[old, 8:] = 0
        names[~old, 4:8] = 0  # the flow
        names[~old, 24:] = 0  # the scope
        packed: list[bytes] = names.view(f"V{_NAME}").ravel().tolist()
        return Datagrams(data, sizes, packed)

    def drops(self) -> int:
        """See `kernel_drops`."""
        return kernel_drops(self._socket)

    def _receive_batch(self) -> NDArray[np.int64]:
        self._name_sizes[:] = _NAME
        count = self._libc.recvmmsg(self._socket.fileno(), self._messages, SLOTS, socket.MSG_DONTWAIT, None)
        if count < 0:
            error = ctypes.get_errno()
            if error not in (errno.EAGAIN, errno.EINTR):
                raise OSError(error, os.strerror(error))
            count = 0
        sizes: NDArray[np.int64] = self._received[:count].astype(np.int64)
        return sizes

    def _receive_singly(self) -> NDArray[np.int64]:
        sizes: list[int] = []
        while len(sizes) < SLOTS:
            try:
                size, address = self._socket.recvfrom_into(self._data[len(sizes)].data)
            except BlockingIOError:
                break
            family = self._socket.family
            packed = socket.inet_pton(family, address[0].partition("%")[0])
            at = 4 if family == socket.AF_INET else 8
            row = self._names[len(sizes)]
            row[:] = 0
            row[0] = family
            row[at : at + len(packed)] = np.frombuffer(packed, np.uint8)
            sizes.append(size)
        return np.array(sizes, np.int64)


def address_of(name: bytes) -> str:
    """The address in one of the names, a struct sockaddr_in or sockaddr_in6, as text."""
    if name[0] == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, name[4:8])
    return as_ipv4(socket.inet_ntop(socket.AF_INET6, name[8:24]))


def as_ipv4(address: str) -> str:
    """The IPv4 address that an IPv6 address stands for, if it does; without a scope."""
    address = address.partition("%")[0]
    return address.removeprefix("::ffff:") if "." in address else address


def kernel_drops(bound: socket.socket) -> int:
    """Datagrams that the kernel had no room for since the socket was bound; 0 where it does not say."""
    if not sys.platform.startswith("linux"):
        return 0
    memory = bound.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * (_MEMINFO_DROPS + 1))
    return int(struct.unpack_from("I", memory, 4 * _MEMINFO_DROPS)[0])


def enlarge(bound: socket.socket) -> int:
    """Ask for a large receive buffer, past the system's limit if that is allowed; its size in bytes."""
    for option in (_SO_RCVBUFFORCE, socket.SO_RCVBUF):
        try:
            bound.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
            break
        except OSError:
            continue  # not allowed, or not Linux
    return bound.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
