"""Webhooks as Standard Webhooks describes them (https://www.standardwebhooks.com): signed, and under an id that is
the same on every attempt."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from typing import Any

import msgspec

from watchkeeper import __version__
from watchkeeper.domains.outgoing import outbound
from watchkeeper.kernel import outbox
from watchkeeper.model.errors import WatchkeeperError


class Unwanted(WatchkeeperError):
    """The receiver answers that it wants no more (410)."""

    reason = "unwanted"


#: errors after which sending it again would bring nothing about
FINAL = (outbox.GiveUp, Unwanted, outbound.NotAllowed)


def new_secret() -> str:
    """A signing secret as Standard Webhooks writes them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def message_id(row: str) -> str:
    """An effect's id as a message id: short and of plain characters.

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


def post(address: str, secret: str, message: str, content: dict[str, Any]) -> str:
    """Send a message; what came back: the status and the beginning of the answer. Raises TryAgain, Unwanted,
    NotAllowed or Unreachable."""
    body, now = msgspec.json.encode(content), int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Watchkeeper/{__version__}",
        "webhook-id": message,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(secret, message, now, body),
    }
    answer = outbound.post(address, body, headers)
    said = f"{answer.status} {answer.body[:300].decode('utf-8', 'replace')}".strip()
    if 200 <= answer.status < 300:
        return said
    if answer.status == 410:
        raise Unwanted(said)
    raise outbox.TryAgain(said)
