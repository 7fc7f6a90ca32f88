"""A SyslogListener made of real parts: bound sockets, a SQLite journal, group commit, a keyring."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

from tests.support import rows_of
from watchkeeper.journal.group import GroupCommit
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.dead_letters import DeadLetters
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.limits import Limits, StaticKeyring
from watchkeeper.receivers.syslog_listener import SyslogListener
from watchkeeper.receivers.tls import Certificate

LOCAL = IntakeKey(id="k1", name="local", addresses=("127.0.0.1", "::1"))


class RunningSyslog:
    """Listens on a free UDP and a free TCP port, and with a certificate on one over TLS, over a journal in `folder`."""

    def __init__(
        self, folder: Path, *keys: IntakeKey, max_bytes: int = 2 * 1024**3, host: str = "127.0.0.1",
        receive_buffer: int = 0, certificate: Certificate | None = None, limits: Limits | None = None,
    ) -> None:  # fmt: skip
        self.journal = SqliteJournal(folder / "journal.db", max_bytes=max_bytes)
        self.group = GroupCommit(self.journal)
        self.stats = DoorStats()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.udp = socket.socket(family, socket.SOCK_DGRAM)
        if receive_buffer:
            self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.udp.bind((host, 0))
        self.tcp = socket.socket(family, socket.SOCK_STREAM)
        self.tcp.bind((host, 0))
        self.tcp.listen(1024)
        self.udp_port: int = self.udp.getsockname()[1]
        self.tcp_port: int = self.tcp.getsockname()[1]
        self.tls = socket.socket(family, socket.SOCK_STREAM)
        self.tls.bind((host, 0))
        self.tls.listen(1024)
        self.tls_port: int = self.tls.getsockname()[1]
        self.listener = SyslogListener(
            [self.udp, self.tcp], group=self.group, stats=self.stats, letters=DeadLetters(),
            keyring=StaticKeyring({key.id: key for key in keys or (LOCAL,)}),
            secured=(self.tls, certificate) if certificate else None, limits=limits,
        )  # fmt: skip

    def start(self) -> None:
        asyncio.run(self.listener.start())

    def stop(self) -> None:
        """Stop listening; the journal stays to be read."""
        asyncio.run(self.listener.stop())

    def close(self) -> None:
        for part in (self.group, self.journal, self.udp, self.tcp, self.tls):
            part.close()

    def rows(self, stream: Stream = Stream.LOGS) -> list[dict[str, Any]]:
        """Every row of a stream that is in the journal."""
        return rows_of(self.journal, stream)

    def bodies(self) -> list[str]:
        return [row["body"] for row in self.rows()]

    @property
    def counted(self) -> dict[str, Any]:
        return self.stats.door("syslog").as_dict()

    def send(self, *datagrams: bytes) -> None:
        """Over UDP, from 127.0.0.1."""
        with socket.socket(self.udp.family, socket.SOCK_DGRAM) as s:
            for datagram in datagrams:
                s.sendto(datagram, self.udp.getsockname())

    def connect(self, source: str = "") -> socket.socket:
        address = self.tcp.getsockname()[:2]
        return socket.create_connection(address, 10, (source, 0) if source else None)
