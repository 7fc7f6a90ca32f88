"""Forgets what is old, each night. Carries notifications out: a webhook signed as Standard Webhooks says
(https://www.standardwebhooks.com), or an e-mail. The outbox row's id is the message's id in both, on every attempt.

Over HTTP nobody can do something exactly once: a kill may come after the receiver has it and before we have
noted that. Then it is sent again under the same `webhook-id`, by which a receiver tells that it had it. A message
that was noted as delivered is never sent again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import smtplib
import ssl
import time
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import msgspec
from django.conf import settings

from watchkeeper import __version__
from watchkeeper.domains.situations.models import Channel, NotificationRule
from watchkeeper.domains.situations.retention import KEEP_DAYS, forget
from watchkeeper.domains.situations.telling import KIND
from watchkeeper.kernel import outbound, outbox
from watchkeeper.kernel.jobs import Run, job
from watchkeeper.kernel.models import OutboxRow

_TIMEOUT = 20.0


@outbox.handler(KIND)
def deliver(row: OutboxRow) -> str:
    """Send it; return what came back. Raises TryAgain, GiveUp, NotAllowed or Unreachable."""
    rule = NotificationRule.objects.filter(pk=row.payload["rule"]).first()
    if rule is None:
        raise outbox.GiveUp("the notification rule has been removed")
    if not rule.enabled:
        raise outbox.GiveUp("the notification rule was switched off")
    if rule.channel == Channel.EMAIL:
        return _mail(rule, row)
    return _webhook(rule, row)


def message_id(row: str) -> str:
    """A row's id as a message id: short and of plain characters.

    >>> message_id("notify:1:s:opened")
    'msg_98533b452007fb25dafb9849'
    """
    return "msg_" + hashlib.sha256(row.encode()).hexdigest()[:24]


def sign(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a message: version 1, HMAC-SHA256 over id, time and body. Raises GiveUp for a
    secret that is none."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise outbox.GiveUp("the signing secret is not base64") from error
    signed = hmac.new(key, f"{message}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def _webhook(rule: NotificationRule, row: OutboxRow) -> str:
    body = msgspec.json.encode(row.payload["message"])
    message, now = message_id(row.pk), int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Watchkeeper/{__version__}",
        "webhook-id": message,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(rule.secret, message, now, body),
    }
    answer = outbound.post(rule.address, body, headers)
    said = f"{answer.status} {answer.body[:300].decode('utf-8', 'replace')}".strip()
    if 200 <= answer.status < 300:
        return said
    if answer.status == 410:
        NotificationRule.objects.filter(pk=rule.pk).update(enabled=False)
        raise outbox.GiveUp(f"{said} (the receiver wants no more: the rule has been switched off)")
    raise outbox.TryAgain(said)


def _mail(rule: NotificationRule, row: OutboxRow) -> str:
    if not settings.SMTP_URL:
        raise outbox.TryAgain("no mail server is set: WATCHKEEPER_SMTP=smtp://user:password@host:587?from=…")
    to = [a.strip() for a in rule.address.split(",")]
    server = urlsplit(settings.SMTP_URL)
    options = {k: v[0] for k, v in parse_qs(server.query).items()}
    sender = options.get("from") or settings.SERVER_EMAIL
    try:
        with _connected(server, options.get("tls") != "off") as smtp:
            refused = smtp.send_message(mail(row, sender, to), sender, to)
    except smtplib.SMTPResponseException as error:
        text = f"{error.smtp_code} {error.smtp_error!r}"
        raise (outbox.GiveUp if 500 <= error.smtp_code < 600 else outbox.TryAgain)(text) from error
    except smtplib.SMTPException as error:
        raise outbox.TryAgain(repr(error)) from error
    return f"accepted; refused for {sorted(refused)}" if refused else "accepted"


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


def mail(row: OutboxRow, sender: str, to: list[str]) -> EmailMessage:
    """The e-mail of a notification."""
    told = row.payload["message"]
    data: dict[str, Any] = told["data"]
    event = told["type"].removeprefix("situation.").replace("_", " ")
    out = EmailMessage()
    out["From"], out["To"] = sender, ", ".join(to)
    out["Subject"] = " ".join(f"[{data['severity']}] {data['title']} ({event})".split())[:250]
    out["Date"] = formatdate(localtime=False)
    out["Message-ID"] = f"<{message_id(row.pk)}@{sender.rpartition('@')[2] or 'watchkeeper'}>"
    out["References"] = f"<{hashlib.sha256(data['id'].encode()).hexdigest()[:24]}@watchkeeper>"
    out["Auto-Submitted"] = "auto-generated"
    lines = [
        data["title"],
        "",
        f"State: {data['state']}, severity: {data['severity']}, alerts: {data['alert_count']}",
    ]
    if data["because"]:
        lines += ["", "Why these alerts belong together:", *(f"- {s}" for s in data["because"])]
    for cause in data["causes"][:3]:
        lines += ["", f"Probable cause: {cause['item']['name']} ({cause['score']:.0%})"]
        lines += [f"- {s}" for s in cause["because"]]
    out.set_content("\n".join([*lines, "", data["url"], ""]))
    return out


@job("forget", f"Forget what ended more than {KEEP_DAYS} days ago", every="20 3 * * *")
def forget_old(run: Run) -> dict[str, int]:
    """Alerts, situations and what was noted about them, slice by slice."""

    def all_of_it() -> int:
        gone = 0
        while some := forget(int(time.time() * 1000)):
            gone += some
            run.progress(gone, unit="records")
        return gone

    return {"records forgotten": run.step("forget", all_of_it)}
