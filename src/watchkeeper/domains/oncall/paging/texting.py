"""Text messages that people send back: "ack" is as good as the link. A provider passes them on, and signs what it says."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from contextlib import suppress

from django.conf import settings
from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone

from watchkeeper.domains.oncall.paging import answering, ending
from watchkeeper.domains.oncall.paging.models import Page
from watchkeeper.domains.oncall.paging.own_models import ContactMethod, TelephoneProvider
from watchkeeper.kernel.secrets import Unreadable, unseal

_YES = ("ack", "acknowledge", "ok", "yes", "4")  # the last is the key during calls
_HELP = "Answer “ack” to acknowledge what you were told of last, or “ack all”."
_MOST = 100  # pages that “ack all” acknowledges


def genuine(url: str, fields: Mapping[str, str], signature: str) -> bool:
    """Whether a provider in use has sent this, by the token of its account:
    https://www.twilio.com/docs/usage/security#validating-requests"""
    said = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    for provider in TelephoneProvider.objects.filter(enabled=True).defer("token"):
        try:
            token = provider.token
        except Unreadable:
            continue
        made = base64.b64encode(hmac.digest(token.encode(), said.encode(), hashlib.sha1))
        if hmac.compare_digest(made, signature.encode()):
            return True
    return False


def answer(sender: str, body: str, address: str = "", request_id: str = "") -> str:
    """What somebody is told who has written this from their number."""
    people = _people(sender)
    if not people:
        return "This number belongs to nobody here."
    words = body.casefold().strip(" .!\n").split()
    if not words or words[0] not in _YES or words[1:] not in ([], ["all"]):
        return _HELP
    waiting = ending.waiting(timezone.now(), "escalation__")
    found = Page.objects.filter(waiting, person__in=people, person__is_active=True)
    pages = list(found.select_related("escalation", "person").order_by("-at", "-id")[:_MOST])
    done = [
        page.escalation.title
        for page in (pages if words[1:] else pages[:1])
        if answering.acknowledge(answering.as_person(page, address, request_id), page, "text message")
    ]
    return _said(done, found.values("escalation").distinct().count())


def _people(number: str) -> set[int]:
    """Those whose number this is; one that cannot be read is nobody's."""
    known = ContactMethod.objects.filter(channel=ContactMethod.Channel.SMS).exclude(verified_at=None)
    sealed = known.annotate(sealed=Cast("sealed_address", TextField())).values_list("person_id", "sealed")
    people = set()
    for person, address in sealed:
        with suppress(Unreadable):
            people.update([person] if unseal(address, settings.SECRET_KEY) == number else [])
    return people


def _said(done: list[str], left: int) -> str:
    if not done:
        return "Nothing waits for you."
    what = done[0] if len(done) == 1 else f"{len(done)} things"
    return f"You have it: {what}" + (f" ({left} more wait; “ack all” takes them.)" if left else "")
