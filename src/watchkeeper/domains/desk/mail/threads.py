"""Which ticket a mail belongs to: what its references prove, and what it may only claim. Pure.

A Message-ID of ours carries a signature that nobody can guess: who refers to it has had a mail of the ticket. A number in
the subject, and a Message-ID of somebody else, prove nothing: they count for those who are party to the ticket already.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

_OURS = re.compile(r"ticket\.(\d{1,15})\.([a-z0-9.-]{1,60})\.([0-9a-f]{24})@", re.IGNORECASE)
_TAGGED = re.compile(r"\+t(\d{1,15})\.([0-9a-f]{24})@", re.IGNORECASE)
_NUMBER = re.compile(r"\[((?:INC|REQ)-\d{1,15})\]", re.IGNORECASE)


def message_id(key: str, ticket: int, cause: str, domain: str) -> str:
    """Of a mail of ours about a ticket, without < and >; the same for the same cause.

    >>> about("k", [message_id("k", 12, "reply-7", "example.org")])
    12
    """
    return f"ticket.{ticket}.{cause}.{_signed(key, f'{ticket}.{cause}')}@{domain}"


def tagged(key: str, ticket: int, address: str) -> str:
    """The address for answers about a ticket, of a mail server that takes what follows a plus: desk+t12.…@example.org."""
    local, _, domain = address.partition("@")
    return f"{local}+t{ticket}.{_signed(key, f'{ticket}')}@{domain}"


def about(key: str, references: Iterable[str], recipients: Iterable[str] = ()) -> int | None:
    """The ticket that a reference, the nearest first, or the address of a recipient proves."""
    for reference in reversed(list(references)):
        found = _OURS.match(reference)
        if found and _same(found[3], _signed(key, f"{int(found[1])}.{found[2].lower()}")):
            return int(found[1])
    for address in recipients:
        tag = _TAGGED.search(address)
        if tag and _same(tag[2], _signed(key, f"{int(tag[1])}")):
            return int(tag[1])
    return None


def is_ours(key: str, reference: str) -> bool:
    """Whether this Message-ID is of a mail that went out from here."""
    return about(key, [reference]) is not None


def claimed(subject: str) -> list[str]:
    """The numbers of tickets that a subject names.

    >>> claimed("Re: [INC-12] it is slow")
    ['INC-12']
    """
    return [number.upper() for number in _NUMBER.findall(subject)[:5]]


def _signed(key: str, text: str) -> str:
    return hmac.new(key.encode(), f"ticket mail {text}".encode(), hashlib.sha256).hexdigest()[:24]


def _same(a: str, b: str) -> bool:
    return hmac.compare_digest(a.lower().encode(), b.encode())
