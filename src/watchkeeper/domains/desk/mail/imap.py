"""A mailbox by IMAP, as fetching needs it: what is new, a mail's bytes, and what becomes of it at the server. The connection
goes to an address that `domains.outgoing` allows."""

from __future__ import annotations

import base64
import imaplib
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from watchkeeper.domains.desk.mail.models import MailAccount
from watchkeeper.domains.outgoing import outbound
from watchkeeper.model.errors import WatchkeeperError

TIMEOUT = 30.0  # seconds that the server may be silent
_NUMBER = re.compile(rb"\d+")
_Security = MailAccount.Security


class MailboxFails(WatchkeeperError):
    """The server does not do what was asked; the message is its own."""

    reason = "mailbox_fails"


class _Pinned(imaplib.IMAP4):
    """To an address that may be asked; with TLS from the start where that is wanted."""

    def __init__(self, host: str, port: int, security: str) -> None:
        self._security = security
        super().__init__(host, port, TIMEOUT)

    def _create_socket(self, timeout: float | None) -> socket.socket:  # noqa: ARG002
        found = outbound.connect(self.host, self.port, TIMEOUT)
        if self._security == _Security.TLS:
            return ssl.create_default_context().wrap_socket(found, server_hostname=self.host)
        return found


class Mailbox:
    """A folder that is open. `validity`: uids mean the same mails as long as it is the same."""

    def __init__(self, server: imaplib.IMAP4, folder: str) -> None:
        self._server = server
        said = self._do("CAPABILITY", server.capability())  # anew: servers say more to whom they know
        self._can = frozenset(b" ".join(filter(None, said)).decode(errors="replace").upper().split())
        self._do("SELECT", server.select(_quoted(folder)))
        self.validity = self._number("UIDVALIDITY")
        self.next_uid = self._number("UIDNEXT")

    def after(self, uid: int) -> list[int]:
        """Uids over this one, in their order."""
        [found] = self._do("SEARCH", self._server.uid("SEARCH", f"UID {uid + 1}:*"))[:1] or [b""]
        return sorted(n for n in map(int, _NUMBER.findall(found or b"")) if n > uid)

    def mail(self, uid: int, most: int) -> bytes | None:
        """The first `most` bytes of a mail, which stays unread; None when it is gone."""
        answer = self._do("FETCH", self._server.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{most}>)"))
        return next((bytes(part[1]) for part in answer if isinstance(part, tuple)), None)

    def seen(self, uids: Sequence[int]) -> None:
        """Mark as read."""
        self._do("STORE", self._server.uid("STORE", _set(uids), "+FLAGS.SILENT", r"(\Seen)"))

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Move to another folder (RFC 6851, else by copying and deleting)."""
        if "MOVE" in self._can:
            self._do("MOVE", self._server.uid("MOVE", _set(uids), _quoted(folder)))
            return
        self._do("COPY", self._server.uid("COPY", _set(uids), _quoted(folder)))
        self.delete(uids)

    def delete(self, uids: Sequence[int]) -> None:
        """Delete these, and where the server knows how (RFC 4315) no others."""
        self._do("STORE", self._server.uid("STORE", _set(uids), "+FLAGS.SILENT", r"(\Deleted)"))
        if "UIDPLUS" in self._can:
            self._do("EXPUNGE", self._server.uid("EXPUNGE", _set(uids)))

    def _number(self, name: str) -> int:
        _, [said] = self._server.response(name)
        return int(said) if said else 0

    @staticmethod
    def _do(what: str, answer: tuple[str, list[bytes]]) -> list[bytes]:
        status, data = answer
        if status != "OK":
            raise MailboxFails(
                f"{what}: {b' '.join(d for d in data if isinstance(d, bytes)).decode(errors='replace')}"
            )
        return data


@contextmanager
def opened(account: MailAccount) -> Iterator[Mailbox]:
    """The account's folder. Raises MailboxFails, NotAllowed, Unreachable or OSError."""
    try:
        server = _Pinned(account.host, account.port, account.security)
        try:
            if account.security == _Security.STARTTLS:
                server.starttls(ssl.create_default_context())
            _sign_in(server, account.user, account.password)
            yield Mailbox(server, account.folder or "INBOX")
        finally:
            _close(server)
    except (imaplib.IMAP4.error, ValueError) as error:  # ValueError: what was said makes no sense
        text = error.args[0] if error.args else error
        raise MailboxFails(text.decode(errors="replace") if isinstance(text, bytes) else str(text)) from error


def _sign_in(server: imaplib.IMAP4, user: str, password: str) -> None:
    """LOGIN takes ASCII alone; AUTHENTICATE PLAIN (RFC 4616) takes any letters."""
    if (user + password).isascii():
        server.login(user, password)
    else:
        server.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())


def _close(server: imaplib.IMAP4) -> None:
    try:
        server.logout()
    except (OSError, imaplib.IMAP4.error):
        server.shutdown()


def _set(uids: Sequence[int]) -> str:
    return ",".join(map(str, uids))


def _quoted(folder: str) -> str:
    """A folder's name as IMAP takes it: modified UTF-7 (RFC 3501, 5.1.3), quoted."""
    out, run = [], ""
    for c in [*folder, ""]:
        if c and not " " <= c <= "~":
            run += c
            continue
        if run:
            out.append(
                "&" + base64.b64encode(run.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"
            )
            run = ""
        out.append("&-" if c == "&" else c)
    return '"' + "".join(out).replace("\\", "\\\\").replace('"', '\\"') + '"'
