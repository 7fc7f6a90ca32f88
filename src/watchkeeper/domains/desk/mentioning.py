"""Mentions: whoever is named as @user in what is written about a ticket, or about any other record, is told of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

import msgspec

from watchkeeper.domains.identity.models import AccountKind, User
from watchkeeper.domains.inbox import telling
from watchkeeper.domains.inbox.reading import reads
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.hanging import subject
from watchkeeper.kernel.problems import NotThere

_NAME = re.compile(r"(?<![\w@.])@([\w.+-]{1,150})")
_MOST = 20  # people of one text


def _of_note(event: Event) -> tuple[str, str, str]:
    return str(event.record["kind"]), str(event.record["record"]), str(event.record["text"])


def _of_message(event: Event) -> tuple[str, str, str]:
    return "tickets", str(event.record["ticket_id"]), str(event.record["body"])


#: kinds of text → the kind and key of the record that it is about, and the text
TEXTS: dict[str, Callable[[Event], tuple[str, str, str]]] = {
    "notes": _of_note,
    "ticket-messages": _of_message,
}


def named(text: str) -> list[str]:
    """User names that a text mentions; what is code does not count.

    >>> named("ask @ann, or @bob.jones. Not me@example.org, nor `@carl`")
    ['ann', 'bob.jones']
    """
    prose = re.sub(r"```.*?```|`[^`\n]*`", " ", text, flags=re.DOTALL)
    found = (match.group(1).rstrip(".-+") for match in _NAME.finditer(prose))
    return list(dict.fromkeys(name for name in found if name))[:_MOST]


class Mentions:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Texts of people."""
        return TEXTS.keys() & set(kinds)

    def hear(self, events: Sequence[Event]) -> str:
        """Tell who is mentioned, once for each text, and of the record that it is about."""
        told = sum(_tell(event) for event in events if event.act in ("create", "change"))
        return f"{told} mentioned" if told else ""


def _tell(event: Event) -> int:
    kind, key, text = TEXTS[event.kind](event)
    names = named(text)
    if not names:
        return 0
    known = User.objects.filter(username__in=names, is_active=True, kind=AccountKind.PERSON)
    people = [user for user in known if reads(user, event)]  # also the text, not only what it is about
    about = msgspec.structs.replace(
        event, id=f"mention:{event.kind}:{event.key}", kind=kind, key=key, act="mention", name=_named(kind, key),
        before={}, after={}, record={},
    )  # fmt: skip
    short = text.strip().partition("\n")[0]
    return telling.tell(people, about, f"You are mentioned: {short}"[:200])


def _named(kind: str, key: str) -> str:
    try:
        resource, record = subject(kind, key)
    except NotThere:
        return key
    return resource.title(record)
