"""Syslog over TLS, RFC 5425: the connections of Streams behind a handshake that nobody else waits for. A thread of its
own, so that handshakes cost those who send without TLS nothing."""

from __future__ import annotations

import socket
import ssl
import time

from watchkeeper.receivers.door_stats import DoorCounters
from watchkeeper.receivers.limits import Limits
from watchkeeper.receivers.syslog_admission import Admission
from watchkeeper.receivers.syslog_streams import Connection, Readable, Streams
from watchkeeper.receivers.syslog_writer import Writer
from watchkeeper.receivers.tls import Certificate

_RECORD = 16 * 1024  # bytes that one record may hold


class TlsStreams(Streams):
    """Serves the connections of one listening socket; `run` is for a thread of its own."""

    def __init__(
        self, listening: socket.socket, admission: Admission, writer: Writer, counters: DoorCounters,
        certificate: Certificate, limits: Limits,
    ) -> None:  # fmt: skip
        super().__init__(listening, admission, writer, counters, limits)
        self._certificate, self._patience = certificate, limits.header_time
        self._shaking: dict[Connection, float] = {}  # until when, monotonic; the first began first

    def _opened(self, accepted: socket.socket) -> Readable:
        return _Secured(self._certificate.context().wrap_socket(
            accepted, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True
        ))  # fmt: skip

    def _add(self, connection: Connection) -> None:
        super()._add(connection)
        self._shaking[connection] = time.monotonic() + self._patience

    def _look(self) -> None:
        super()._look()
        now = time.monotonic()
        for connection, until in list(self._shaking.items()):
            if not _is_shaking(connection):
                del self._shaking[connection]
            elif until <= now:
                self._counters.reject("slow_client")
                del self._shaking[connection]
                self._close(connection)
            else:
                break

    def _close(self, connection: Connection) -> None:
        if self._shaking.pop(connection, None) is not None and _is_shaking(connection):
            self._counters.reject("tls_handshake")
        super()._close(connection)


class _Secured:
    """A TLS connection that is read like a socket that does not block; the handshake is done by the first reads."""

    def __init__(self, secured: ssl.SSLSocket) -> None:
        self._socket = secured
        self.shaking = True

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def recv(self, size: int) -> bytes:
        """What has arrived; b"" at the end. Raises BlockingIOError when there is nothing, OSError."""
        pieces: list[bytes] = []
        try:
            if self.shaking:
                self._socket.do_handshake()
                self.shaking = False
            # What stayed in a record that is begun, no wait would tell of.
            while (size > 0 or self._socket.pending()) and (piece := self._socket.recv(max(size, _RECORD))):
                pieces.append(piece)
                size -= len(piece)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            if not pieces:
                raise BlockingIOError from error
        except OSError:
            if not pieces:
                raise
        return b"".join(pieces)

    def close(self) -> None:
        """Close, without a word: the other side may not be there to hear it."""
        self._socket.close()


def _is_shaking(connection: Connection) -> bool:
    return isinstance(connection.socket, _Secured) and connection.socket.shaking
