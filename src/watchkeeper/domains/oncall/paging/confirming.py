"""That a contact method is really its person's: a code goes out, and comes back typed in. And tests that anybody can ask
for of their own."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework import serializers

from watchkeeper.domains.oncall.paging import sending, wording
from watchkeeper.domains.oncall.paging.delivering import FINAL, for_message, used, way_of
from watchkeeper.domains.oncall.paging.own_models import SEALED, ContactMethod
from watchkeeper.kernel import audit, outbox
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Done
from watchkeeper.model.errors import WatchkeeperError

CODE, TEST = "contact-code", "contact-test"
LIFE = dt.timedelta(minutes=15)
TRIES = 5


class Code(serializers.Serializer[Any]):
    """What was sent there."""

    code = serializers.CharField(max_length=12, help_text="six digits, which were sent there")


def begin(method: ContactMethod) -> None:
    """Send a code where that is needed, in the caller's transaction; the account's own address needs none."""
    if method.channel == ContactMethod.Channel.EMAIL and method.address == method.person.email:
        method.verified_at = timezone.now()
        method.save(update_fields=["verified_at"])
    elif method.needs_code:
        _ask(method)


def _ask(method: ContactMethod) -> None:
    cause = f"{CODE}:{method.pk}:{uuid.uuid4().hex}"
    outbox.add([outbox.Effect(cause, CODE, f"contact-methods/{method.pk}", {"method": method.pk})])


def send_code(_: Actor, method: ContactMethod, __: dict[str, Any]) -> Done:
    """Another code; the one before no longer counts."""
    _ask(method)
    return Done()


def verify(actor: Actor, method: ContactMethod, data: dict[str, Any]) -> Done:
    """Raises Invalid for another code, Refused when there is none to be entered any more."""
    now = timezone.now()
    counted = ContactMethod.objects.filter(pk=method.pk, code_tries__lt=TRIES, code_expires_at__gt=now)
    if not method.code_hash or not counted.update(code_tries=F("code_tries") + 1):
        raise Refused("the code is too old, or was tried too often: send another one")
    if not constant_time_compare(_hash(method, data["code"].strip().replace(" ", "")), method.code_hash):
        raise Invalid("that is not the code", "code")
    with transaction.atomic():
        method.verified_at, method.code_hash = now, ""
        method.save(update_fields=["verified_at", "code_hash"])
        audit.record(actor, "contact-method.verify", method)
    return Done()


verify.journaled = True  # type: ignore[attr-defined]  # in no transaction: a code that was wrong has counted


def _hash(method: ContactMethod, code: str) -> str:
    return salted_hmac("oncall.code", f"{method.pk}:{code}", algorithm="sha256").hexdigest()


@outbox.handler(CODE, lane="urgent")
def carry_code(row: OutboxRow) -> str:
    """Make a code and send it; it is nowhere but in the message. Raises TryAgain, GiveUp, Unreachable or OSError."""
    found = ContactMethod.objects.filter(pk=row.payload["method"], verified_at=None)
    method = found.defer(*SEALED).first()
    if method is None:
        return "nobody needs it any more"
    code = f"{secrets.randbelow(1_000_000):06}"
    ContactMethod.objects.filter(pk=method.pk).update(
        code_hash=_hash(method, code), code_expires_at=timezone.now() + LIFE, code_tries=0
    )
    return _send(method, row.pk, wording.of_code(code))


def test(actor: Actor, method: ContactMethod, _: dict[str, Any]) -> Done:
    """A message there, now."""
    cause = f"{TEST}:{method.pk}:{uuid.uuid4().hex}"
    payload = {"method": method.pk, "by": actor.name}
    outbox.add([outbox.Effect(cause, TEST, f"contact-methods/{method.pk}", payload)])
    return Done()


@outbox.handler(TEST, lane="urgent")
def carry_test(row: OutboxRow) -> str:
    """Raises TryAgain, GiveUp, Unreachable or OSError."""
    method = ContactMethod.objects.filter(pk=row.payload["method"]).defer(*SEALED).first()
    if method is None:
        return "the contact method was removed"
    return _send(method, row.pk, wording.of_test(row.payload["by"]))


def _send(method: ContactMethod, cause: str, message: Any) -> str:
    try:
        said = sending.send(way_of(method), cause, for_message(method, message)).said
    except (WatchkeeperError, OSError) as error:
        detail = error.detail if isinstance(error, WatchkeeperError) else str(error)
        used(method.pk, detail)
        if isinstance(error, FINAL):
            raise outbox.GiveUp(detail) from error
        raise
    outbox.patiently(partial(used, method.pk, said))
    return said
