"""An SnmpListener made of real parts: a bound socket, a SQLite journal, group commit, a keyring; and Debian's tools
that send to it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

from tests.support import require, rows_of
from watchkeeper.journal.group import GroupCommit
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.declared import SnmpUser
from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.dead_letters import DeadLetters
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.limits import StaticKeyring
from watchkeeper.receivers.snmp_listener import SnmpListener

LOCAL = IntakeKey(id="k1", name="local", addresses=("127.0.0.1", "::1"))


class Users:
    """Declared users, which a test may change."""

    def __init__(self, *users: SnmpUser) -> None:
        self.users = users

    def snmp_users(self) -> tuple[SnmpUser, ...]:
        return self.users


class RunningSnmp:
    """Listens on a free UDP port, over a journal in `folder`."""

    def __init__(
        self, folder: Path, *users: SnmpUser, keys: tuple[IntakeKey, ...] = (LOCAL,),
        max_bytes: int = 2 * 1024**3, bound: socket.socket | None = None,
    ) -> None:  # fmt: skip
        self.journal = SqliteJournal(folder / "journal.db", max_bytes=max_bytes)
        self.group = GroupCommit(self.journal)
        self.stats, self.users = DoorStats(), Users(*users)
        self.socket = bound or socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if bound is None:
            self.socket.bind(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.listener = SnmpListener(
            self.socket, folder, group=self.group, stats=self.stats, letters=DeadLetters(), users=self.users,
            keyring=StaticKeyring({key.id: key for key in keys}),
        )  # fmt: skip

    def start(self) -> None:
        asyncio.run(self.listener.start())

    def stop(self) -> None:
        """Stop listening; the journal stays to be read."""
        asyncio.run(self.listener.stop())

    def close(self) -> None:
        for part in (self.group, self.journal, self.socket):
            part.close()

    def rows(self, stream: Stream = Stream.EVENTS) -> list[dict[str, Any]]:
        """Every row of a stream that is in the journal."""
        return rows_of(self.journal, stream)

    @property
    def counted(self) -> dict[str, Any]:
        return self.stats.door("snmp").as_dict()

    def tool(self, name: str, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run snmptrap or snmpinform towards this listener; `TARGET` among the words is its address."""
        return tool(name, *(f"127.0.0.1:{self.port}" if w == "TARGET" else w for w in words), timeout=timeout)


def tool(name: str, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run one of Debian's SNMP tools without MIB files and settings of this machine."""
    require(shutil.which(name), "Debian's snmp is not installed")
    if name == "snmpinform" and "-t" not in words:
        words = ("-t", "20", *words)  # a slow disk must not make it say everything twice
    env = {**os.environ, "MIBS": "", "SNMPCONFPATH": "/nonexistent"}
    return subprocess.run([name, *words], capture_output=True, text=True, timeout=timeout, env=env)
