"""Sends e-mail through the mail server that WATCHKEEPER_SMTP names, for effects of the outbox."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.conf import settings

from watchkeeper.kernel import outbox

_TIMEOUT = 20.0


def sender() -> str:
    """Whom e-mails are from."""
    return _options().get("from") or settings.SERVER_EMAIL


def send(mail: EmailMessage, to: list[str]) -> str:
    """Hand it to the mail server; return what that said. Raises TryAgain or GiveUp."""
    if not settings.SMTP_URL:
        raise outbox.TryAgain("no mail server is set: WATCHKEEPER_SMTP=smtp://user:password@host:587?from=…")
    try:
        with _connected(urlsplit(settings.SMTP_URL), _options().get("tls") != "off") as smtp:
            refused = smtp.send_message(mail, sender(), to)
    except smtplib.SMTPResponseException as error:
        text = f"{error.smtp_code} {error.smtp_error!r}"
        raise (outbox.GiveUp if 500 <= error.smtp_code < 600 else outbox.TryAgain)(text) from error
    except smtplib.SMTPException as error:
        raise outbox.TryAgain(repr(error)) from error
    return f"accepted; refused for {sorted(refused)}" if refused else "accepted"


def _options() -> dict[str, str]:
    return {k: v[0] for k, v in parse_qs(urlsplit(settings.SMTP_URL or "").query).items()}


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
