"""Browsers as contact methods: what a browser says of itself when its person lets it be pushed to."""

from __future__ import annotations

import base64
import binascii

import msgspec

from watchkeeper.domains.oncall.paging.own_models import ContactMethod
from watchkeeper.domains.oncall.paging.push import Subscription
from watchkeeper.domains.outgoing import addresses
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import registry


def add(actor: Actor, name: str, said: str) -> ContactMethod:
    """The browser with this subscription (PushSubscription.toJSON), once. Raises Invalid or Forbidden."""
    try:
        found = msgspec.json.decode(said, type=Subscription)
        sizes = [len(base64.urlsafe_b64decode(k + "==")) for k in (found.keys.auth, found.keys.p256dh)]
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise Invalid("that is no subscription of a browser") from error
    if sizes != [16, 65]:
        raise Invalid("that is no subscription of a browser")
    addresses.check_web(found.endpoint)
    secret = msgspec.json.encode(found.keys).decode()
    own = ContactMethod.objects.filter(person=actor.person, channel=ContactMethod.Channel.PUSH)
    for method in own:
        if method.address == found.endpoint:
            method.secret = secret
            method.save(update_fields=["secret"])
            return method
    made = ContactMethod(
        person=actor.person, name=_free(actor, name.strip()[:80] or "browser"),
        channel=ContactMethod.Channel.PUSH, address=found.endpoint, secret=secret,
    )  # fmt: skip
    kind = registry["contact-methods"]
    require(actor, "create", kind, made)
    made.save()
    audit.record(actor, "contact-method.create", made, after=audit.state_of(made))
    return made


def _free(actor: Actor, name: str) -> str:
    taken = set(ContactMethod.objects.filter(person=actor.person).values_list("name", flat=True))
    numbered = (f"{name} {n}" for n in range(2, len(taken) + 3))
    return name if name not in taken else next(n for n in numbered if n not in taken)
