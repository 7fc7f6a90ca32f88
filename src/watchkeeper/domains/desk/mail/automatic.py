"""Which mails no person wrote: answers by machines (RFC 3834), what programs send, reports of what could not be delivered
(RFC 3464). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum

from watchkeeper.domains.desk.mail.headers import message_ids, raw_headers

_ADDRESS = re.compile(r"([^\s;<>]{1,128}@[^\s;<>]{1,190})")


class Writer(StrEnum):
    """Who, or what, has written a mail."""

    PERSON = "person"
    PROGRAM = "program"  # it wants to be read, and gets no automatic answer
    ANSWERER = "answerer"  # it has answered by itself: nothing new, and no answer
    BOUNCE = "bounce"


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a report says: the address, whether for good, why, and the Message-IDs of the mail that it is about."""

    address: str
    final: bool
    why: str
    about: tuple[str, ...]


def writer(headers: Mapping[str, Sequence[str]]) -> Writer:
    """By what a mail's headers say of it.

    >>> writer({"auto-submitted": ["auto-replied"]}), writer({"precedence": ["bulk"]}), writer({})
    (<Writer.ANSWERER: 'answerer'>, <Writer.PROGRAM: 'program'>, <Writer.PERSON: 'person'>)
    """

    def said(name: str) -> str:
        return " ".join(headers.get(name, ())).strip().lower()

    submitted = said("auto-submitted").partition(";")[0].strip()
    if submitted.startswith("auto-replied") or said("x-autoreply") or said("x-autorespond"):
        return Writer.ANSWERER
    precedence = said("precedence")
    if precedence in ("auto_reply", "auto-reply") or said("return-path") == "<>":
        return Writer.ANSWERER
    suppresses = said("x-auto-response-suppress")
    by_program = submitted not in ("", "no") or precedence in ("bulk", "junk", "list") or said("list-id")
    return Writer.PROGRAM if by_program or suppresses not in ("", "none") else Writer.PERSON


def bounce(mail: Message, leaves: Sequence[Message]) -> Bounce | None:
    """What a report of a mail system says; None for any other mail."""
    if mail.get_content_type() != "multipart/report":
        return None
    report = next((p for p in leaves if p.get_content_type() == "message/delivery-status"), None)
    if report is None:
        return None
    fields = _fields(report)
    found = _ADDRESS.search(fields.get("final-recipient", "") or fields.get("original-recipient", ""))
    why = fields.get("diagnostic-code", "").partition(";")[2].strip() or fields.get("status", "")
    final = fields.get("action", "").lower() == "failed" and fields.get("status", "5").startswith("5")
    return Bounce(found[1].lower() if found else "", final, why[:500], tuple(_about(mail, leaves)))


def _fields(report: Message) -> dict[str, str]:
    """Those of the message and of the first recipient together."""
    found: dict[str, str] = {}
    blocks = report.get_payload()
    for block in blocks[:20] if isinstance(blocks, list) else ():
        if isinstance(block, Message):
            for name, values in raw_headers(block).items():
                found.setdefault(name, " ".join(values[0].split()))
    return found


def _about(mail: Message, leaves: Sequence[Message]) -> list[str]:
    own = raw_headers(mail)
    found = message_ids([*own.get("in-reply-to", ()), *own.get("references", ())])
    for part in leaves:
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                found += message_ids(raw_headers(inner[0]).get("message-id", []))
        elif part.get_content_type() == "text/rfc822-headers":
            data = part.get_payload(decode=True)
            text = data[:50_000].decode("utf-8", "replace") if isinstance(data, bytes) else ""
            found += re.findall(r"^message-id:\s{0,4}<([^<>\s]{1,250})>", text, re.IGNORECASE | re.MULTILINE)
    return found
