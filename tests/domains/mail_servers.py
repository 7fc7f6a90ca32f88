"""Real servers for mails: aiosmtpd, Debian's Dovecot, and a wire between that is cut after so many bytes."""

from __future__ import annotations

import imaplib
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from tests.support import eventually, free_port

DOVECOT = shutil.which("dovecot") or ""
USER, PASSWORD = "desk", "correct-horse-battery"
_CONFIG = """
base_dir = {folder}/run
log_path = {folder}/log
protocols = imap
ssl = no
disable_plaintext_auth = no
default_internal_user = dovecot
default_login_user = dovenull
listen = 127.0.0.1
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
mail_location = maildir:{folder}/mail
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=mailtest gid=mailtest home={folder}
}}
namespace inbox {{
  inbox = yes
  mailbox Done {{
    auto = create
  }}
}}
"""


@dataclass
class Taken:
    """What an SMTP server has taken, and what it answers: "" to take it."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    answer: Callable[[], str] = lambda: ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002
        """As aiosmtpd asks."""
        said = self.answer()
        if not said:
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return said or "250 OK"


@contextmanager
def smtp_server() -> Iterator[Taken]:
    """aiosmtpd on a free port."""
    taken = Taken(free_port())
    controller = Controller(taken, hostname="127.0.0.1", port=taken.port)  # type: ignore[no-untyped-call]
    controller.start()  # type: ignore[no-untyped-call]
    try:
        yield taken
    finally:
        controller.stop()  # type: ignore[no-untyped-call]


@dataclass
class Imap:
    """A running Dovecot with one mailbox."""

    port: int

    def client(self) -> imaplib.IMAP4:
        """A client that has signed in."""
        client = imaplib.IMAP4("127.0.0.1", self.port)
        client.login(USER, PASSWORD)
        return client

    def put(self, mail: EmailMessage | bytes, folder: str = "INBOX") -> None:
        """Into a folder."""
        client = self.client()
        client.append(folder, "", "", mail if isinstance(mail, bytes) else mail.as_bytes())
        client.logout()

    def flags(self, folder: str = "INBOX") -> list[str]:
        """Of each mail of a folder."""
        client = self.client()
        client.select(folder, readonly=True)
        found = client.uid("FETCH", "1:*", "(FLAGS)")[1]
        client.logout()
        return [bytes(one).decode() for one in found if isinstance(one, bytes)]


@contextmanager
def imap_server(folder: Path, password: str = PASSWORD) -> Iterator[Imap]:
    """Dovecot on a free port, its mails in `folder`."""
    port = free_port()
    subprocess.run(["useradd", "--system", "--no-create-home", "mailtest"], check=False, capture_output=True)
    (folder / "mail").mkdir(parents=True)
    subprocess.run(["chmod", "-R", "o+rx", *map(str, [folder, *list(folder.parents)[:-2]])], check=False)
    shutil.chown(folder, "mailtest", "mailtest")
    shutil.chown(folder / "mail", "mailtest", "mailtest")
    config = folder / "dovecot.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port, password=password), "utf-8")
    process = subprocess.Popen(
        [DOVECOT, "-F", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        eventually(lambda: _listens(port))
        yield Imap(port)
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class CutWire:
    """Passes what a server says on to a client until `left` bytes have passed, then it is cut; -1: it never is."""

    def __init__(self, port: int) -> None:
        self._to, self.left = port, -1
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._to)) as server:
            upwards = threading.Thread(target=self._pass, args=(client, server, False), daemon=True)
            upwards.start()
            self._pass(server, client, True)
            upwards.join()

    def _pass(self, source: socket.socket, to: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                if counted and self.left >= 0:
                    data, self.left = data[: self.left], self.left - len(data[: self.left])
                to.sendall(data)
                if counted and self.left == 0:
                    break
        for one in (source, to):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
