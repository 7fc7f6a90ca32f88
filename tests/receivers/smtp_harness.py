"""An SmtpListener made of real parts, on an event loop in a thread of its own, and a certificate for it."""

from __future__ import annotations

import asyncio
import datetime as dt
import smtplib
import socket
import ssl
import threading
from functools import cache
from pathlib import Path
from typing import Any

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support import rows_of
from watchkeeper.journal.group import GroupCommit
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.dead_letters import DeadLetters
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.limits import StaticKeyring
from watchkeeper.receivers.smtp_listener import SmtpListener
from watchkeeper.receivers.smtp_spool import Spool

KEYS = {
    "wki_Good-Key_1": IntakeKey(id="k1", name="mail"),
    "wki_slow": IntakeKey(id="k2", name="slow", rate=0.1),
    "wki_other": IntakeKey(id="k3", name="other door", doors=("syslog",)),
}
KEY = "wki_Good-Key_1"


@cache
def certificate() -> tuple[bytes, bytes]:
    """A certificate for localhost that signs itself, and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return made.public_bytes(serialization.Encoding.PEM), private


def files(folder: Path) -> tuple[Path, Path]:
    """The two as files."""
    paths = folder / "tls.crt", folder / "tls.key"
    for path, text in zip(paths, certificate(), strict=True):
        path.write_bytes(text)
    return paths


class RunningSmtp:
    """Listens on a free port, over a journal in `folder`."""

    def __init__(self, folder: Path, *, tls: bool = False, max_bytes: int = 2 * 1024**3,
                 spool: Spool | None = None) -> None:  # fmt: skip
        self.journal = SqliteJournal(folder / "journal.db", max_bytes=max_bytes)
        self.group, self.stats = GroupCommit(self.journal), DoorStats()
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(100)
        self.port: int = self.socket.getsockname()[1]
        context = None
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*files(folder))
        self.listener = SmtpListener(
            self.socket, group=self.group, keyring=StaticKeyring(KEYS), stats=self.stats, letters=DeadLetters(),
            tls=context, spool=spool,
        )  # fmt: skip
        self._started, self._loop = threading.Event(), asyncio.new_event_loop()
        self._ended: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: uvloop.run(self._serve()))
        self._thread.start()
        assert self._started.wait(10)

    async def _serve(self) -> None:
        self._loop.close()
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        await self.listener.start()
        self._started.set()
        await self._ended.wait()
        await self.listener.stop()

    def stop(self) -> None:
        assert self._ended is not None
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(15)
        assert not self._thread.is_alive()
        for part in (self.group, self.journal, self.socket):
            part.close()

    def client(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, timeout=20)

    def rows(self, stream: Stream = Stream.EVENTS) -> list[dict[str, Any]]:
        """Every row of a stream that is in the journal."""
        return rows_of(self.journal, stream)

    @property
    def counted(self) -> dict[str, Any]:
        return self.stats.door("mail").as_dict()
