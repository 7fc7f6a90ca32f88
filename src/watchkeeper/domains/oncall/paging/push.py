"""Messages to browsers, by the push service that each of them names: encrypted for the browser (RFC 8291), and signed
with this installation's key (RFC 8292)."""

from __future__ import annotations

from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.core.validators import EmailValidator

from watchkeeper.domains.oncall.paging import links
from watchkeeper.domains.oncall.paging.own_models import PushKey
from watchkeeper.domains.outgoing import outbound
from watchkeeper.domains.outgoing.chat import Message
from watchkeeper.kernel import outbox

_LIFE = 3600  # seconds for which the push service keeps it for a browser that is off
_TEXT = serialization.Encoding.PEM


class Keys(msgspec.Struct, frozen=True):
    """A browser's, as its subscription names them; base64."""

    auth: str
    p256dh: str


class Subscription(msgspec.Struct, frozen=True):
    """A browser's PushSubscription, as toJSON writes it."""

    endpoint: str
    keys: Keys


def public_key() -> str:
    """What a browser is given to subscribe with: base64url."""
    from webpush.vapid import VAPID

    return VAPID.get_application_server_key(_key().public_key())


def _key() -> ec.EllipticCurvePrivateKey:
    kept = PushKey.objects.first()
    if kept is None:
        made = ec.generate_private_key(ec.SECP256R1())
        private = made.private_bytes(_TEXT, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        kept, _ = PushKey.objects.get_or_create(pk=1, defaults={"private": private.decode()})
    found = serialization.load_pem_private_key(kept.private.encode(), None)
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    return found


def send(address: str, secret: str, message: Message) -> str:
    """Push it; what the service said. Raises TryAgain, GiveUp, NotAllowed or Unreachable."""
    made = _encrypted(address, secret, message)
    headers = {"Content-Type": "application/octet-stream", "Urgency": "high", **made.headers}
    answer = outbound.post(address, made.encrypted, headers)
    said = f"{answer.status} {answer.body[:200].decode('utf-8', 'replace')}".strip()
    if 200 <= answer.status < 300:
        return said
    if answer.status in (400, 401, 403, 404, 410, 413):
        raise outbox.GiveUp(f"{said} (this browser has ended its subscription: add it again)")
    raise outbox.TryAgain(said)


def _encrypted(address: str, secret: str, message: Message) -> Any:
    from webpush import WebPush
    from webpush.types import WebPushSubscription

    key = _key()
    private = key.private_bytes(_TEXT, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(_TEXT, serialization.PublicFormat.SubjectPublicKeyInfo)
    push = WebPush(private, public, subscriber=_contact(), ttl=_LIFE)
    content = {"title": message.title[:200], "body": "\n".join(message.lines)[:1000],
               "url": message.links[0][1] if message.links else settings.PUBLIC_URL}  # fmt: skip
    to = {"endpoint": address, "keys": msgspec.json.decode(secret)}
    return push.get(content, WebPushSubscription.model_validate(to))


def _contact() -> str:
    """The address that push services write to when something is wrong with what we send."""
    domain = links.host()
    usual = EmailValidator().domain_regex.fullmatch(domain)
    return f"watchkeeper@{domain if usual else 'localhost.localdomain'}"
