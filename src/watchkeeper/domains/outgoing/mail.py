"""E-mail, handed to the mail server that WATCHKEEPER_SMTP names."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.conf import settings

from watchkeeper.kernel import outbox

_TIMEOUT = 20.0


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


def send(mail: EmailMessage, to: Sequence[str]) -> str:
    """Hand a mail to the mail server; what it said. Raises TryAgain, GiveUp or OSError."""
    if not settings.SMTP_URL:
        raise outbox.TryAgain("no mail server is set: WATCHKEEPER_SMTP=smtp://user:password@host:587?from=…")
    server = urlsplit(settings.SMTP_URL)
    try:
        with _connected(server, _options(server).get("tls") != "off") as smtp:
            refused = smtp.send_message(mail, _sender(), to)
    except smtplib.SMTPResponseException as error:
        text = f"{error.smtp_code} {error.smtp_error!r}"
        raise (outbox.GiveUp if 500 <= error.smtp_code < 600 else outbox.TryAgain)(text) from error
    except smtplib.SMTPException as error:
        raise outbox.TryAgain(repr(error)) from error
    return f"accepted; refused for {sorted(refused)}" if refused else "accepted"


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
