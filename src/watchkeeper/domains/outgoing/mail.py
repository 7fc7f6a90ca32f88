"""E-mail, handed to the mail server that WATCHKEEPER_SMTP names, or to one that people have entered."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.conf import settings

from watchkeeper.domains.outgoing import outbound
from watchkeeper.kernel import outbox

_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server that people have entered: it is asked only at addresses that may be asked. `security`: tls, starttls or
    none; `sender` is the address for what does not arrive."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)


def compose(
    message: str, to: Sequence[str], subject: str, lines: Sequence[str], about: str = ""
) -> EmailMessage:
    """A mail in plain text. `message` is its id, the same on every attempt; mails with the same `about` make a
    thread."""
    out = EmailMessage()
    out["From"], out["To"] = _sender(), ", ".join(to)
    out["Subject"] = " ".join(subject.split())[:250]
    out["Date"] = formatdate(localtime=False)
    domain = _sender().rpartition("@")[2] or "watchkeeper"
    out["Message-ID"] = f"<{message}@{domain}>"
    if about:
        out["References"] = f"<{about}@watchkeeper>"
    out["Auto-Submitted"] = "auto-generated"
    out.set_content("\n".join([*lines, ""]))
    return out


def send(mail: EmailMessage, to: Sequence[str], server: Server | None = None) -> str:
    """Hand a mail to the mail server, that of the platform unless another is given; what it said. Raises TryAgain, GiveUp,
    OSError, or what keeps us from asking a server that people have entered."""
    if server is None and not settings.SMTP_URL:
        raise outbox.TryAgain("no mail server is set: WATCHKEEPER_SMTP=smtp://user:password@host:587?from=…")
    platform = urlsplit(settings.SMTP_URL)
    try:
        with (
            _connected(platform, _options(platform).get("tls") != "off")
            if server is None
            else _entered(server)
        ) as smtp:
            refused = smtp.send_message(mail, _sender() if server is None else server.sender, to)
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise _refused(code, said) from error
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPException as error:
        raise outbox.TryAgain(repr(error)) from error
    return f"accepted; refused for {sorted(refused)}" if refused else "accepted"


def _refused(code: int, said: bytes | str) -> outbox.GiveUp | outbox.TryAgain:
    """Final for 5xx (RFC 5321, section 4.2.1)."""
    text = f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
    return outbox.GiveUp(text) if 500 <= code < 600 else outbox.TryAgain(text)


class _Checked(smtplib.SMTP):
    """To an address that may be asked."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return outbound.connect(host, port, timeout)


class _CheckedTls(smtplib.SMTP_SSL):
    """The same, with TLS from the start."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.context.wrap_socket(outbound.connect(host, port, timeout), server_hostname=host)


def _entered(server: Server) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.security == "tls":
        smtp: smtplib.SMTP = _CheckedTls(server.host, server.port, timeout=_TIMEOUT, context=context)
    else:
        smtp = _Checked(server.host, server.port, timeout=_TIMEOUT)
    try:
        if server.security == "starttls":
            smtp.starttls(context=context)
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _options(server: SplitResult) -> dict[str, str]:
    return {k: v[0] for k, v in parse_qs(server.query).items()}


def _sender() -> str:
    return _options(urlsplit(settings.SMTP_URL)).get("from") or settings.SERVER_EMAIL


def _connected(server: SplitResult, server_tls: bool) -> smtplib.SMTP:
    host, port = server.hostname or "localhost", server.port
    if server.scheme == "smtps":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port or 465, timeout=_TIMEOUT, context=ssl.create_default_context()
        )
    else:
        smtp = smtplib.SMTP(host, port or 25, timeout=_TIMEOUT)
        try:
            smtp.ehlo()
            if server_tls and smtp.has_extn("starttls"):
                smtp.starttls(context=ssl.create_default_context())
                smtp.ehlo()
            elif server_tls and server.username:
                raise outbox.TryAgain("the mail server offers no TLS: the password is not sent in the clear")
        except BaseException:
            smtp.close()
            raise
    if server.username:
        smtp.login(unquote(server.username), unquote(server.password or ""))
    return smtp
